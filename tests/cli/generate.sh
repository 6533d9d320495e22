# The likeliest tokens are the same however they are asked for, and as sure.
cat >tiny.json <<'CONFIG'
{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":160,"vocab_size":300,"max_position_embeddings":128,"tie_word_embeddings":true}
CONFIG
lathe generate tiny.json --seed 5 --tokens 1,2,3 --count 6 --isa portable >text
lathe generate tiny.json --seed 5 --tokens 1,2,3 --count 6 --isa portable --threads 2 --json >json
tr -d ' \n' <json | sed 's/.*"tokens":\[\([0-9,]*\)\].*/\1/' | tr ',' ' ' >tokens
echo >>tokens
diff text tokens && wc -w <tokens | tr -d ' '
tr -d ' \n' <json | sed 's/.*"margins":\[\([^]]*\)\].*/\1/' | tr ',' '\n' | awk '{ n += $1 >= 0 } END { print n " margins" }'
lathe export gguf tiny.json --seed 5 --dtype q8_0 --out tiny.gguf
lathe generate tiny.gguf --tokens 7 --count 3 --isa portable | wc -w | tr -d ' '
