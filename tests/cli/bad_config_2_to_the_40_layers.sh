cat >config.json <<'END'
{"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1099511627776,
 "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 1000}
END
lathe inspect ./config.json
