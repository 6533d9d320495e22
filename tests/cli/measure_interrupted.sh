cat >tiny.json <<'END'
{"model_type":"llama","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":160,"vocab_size":300,"max_position_embeddings":256,"tie_word_embeddings":true}
END
lathe measure tiny.json --error 0.0000001 --budget-time 600s --db x.db >table &
# until it has computed for a second, which is many passes of so small a network
while [ "$(cut -d' ' -f14 /proc/$!/stat)" -lt 100 ]; do sleep 0.1; done
kill -INT $!
wait $!
echo $?
grep -c tiny table
