cat >space.json <<'END'
{"d_model": [128], "d_head": [64], "n_kv_heads": [1], "d_ff": [384], "vocab_size": [1000],
 "tie_embeddings": [true], "sharing": ["none"]}
END
lathe search --budget 1M+-20% --device iphone-13 --space space.json --db x.db --json |
    grep -E '"(n_layers|params|on_front)"' | tr -d ' '
lathe top --db x.db --by params --descending --limit 1 --json | grep '"n_layers"'
lathe front --db x.db --where 'n_layers > 4' --json | grep -c '"ref"'
lathe show 1:0 --db x.db --json | grep '"params"'
lathe inspect 1:0 --db x.db --json | grep '"params"'
lathe predict latest:0 --db x.db --device iphone-13 --json | grep '"model"'
