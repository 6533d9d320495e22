# Layers that run once or twice each: the exact front, stored, read back, taken away.
cat >r.json <<'SPACE'
{"d_model": 192, "d_head": 64, "n_layers": 4, "vocab_size": 4096, "tie_embeddings": true, "n_kv_heads": 1,
 "layers": {"attention": ["full", {"window": 32}], "d_ff": [256, 512], "repeats": [1, 2, 3]},
 "rules": {"min_full": 2}}
SPACE
cat >scores.csv <<'SCORES'
place,layer,score
all,F1/256,1
all,F1/256x2,1.5
all,F1/256x3,1.8
all,F1/512,1.1
all,F1/512x2,1.7
all,F1/512x3,2
all,W1/256,0.8
all,W1/256x2,1.3
all,W1/256x3,1.6
all,W1/512,0.9
all,W1/512x2,1.5
all,W1/512x3,1.9
SCORES
lathe search --space r.json --budget 2M..3M --device iphone-13 --db x.db --scores scores.csv --limit 12 2>&1
sqlite3 x.db "SELECT method FROM run"
lathe front --db x.db --why --pick 4 --limit 1 | tail -n +4

# What is stored is what is predicted, and what is exported, to the last digit.
n=$(sqlite3 x.db "SELECT count(*) FROM candidate")
id=0
while [ $id -lt $n ]; do
    lathe show 1:$id --db x.db --json | grep -E '"(decode_ns|prefill_ns|peak_bytes|energy_pj_per_token)"' >stored
    lathe predict 1:$id --db x.db --device iphone-13 --json 2>/dev/null |
        grep -E '"(decode_ns|prefill_ns|peak_bytes|energy_pj_per_token)"' | sed 's/^  //' >predicted
    [ -s stored ] && cmp stored predicted || echo "$id is not as predicted"
    id=$((id + 1))
done
sqlite3 x.db "SELECT sharing, repeats, count(*) FROM candidate GROUP BY sharing, repeats"
sqlite3 x.db "SELECT count(*) FROM candidate WHERE n_layers_effective <> (SELECT sum(repeats) FROM candidate_layer AS l
    WHERE l.id = candidate.id) * CASE WHEN sharing = 'immediate' THEN repeats ELSE 1 END"
uneven=$(sqlite3 x.db "SELECT min(id) FROM candidate WHERE sharing = 'by-block' AND n_windowed = 0")
lathe show 1:$uneven --db x.db | sed -n '/^layers/,/^windowed/p'
lathe inspect 1:$uneven --db x.db | head -n 12
sqlite3 x.db "SELECT layer, window, d_ff, repeats FROM candidate_layer WHERE id = $uneven ORDER BY layer"
lathe export hf 1:$uneven --db x.db --out c.json
grep -c '"repeats"' c.json
lathe predict c.json --device iphone-13 --json 2>/dev/null | grep '"decode_ns"' >exported
lathe predict 1:$uneven --db x.db --device iphone-13 --json 2>/dev/null | grep '"decode_ns"' | cmp - exported &&
    echo "the exported network is as predicted"
sed -n '/"lathe_blocks"/,$p' c.json
lathe export gguf c.json --out c.gguf && lathe inspect c.gguf | grep -E '^(family|layers|parameters)'
lathe generate c.json --tokens 1,5,9 --count 4 >run && lathe generate c.gguf --tokens 1,5,9 --count 4 >/dev/null && echo runs
lathe simulate 1:$uneven --db x.db --device iphone-13 --tokens 1 2>/dev/null | grep -c decode

# Twice each is the schedule that repeats all.
sed 's/"repeats": \[1, 2, 3\]/"repeats": 2/' r.json >twice.json
sed 's/, "repeats": \[1, 2, 3\]//; s/"tie/"sharing": ["immediate"], "tie/' r.json >all.json
for space in twice all; do
    lathe search --space $space.json --budget 2M..3M --device iphone-13 --db $space.db --minimize decode_ns,kv_bytes,params >$space.txt 2>/dev/null
    sqlite3 $space.db "SELECT * FROM candidate" >$space
done
cmp twice all && echo "the same front"

# No law knows layers that repeat unevenly.
lathe search --space r.json --budget 2M..3M --device iphone-13 --db x.db --minimize decode_ns,loss_delta_nats 2>&1
lathe search --space r.json --budget 2M..3M --device iphone-13 --db x.db --maximize score 2>&1
sed 's/"tie/"sharing": ["none", "reverse"], "tie/' r.json >both.json
lathe search --space both.json --budget 2M..3M --device iphone-13 --db x.db 2>&1
for repeats in '"repeats": 2' '"repeats": 0'; do
    cat >m.json <<MODEL
{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 96,
 "vocab_size": 300, "lathe_sharing": "reverse", "lathe_repeats": 2,
 "lathe_blocks": [{"n_heads": 2, "n_kv_heads": 2, "d_head": 32, "d_ff": 96, $repeats}]}
MODEL
    lathe inspect m.json 2>&1
    echo "exit $?"
done
