cat >shared.json <<'END'
{"model_type": "mobilellm", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
 "num_key_value_heads": 2, "intermediate_size": 96, "vocab_size": 300, "share_embedding": true,
 "layer_sharing": true, "max_position_embeddings": 128}
END
lathe export gguf shared.json --dtype q8_0 --out shared.gguf
lathe inspect shared.gguf --json | grep -E '"(n_layers|d_model|n_kv_heads|vocab_size|tie_embeddings|dtype)"'
lathe export gguf shared.json --no-expand --out refused.gguf
echo "exit $?"
lathe export gguf shared.json --seed 5 --out five.gguf 2>/dev/null
lathe export gguf shared.json --seed 5 --out same.gguf 2>/dev/null
cmp five.gguf same.gguf && echo "one seed, one file"
ls
