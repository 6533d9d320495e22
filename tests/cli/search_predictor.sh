# A front by a predictor: a program that answers each architecture with a score that is no sum over layers.
cat >s.json <<'END2'
{"d_model": [128, 192], "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none"], "n_kv_heads": [1, 3], "d_ff": [256, 512]},
 "rules": {"first_full": true}}
END2
cat >predict.sh <<'END2'
while read -r line; do
    printf '%s\n' "$line" >>seen
    echo "-${#line}.5"
done
END2
search() {
    lathe search --space s.json --budget 2M..3M --device iphone-13 --db x.db --predictor 'sh predict.sh' \
        --evaluations 200 --limit 3 "$@" 2>&1
}
search
search --jobs 1 >/dev/null
search --method nsga2 --jobs 1
search --method nsga2 --jobs 3 >/dev/null
search --seed 2 --where 'score >= -300' >/dev/null

# What it was told of the first one; with equal seeds the same ones were asked about, each once.
sed -n 1p seen
sed -n 1,200p seen | sort -u >once
sed -n 201,400p seen | sort -u | cmp - once && grep -c . once
sqlite3 x.db "SELECT id, method, eps, scores, finished FROM run"
sqlite3 x.db "SELECT count(*) FROM (SELECT layers, decode_ns, score FROM candidate WHERE run_id = 1
    EXCEPT SELECT layers, decode_ns, score FROM candidate WHERE run_id = 2);
    SELECT count(*) FROM (SELECT layers, decode_ns, score FROM candidate WHERE run_id = 3
    EXCEPT SELECT layers, decode_ns, score FROM candidate WHERE run_id = 4)"
sqlite3 x.db "SELECT count(*) FROM candidate WHERE run_id = 5 AND score < -300"

# Stored equals predicted to the last digit.
lathe show 1:1 --db x.db --json | grep -E '"(decode_ns|prefill_ns|peak_bytes)"' >stored
lathe predict 1:1 --db x.db --device iphone-13 --json 2>/dev/null |
    grep -E '"(decode_ns|prefill_ns|peak_bytes)"' | sed 's/^  //' >predicted
[ -s stored ] && cmp stored predicted && echo as predicted
lathe search --resume 1 --db x.db 2>&1
