size() {
    lathe inspect "$@" --json | sed -n 's/.*"dtype": \("[^"]*"\).*/\1/p; s/.*\("weight_bytes": [0-9]*\).*/\1/p'
}
size qwen2.5-0.5b --dtype Q4_K_M
size llama-3.2-1b --dtype q4_k_m
size llama-3.2-1b --dtype q4_k
lathe export gguf mobilellm-125m --dtype Q4_K_M --out m.gguf
cat >space.json <<'END'
{"d_model": [96, 256], "n_heads": [4], "n_layers": {"from": 2, "to": 20}, "vocab_size": 1000, "dtype": ["q4_k", "Q4_K_M"]}
END
lathe search --space space.json --budget 4M --device rpi5 --keep all --db a.db >/dev/null 2>&1
smallest() {
    lathe top --db a.db --by weight_bytes --where "dtype = 'Q4_K_M'" --limit 1 --json
}
smallest | sed -n 's/.*"dtype": \("[^"]*"\).*/\1/p; s/.*\("weight_bytes": [0-9]*\).*/\1/p'
size "$(smallest | sed -n 's/.*"ref": "\([0-9:]*\)".*/\1/p')" --db a.db
