cat >config.json <<'END'
{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
 "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 1000, "rms_norm_eps": 1e-5,
 "tie_word_embeddings": true}
END
lathe inspect ./config.json --json | grep -E '"(params|params_embedding|params_blocks)"'
