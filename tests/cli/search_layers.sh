# The exact front of a space whose layers differ: searched, stored, read back, resumed.
cat >s.json <<'END'
{"d_model": [128, 192], "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none"], "n_kv_heads": [1, 3], "d_ff": [256, 512]},
 "rules": {"first_full": true}}
END
lathe search --space s.json --budget 2M..3M --device iphone-13 --db x.db 2>&1
sqlite3 x.db "SELECT method, eps, keep, objectives, scores, recipe, train_tokens, reference, finished, n_candidates,
    total FROM run"
lathe top --db x.db --where 'n_windowed > 1' --limit 1 2>&1
lathe front --db x.db --limit 1
lathe show 1:1 --db x.db | sed '/^on iphone-13/d'
lathe inspect 1:1 --db x.db | head -n 4
lathe export hf 1:1 --db x.db --out c.json 2>/dev/null && grep -c . c.json >/dev/null && lathe inspect c.json --json |
    grep '"params"'

# Stored equals predicted to the last digit.
for id in 0 1 2 3; do
    lathe show 1:$id --db x.db --json | grep -E '"(decode_ns|prefill_ns|peak_bytes|energy_pj_per_token)"' >stored
    lathe predict 1:$id --db x.db --device iphone-13 --json 2>/dev/null |
        grep -E '"(decode_ns|prefill_ns|peak_bytes|energy_pj_per_token)"' | sed 's/^  //' >predicted
    [ -s stored ] && cmp stored predicted && echo "$id is as predicted"
done

# The blocks one by one.
sqlite3 x.db "SELECT * FROM candidate_layer WHERE id = 1 ORDER BY layer"
sqlite3 x.db "SELECT sum(n_full + n_windowed + n_without_attention) = (SELECT count(*) FROM candidate_layer) FROM candidate"

# Limits that the front keeps, other objectives, a table of scores, an eps.
lathe search --space s.json --budget 2M..3M --device iphone-13 --db x.db --minimize decode_ns,kv_bytes \
    --where 'decode_us<85 and kv_bytes<=60000, params>=2.1M' 2>&1
cat >scores.csv <<'END'
place,layer,loss
all,N/256,0.9
all,N/512,0.8
all,F1/256,0.5
all,F1/512,0.45
all,F3/256,0.4
all,F3/512,0.3
all,W1/256,0.6
all,W1/512,0.55
all,W3/256,0.5
all,W3/512,0.4
3,N/512,0.1
END
sed 's/\[128, 192\]/192/' s.json >one.json
lathe search --exact --space one.json --budget 2M..3M --device iphone-13 --db x.db --scores scores.csv --eps 0.01 --limit 3 2>&1
sqlite3 x.db "SELECT id, method, eps, length(scores), law_id FROM run WHERE id > 1"

# A run that was stopped starts again from its row.
sqlite3 x.db "CREATE TABLE before AS SELECT * FROM candidate; DELETE FROM candidate WHERE run_id = 3 AND id > 0;
    UPDATE run SET finished = 0, n_candidates = 1, position = 1 WHERE id = 3"
rm scores.csv
lathe search --resume 3 --db x.db --limit 1 2>&1 | head -n 2
sqlite3 x.db "SELECT count(*) FROM (SELECT * FROM before EXCEPT SELECT * FROM candidate);
    SELECT count(*) FROM (SELECT * FROM candidate EXCEPT SELECT * FROM before)"
