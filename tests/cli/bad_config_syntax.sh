printf '{\n  "model_type": "llama",\n  "hidden_size": 576,,\n}\n' >config.json
lathe inspect ./config.json
