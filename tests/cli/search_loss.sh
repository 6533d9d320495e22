# What losses are compared by is said, stored, and the same when a run is repeated from its row.
cat >space.json <<'END2'
{"d_model": [128, 256], "d_head": [64], "n_kv_heads": [1], "d_ff": [384], "vocab_size": [1000, 2000],
 "tie_embeddings": [true], "sharing": ["none", {"mode": "immediate", "repeats": 2}], "dtype": ["f16", "q8_0", "q4_0"]}
END2
echo "-- a reference for each vocabulary"
lathe search --budget 1M+-20% --device iphone-13 --space space.json --db x.db --recipe gemstones --tokens-per-param 20 >/dev/null
sqlite3 x.db "SELECT vocab_size, dtype, count(*), min(loss_delta_nats) FROM candidate GROUP BY 1, 2"
sqlite3 x.db "SELECT count(*) FROM candidate WHERE (quality_outside LIKE '%type%') <> (dtype = 'q4_0')"
sqlite3 x.db "SELECT law_id, recipe, train_tokens, reference FROM run"
echo "-- a reference by name: of its vocabulary only"
lathe search --budget 1M+-20% --device iphone-13 --space space.json --db x.db --reference 1:0 --keep front >/dev/null
sqlite3 x.db "SELECT vocab_size, loss_delta_nats IS NULL, count(*) > 0 FROM candidate WHERE run_id = 2 GROUP BY 1, 2"
sqlite3 x.db "SELECT law_id, recipe, train_tokens, reference FROM run WHERE id = 2"
sqlite3 x.db "SELECT count(*) FROM law"
echo "-- a reference that nobody can be held against"
lathe search --budget 1M+-20% --device iphone-13 --space space.json --db x.db --reference mobilellm-125m >/dev/null
sqlite3 x.db "SELECT count(loss_delta_nats), count(quality_outside) FROM candidate WHERE run_id = 3"
echo "-- resumed"
sqlite3 x.db "UPDATE run SET finished = 0, position = 0 WHERE id = 1; CREATE TABLE was AS SELECT * FROM candidate WHERE run_id = 1;
    DELETE FROM candidate WHERE run_id = 1"
lathe search --resume 1 --db x.db >/dev/null
sqlite3 x.db "SELECT count(*) > 10 FROM was; SELECT * FROM was EXCEPT SELECT * FROM candidate WHERE run_id = 1"
lathe search --resume 1 --tokens 2T --db x.db
echo "exit $?"
