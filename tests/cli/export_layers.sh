# Layers that differ, taken away as the architecture that holds them.
model() { # NAME MODEL_TYPE BLOCKS
    cat >"$1.json" <<END
{"model_type": "$2", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2,
 "num_key_value_heads": 1, "head_dim": 32, "intermediate_size": 96, "vocab_size": 300,
 "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "tie_word_embeddings": true,
 "lathe_blocks": [$3]}
END
}
narrow='{"mixer": "attention", "n_heads": 2, "n_kv_heads": 1, "d_head": 32, "window": 0, "d_ff": 96}'
wide='{"mixer": "attention", "n_heads": 4, "n_kv_heads": 4, "d_head": 32, "window": 0, "d_ff": 160}'
windowed='{"mixer": "attention", "n_heads": 4, "n_kv_heads": 2, "d_head": 32, "window": 8, "d_ff": 96}'
none='{"mixer": "none", "d_ff": 64}'
model heads llama "$narrow, $none, $wide"
model norms qwen3 "$narrow, $wide, $wide"
model windows llama "$narrow, $windowed, $narrow"
for name in heads norms windows; do
    lathe export gguf $name.json --dtype q8_0 --out $name.gguf
    lathe inspect $name.json | grep parameters
    lathe inspect $name.gguf | grep -E '^(family|layers differ|parameters)'
    lathe generate $name.gguf --tokens 1,5,9 --count 4 >/dev/null && echo "runs"
done

echo "config.json:"
model deci llama "$narrow, {\"mixer\": \"none\", \"d_ff\": 512}, {\"mixer\": \"attention\", \"n_heads\": 2, \"n_kv_heads\": 2, \"d_head\": 32, \"window\": 8, \"d_ff\": 256}"
sed -i 's/"d_ff": 96/"d_ff": 768/' deci.json
for name in deci norms heads; do
    lathe export hf $name.json --out $name-config.json
    grep -o '"model_type": [^,]*\|"lathe_blocks"\|"block_configs"\|"num_kv_heads": .*' $name-config.json
    lathe inspect $name.json | grep parameters
    lathe inspect $name-config.json | grep parameters
done

echo "what no architecture holds:"
model both llama "$narrow, $none, $windowed"
lathe export gguf both.json --out both.gguf
model first llama "$none, $narrow, $wide"
lathe export gguf first.json --out first.gguf
model sizes llama "$narrow, $wide, {\"mixer\": \"attention\", \"n_heads\": 2, \"n_kv_heads\": 1, \"d_head\": 16, \"window\": 0, \"d_ff\": 96}"
lathe export gguf sizes.json --out sizes.gguf
model rows llama "$narrow, $narrow, {\"mixer\": \"none\", \"d_ff\": 80}"
lathe export gguf rows.json --dtype q4_0 --out rows.gguf
lathe export gguf windows.json --no-expand --out refused.gguf
ls
