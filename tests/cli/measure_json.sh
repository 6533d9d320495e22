cat >tiny.json <<'END'
{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":160,"vocab_size":300,"max_position_embeddings":128,"tie_word_embeddings":true}
END
lathe measure tiny.json --prompt 4,8 --context 16 --budget-time 1ms --error 1 --db x.db --json 2>/dev/null >rows.json
grep -c '"model"' rows.json
grep -o '"[a-z0-9_]*":' rows.json | sort -u | tr -d '":' | tr '\n' ' '
echo
lathe generate tiny.json --tokens 1,2,3 --count 4 --isa portable | wc -w | tr -d ' '
