# Where a decoded token's time goes: a table after the rows, one line a network, and keys in JSON.
cat >tiny.json <<'CONFIG'
{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":160,"vocab_size":300,"max_position_embeddings":128,"tie_word_embeddings":true}
CONFIG
lathe measure tiny.json --prompt 4,8 --context 16 --budget-time 1ms --error 1 --per-op 2>/dev/null | sed -n '/^one decoded token/,$p' >table
wc -l <table | tr -d ' '
sed -n 's/^model  *//p' table | tr -s ' '
lathe measure tiny.json --prompt 4 --context 16 --budget-time 1ms --error 1 --json 2>/dev/null >plain.json
lathe measure tiny.json --prompt 4 --context 16 --budget-time 1ms --error 1 --per-op --json 2>/dev/null >per_op.json
keys() { grep -o '"[a-z0-9_]*":' "$1" | sort -u; }
keys plain.json >plain
keys per_op.json | diff plain -
:
