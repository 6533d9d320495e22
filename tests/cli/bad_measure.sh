cat >tiny.json <<'END'
{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":160,"vocab_size":300,"max_position_embeddings":128,"tie_word_embeddings":true}
END
try() {
    lathe measure "$@"
    echo "exit $?"
}
try tiny.json --threads 0
try tiny.json --threads 1,2,
try tiny.json --prompt 0
try tiny.json --context 128
try tiny.json --error 2
try tiny.json --budget-time 3
try tiny.json --cold --warm
try tiny.json --context 8 --prompt 8 --dtype q3_k
try rwkv-4-169m --context 8
try
sed 's/"num_hidden_layers":2/"num_hidden_layers":65000/; s/"hidden_size":64/"hidden_size":16384/' tiny.json >huge.json
try huge.json --context 8 --prompt 8
lathe export gguf tiny.json --out x.gguf
lathe generate x.gguf
lathe generate x.gguf --tokens 1,300
lathe generate x.gguf --tokens 1,x
lathe generate x.gguf --tokens 1,2 --count 127
printf 'GGUF' >short.gguf
try short.gguf
