# Stacks that an exact search found, taken away: the family that holds a stack is chosen by it, and one that
# none holds is refused with the reason of each. simulate and predict take them too.
space() { # ATTENTION
    cat <<END
{"d_model": 256, "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": [$1], "n_kv_heads": [1, 2, 4], "d_ff": [256, 512]}, "rules": {"first_full": true}}
END
}
space '"full", "none"' >none.json
space '"full"' >full.json
space '"full", {"window": 32}' >windows.json
space '"full", {"window": 32}, "none"' >both.json
cat >scaled.json <<'END'
{"d_model": 256, "d_head": 32, "n_layers": 6, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "scaling": {"alpha_min": 0.5, "alpha_max": 1, "beta_min": [0.5, 0.75], "beta_max": 2, "groups": 2}}
END
for name in none full windows both scaled; do
    lathe search --space $name.json --budget 2.5M..4.5M --device iphone-13 --db x.db >/dev/null 2>&1 ||
        echo "$name: not found"
done
for run in 1 2 3 4 5; do
    echo "run $run:"
    sqlite3 x.db "SELECT layers_text, params FROM candidate WHERE run_id = $run AND id = 1"
    lathe export gguf $run:1 --db x.db --dtype q8_0 --out $run.gguf 2>&1 &&
        lathe inspect $run.gguf | grep -E '^(family|parameters|layers differ)'
    lathe generate $run.gguf --tokens 1,5,9 --count 4 >/dev/null 2>&1 && echo "runs"
    lathe export hf $run:1 --db x.db --out $run.json 2>&1 &&
        lathe inspect $run.json | grep -E '^(family|parameters|layers differ)'
done

echo "every figure of the first candidates, stored and predicted:"
keys='"(load|init|prefill|ttft_cold|decode|energy|peak|fits|weight|kv_bytes_per|params)[a-z_]*":'
figures() {
    lathe "$@" --json 2>/dev/null | tr ',' '\n' | grep -oE "$keys.*" | tr -d ' ' | sort
}
for id in $(sqlite3 x.db "SELECT run_id || ':' || id FROM candidate WHERE id < 3"); do
    figures show $id --db x.db >stored
    figures predict $id --db x.db --device iphone-13 >predicted
    cut -d: -f1 stored >stored_keys
    cut -d: -f1 predicted | sort | comm -12 - stored_keys >both_keys
    comm -12 stored predicted | cut -d: -f1 | cmp - both_keys || echo "$id differs"
done
cat both_keys
lathe simulate 1:1 --db x.db --device iphone-13 2>/dev/null | head -n 1 | cut -d' ' -f 1-4
