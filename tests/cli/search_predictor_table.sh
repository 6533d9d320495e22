# A table of whole stacks and their scores in the place of a predictor: its front is what is not beaten.
cat >s.json <<'END2'
{"d_model": [128, 192], "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none"], "n_kv_heads": [1, 3], "d_ff": [256, 512]},
 "rules": {"first_full": true}}
END2
cat >predict.sh <<'END2'
while read -r line; do
    echo "-${#line}.5"
done
END2
search() {
    lathe search --space s.json --budget 2M..3M --device iphone-13 --db x.db --limit 3 "$@" 2>&1
}
search --predictor 'sh predict.sh' --evaluations 100 >/dev/null
sqlite3 -header -csv x.db "SELECT d_model, layers_text AS stack, -score AS loss FROM candidate" >t.csv

# Besides: one more inside the budget, one outside, and two that no network of the space has.
{ cat t.csv; echo '192,5F3/512,1'; echo '128,F1/256 4N/256,2'; echo '192,F9/77,1'; echo '64,5F1/256,1'; } >more.csv
search --predictor-table more.csv
sqlite3 x.db "SELECT id, method, finished FROM run"
sqlite3 x.db "SELECT d_model, layers, decode_ns, score FROM candidate WHERE run_id = 1
    EXCEPT SELECT d_model, layers, decode_ns, score FROM candidate WHERE run_id = 2"
lathe search --resume 2 --db x.db

# Which network a row is of, where several have it; columns that are missing; what does not go together.
printf 'stack,score\n5F1/256,1\n' >both.csv
search --predictor-table both.csv
echo "exit $?"
printf 'stack,value\n5F1/256,1\n' >none.csv
search --predictor-table none.csv
echo "exit $?"
printf 'stack,score\n5F7/99,1\n' >other.csv
search --predictor-table other.csv
echo "exit $?"
printf 'd_model,stack,score\n192,5F1/256,well\n' >text.csv
search --predictor-table text.csv
echo "exit $?"
search --predictor-table t.csv --predictor 'sh predict.sh'
echo "exit $?"
search --predictor-table t.csv --scores t.csv
echo "exit $?"
search --predictor-table missing.csv
echo "exit $?"
sqlite3 x.db "SELECT count(*) FROM run"
