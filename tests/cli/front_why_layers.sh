# The front of stacks whose layers differ: knee, representatives, and the exact front with a looser bound.
cat >s.json <<'END'
{"d_model": [128, 192], "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none"], "n_kv_heads": [1, 3], "d_ff": [256, 512]},
 "rules": {"first_full": true}}
END
cat >scores.csv <<'END'
place,layer,loss
all,N/256,0.9
all,N/512,0.8
all,F1/256,0.5
all,F1/512,0.45
all,F3/256,0.4
all,F3/512,0.3
all,W1/256,0.6
all,W1/512,0.55
all,W3/256,0.5
all,W3/512,0.4
END
sed 's/\[128, 192\]/192/' s.json >one.json
lathe search --space one.json --budget 2010000..2070000 --device iphone-13 --db x.db --scores scores.csv >/dev/null 2>&1
lathe front --db x.db --why --pick 3 --limit 1 | tail -n +4
lathe front --db x.db --why --pick 3 --limit 1 | tail -n +4 | awk 'length > 80'
lathe front --db x.db --why --json >why.json
# Of the bound $1, with the budget $2: gains at the place of the knee and at the ends.
compare() {
    rm -f y.db
    lathe search --space one.json --budget $2 --device iphone-13 --db y.db --scores scores.csv >/dev/null 2>&1
    sqlite3 y.db "ATTACH 'x.db' AS x; WITH why AS (SELECT readfile('why.json') AS j),
        knee AS (SELECT json_extract(j, '\$.knee.values.decode_ns') AS d, json_extract(j, '\$.knee.values.score') AS s FROM why),
        bound AS (SELECT value AS b FROM why, json_each(j, '\$.bounds') WHERE json_extract(value, '\$.bound') = '$1'),
        new AS (SELECT decode_ns AS d, score AS s FROM main.candidate), old AS (SELECT decode_ns AS d, score AS s FROM x.candidate)
        SELECT '$1', json_extract(b, '\$.loosened'),
            abs(json_extract(b, '\$.gain_at_knee.score') + s - (SELECT max(s) FROM new WHERE d <= knee.d)) < 1e-9,
            abs(json_extract(b, '\$.gain_at_knee.decode_ns') - d + (SELECT min(d) FROM new WHERE s >= knee.s)) < 1e-3,
            abs(json_extract(b, '\$.gain_at_best.score') - (SELECT max(s) FROM new) + (SELECT max(s) FROM old)) < 1e-9,
            abs(json_extract(b, '\$.gain_at_best.decode_ns') - (SELECT min(d) FROM old) + (SELECT min(d) FROM new)) < 1e-3
        FROM bound, knee"
}
compare budget_max 2010000..2173500
compare budget_min 1909500..2070000
