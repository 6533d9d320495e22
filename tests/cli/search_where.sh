lathe search --budget 125M --device iphone-13 --where 'n_layers=30 and d_model=576' \
    --where 'sharing=none' --db x.db >/dev/null 2>&1
lathe top --by id --limit 0 --db x.db --json |
    grep -E '"(n_heads|n_kv_heads|d_ff|params)"' | tr -d ' \n'
