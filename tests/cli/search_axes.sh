# Types of the cache and KV heads by ratio as axes, of uniform stacks and of those whose layers differ.
cat >s.json <<'END'
{"d_model": [128, 256], "d_head": 32, "n_kv_heads": [{"ratio": 0.25}, {"ratio": 0.5}, 8], "d_ff": "256-rule",
 "kv_dtype": ["f16", "q8_0"], "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true, "n_layers": {"from": 2, "to": 8}}
END
lathe search --space s.json --budget 3M..4M --device iphone-13 --db x.db >/dev/null 2>&1
sqlite3 x.db "SELECT n_heads, n_kv_heads, kv_dtype, count(*), max(kv_bytes_per_token) FROM candidate GROUP BY 1, 2, 3"
sqlite3 x.db "SELECT space FROM run" | grep -o '"n_kv_heads":.*"ratio":0.5}\]'
sqlite3 x.db "SELECT space FROM run" | grep -o '"kv_dtype":[^]]*'
lathe top --db x.db --where "kv_dtype = 'q8_0'" --limit 1 2>/dev/null | tail -n 1 | cut -c 1-18
# What is kept is found by columns or by rows, and is the same.
lathe search --space s.json --budget 3M..4M --device iphone-13 --db x.db --keep front >/dev/null 2>&1
sqlite3 x.db "SELECT count(*) FROM (SELECT id, decode_ns, kv_dtype FROM candidate WHERE run_id = 1 AND on_front
    EXCEPT SELECT id, decode_ns, kv_dtype FROM candidate WHERE run_id = 2)"
# The option takes the place of the list.
lathe search --space s.json --kv-dtype q4_0 --budget 3M..4M --device iphone-13 --db x.db >/dev/null 2>&1
sqlite3 x.db "SELECT DISTINCT kv_dtype FROM candidate WHERE run_id = 3"
# Each candidate has the type of its row.
for id in $(sqlite3 x.db "SELECT '1:' || id FROM candidate WHERE run_id = 1"); do
    lathe show $id --db x.db --json | grep '"decode_ns"' >stored
    lathe predict $id --db x.db --device iphone-13 --json 2>/dev/null | grep '"decode_ns"' | sed 's/^  //' >predicted
    cmp stored predicted
done
sed 's/"d_ff": "256-rule",/"d_ff": 512, "layers": {"attention": ["full", "none"]},/' s.json >layers.json
lathe search --space layers.json --budget 2M..4M --device iphone-13 --db x.db --minimize decode_ns,params >/dev/null 2>&1
sqlite3 x.db "SELECT kv_dtype, count(*) > 0 FROM candidate WHERE run_id = 4 GROUP BY 1"

# OpenELM's four numbers: every stack that they give in the budget is priced.
cat >scaled.json <<'END'
{"d_model": 1280, "d_head": 64, "d_ff_multiple": 256, "n_layers": {"from": 12, "to": 20}, "sharing": ["none"], "tie_embeddings": true,
 "scaling": {"alpha_min": [0.5, 1], "alpha_max": 1, "beta_min": [0.5, 2], "beta_max": [2, 4], "groups": [1, 4]}}
END
lathe search --space scaled.json --budget 271525120+-1% --device iphone-13 --db x.db 2>&1
sqlite3 x.db "SELECT method, eps, keep FROM run WHERE id = 5"
sqlite3 x.db "UPDATE run SET finished = 0 WHERE id = 5; CREATE TABLE before AS SELECT * FROM candidate"
lathe search --resume 5 --db x.db 2>&1 >/dev/null | head -n 1
sqlite3 x.db "SELECT count(*) FROM (SELECT * FROM before EXCEPT SELECT * FROM candidate)"
# A table that has all layers of all stacks, and one that lacks some.
sqlite3 -csv x.db "SELECT DISTINCT 'all', layer, 1 FROM (WITH RECURSIVE h(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM h WHERE n < 40),
    f(n) AS (SELECT 256 UNION ALL SELECT n + 256 FROM f WHERE n < 6144)
    SELECT 'F' || h.n || 'x' || h.n || '/' || f.n AS layer FROM h, f UNION SELECT 'F' || h.n || 'x' || (h.n / 4) || '/' || f.n
    FROM h, f WHERE h.n % 4 = 0)" >rows
(echo place,layer,score; tr -d '"\r' <rows) >scores.csv
lathe search --space scaled.json --budget 271525120+-1% --device iphone-13 --db x.db --scores scores.csv --limit 2 2>&1
grep -v F20x5/ scores.csv >lacks.csv
lathe search --space scaled.json --budget 271525120+-1% --device iphone-13 --db x.db --scores lacks.csv 2>&1
