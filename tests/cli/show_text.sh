cat >space.json <<'JSON'
{"d_model": [128], "d_head": [64], "n_kv_heads": [1], "d_ff": [384], "vocab_size": [1000],
 "tie_embeddings": [true], "sharing": ["none"]}
JSON
lathe search --budget 1M+-20% --device iphone-13 --space space.json --db x.db >/dev/null 2>&1
lathe show 1:0 --db x.db | sed -E 's/\([0-9-]+T[0-9:]+Z\)/(then)/'
lathe show 1:99 --db x.db || echo "exit $?"
lathe show 99 --db x.db || echo "exit $?"
