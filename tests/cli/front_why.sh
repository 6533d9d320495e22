# What helps to decide on a front; what a looser bound is said to give is what the looser search finds.
lathe search --budget 125M --device iphone-13 --reference mobilellm-125m --where 'peak_mb<262' --db x.db --keep front \
    >/dev/null 2>&1
lathe front --db x.db --limit 1 2>/dev/null >rows
lathe front --db x.db --limit 1 --why 2>/dev/null >why
head -n 3 why | cmp - rows
tail -n +4 why
tail -n +4 why | awk 'length > 80'
echo "-- K of them"
lathe front --db x.db --limit 1 --pick 2 2>/dev/null | grep -c '^  1:'
lathe front --db x.db --pick 1 --json | grep -c '"ref"'

lathe front --db x.db --why --json >why.json
get() { sqlite3 :memory: "SELECT json_extract(readfile('why.json'), '$1')"; }
# Gains of the search with other bounds, at the place of the knee and at the ends, beside those that bound $1 says.
compare() {
    lathe search --device iphone-13 --reference mobilellm-125m --db y.db --keep front "$2" "$3" "$4" "$5" >/dev/null 2>&1
    sqlite3 y.db "ATTACH 'x.db' AS x; WITH why AS (SELECT readfile('why.json') AS j),
        knee AS (SELECT json_extract(j, '\$.knee.values.decode_ns') AS d, json_extract(j, '\$.knee.values.loss_delta_nats') AS l FROM why),
        said AS (SELECT json_extract(j, '\$.bounds[$1].gain_at_knee.decode_ns') AS d, json_extract(j, '\$.bounds[$1].gain_at_knee.loss_delta_nats') AS l,
            json_extract(j, '\$.bounds[$1].gain_at_best.decode_ns') AS bd, json_extract(j, '\$.bounds[$1].gain_at_best.loss_delta_nats') AS bl FROM why),
        new AS (SELECT decode_ns AS d, loss_delta_nats AS l FROM main.candidate WHERE on_front AND run_id = (SELECT max(id) FROM main.run)),
        old AS (SELECT decode_ns AS d, loss_delta_nats AS l FROM x.candidate WHERE on_front)
        SELECT abs(said.d - (knee.d - (SELECT min(d) FROM new WHERE l <= knee.l))) < 1,
            abs(said.l - (knee.l - (SELECT min(l) FROM new WHERE d <= knee.d))) < 1e-9,
            abs(said.bd - ((SELECT min(d) FROM old) - (SELECT min(d) FROM new))) < 1,
            abs(said.bl - ((SELECT min(l) FROM old) - (SELECT min(l) FROM new))) < 1e-9 FROM said, knee"
}
echo "-- $(get '$.bounds[0].bound') $(get '$.bounds[0].loosened')"
compare 0 --budget 122500000..133875000 --where 'peak_mb<262'
echo "-- $(get '$.bounds[1].bound') $(get '$.bounds[1].loosened')"
compare 1 --budget 116375000..127500000 --where 'peak_mb<262'
echo "-- $(get '$.bounds[2].bound') $(get '$.bounds[2].metric') $(get '$.bounds[2].loosened')"
compare 2 --budget 125M --where 'peak_mb<275.1'
echo "-- a part of the front, which nothing searches again; a part of a search; a profile that is gone"
lathe front --db x.db --why --limit 1 --where 'n_layers > 8' 2>/dev/null | grep -c 'not searched beyond: a part of the front is asked for'
lathe search --budget 125M --device iphone-13 --shard 1/2 --db z.db --keep front >/dev/null 2>&1
lathe front --db z.db --why --limit 1 2>/dev/null | grep 'not searched' | sort -u
sqlite3 x.db "PRAGMA foreign_keys = off; UPDATE device SET profile = NULL"
lathe front --db x.db --why --limit 1 2>/dev/null | grep -c 'not searched beyond'
lathe front --db x.db --why --where 'n_layers > 4000' --limit 1
