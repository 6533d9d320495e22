cat >small.json <<'END'
{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
 "num_key_value_heads": 2, "intermediate_size": 96, "vocab_size": 300, "max_position_embeddings": 128}
END
lathe export hf small.json --out config.json
lathe inspect config.json --json | grep -E '"(n_layers|d_model|n_kv_heads|vocab_size|tie_embeddings)"'
lathe export gguf config.json --out small.gguf
lathe export hf small.gguf | cmp - config.json && echo "the same by way of GGUF"
lathe export hf small.json --seed 3
echo "exit $?"
