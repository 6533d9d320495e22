# The column "this machine" is the latest measurement of the same model.
cat >space.json <<'JSON'
{"d_model": [128], "d_head": [64], "n_kv_heads": [1], "d_ff": [384], "vocab_size": [1000],
 "tie_embeddings": [true], "sharing": ["none"]}
JSON
lathe search --budget 1M+-20% --device iphone-13 --space space.json --db x.db >/dev/null 2>&1
sqlite3 x.db "INSERT INTO measurement (model, load_ns, init_ns, decode_ns) VALUES
    ('mobilellm-125m', 9e6, 8e6, 7e6), ('mobilellm-125m', 3e6, 2e6, 1e6), ('opt-125m', 5e6, 5e6, 5e6)"
lathe reproduce latency --db x.db --json >claims.json
sqlite3 :memory: "
    SELECT json_extract(value, '$.what'), json_extract(value, '$.measured')
    FROM json_each(CAST(readfile('claims.json') AS TEXT))
    WHERE json_extract(value, '$.measured') IS NOT NULL"
lathe reproduce latency --db nothing.db || echo "exit $?"
lathe reproduce speed || echo "exit $?"
