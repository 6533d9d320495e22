# One small network, predicted, timed here, stored, drawn, and its error written into the profile.
cat >tiny.json <<'JSON'
{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,
 "num_key_value_heads":2,"intermediate_size":160,"vocab_size":300,"max_position_embeddings":128,
 "tie_word_embeddings":true}
JSON
cp "$CASES/../../data/devices/rpi5.json" here.json
lathe validate tiny.json --device ./here.json --threads 1 --minutes 0 --prompt 4 --context 16 --json \
    --db x.db --figures here --update-profile >v.json 2>notes || cat notes
grep -o '^  "[a-z_]*":' v.json | tr -d '":'
sqlite3 x.db 'SELECT clock, model, prompt, context FROM prediction ORDER BY clock;
    SELECT model, decode_ns > 0 FROM measurement'
grep -c 'lathe validate, .*: decode of 1 networks' here.json
ls *.svg
lathe validate tiny.json --device rpi5 --update-profile || echo "exit $?"
lathe validate tiny.json --device rpi5 --networks 9 || echo "exit $?"
lathe validate tiny.json || echo "exit $?"
