# Predictors that end, keep silent or answer what is no score; one line each, and nothing is stored.
cat >s.json <<'END2'
{"d_model": 192, "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none"], "n_kv_heads": [1, 3], "d_ff": [256, 512]}}
END2
try() {
    lathe search --space s.json --budget 2M..3M --device iphone-13 --db x.db "$@" 2>&1 |
        grep -v 'stacks, of'
}
try --predictor 'exit 3' --evaluations 80
try --predictor 'head -n 7 >/dev/null; echo 1; exit 4' --evaluations 80
try --predictor 'no-such-program 2>/dev/null' --evaluations 80
try --predictor 'kill -9 $$' --evaluations 80
try --predictor 'while read -r line; do echo nan; done' --evaluations 80
try --predictor 'while read -r line; do echo "0.5 nats"; done' --evaluations 80
try --predictor 'while read -r line; do echo; done' --evaluations 80
try --predictor 'while read -r line; do echo 1e300; done' --evaluations 80
try --predictor 'yes 1' --evaluations 80
try --predictor 'tr -d "\n"' --evaluations 80 | cut -c 1-80
try --predictor 'sleep 9' --evaluations 80 --predictor-timeout 1
lathe search --space s.json --budget 2M..3M --device iphone-13 --db x.db --predictor 'exit 3' >/dev/null 2>&1
echo "exit $?"

# A table of what does not add up.
printf 'place,layer,score\nall,2F1/256,1\n' >pairs.csv
try --scores pairs.csv

# Options that do not go together.
try --predictor cat --minimize decode_ns,params
try --predictor cat --scores s.csv
try --predictor cat --exact
try --predictor cat --eps 0.1
try --predictor cat --method tabu
try --predictor cat --evaluations 0
try --evaluations 10
try --seed 2
lathe search --budget 125M --device iphone-13 --predictor cat 2>&1
echo "exit $?"
[ -e x.db ] && sqlite3 x.db 'SELECT count(*) FROM run'
