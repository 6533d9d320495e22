# An exact search is in the database from its start: Ctrl-C or a kill leaves a run that starts again and
# finds the same front.
cat >s.json <<'END'
{"d_model": 576, "d_head": 64, "n_layers": 20, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 256}, "none"], "n_kv_heads": [1, 3, 9],
            "d_ff": [512, 768, 1024, 1280, 1536, 1792, 2048, 2560]}}
END
cat >t.json <<'END'
{"d_model": [448, 576], "d_head": 64, "n_layers": 24, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", "none"], "n_kv_heads": [1], "d_ff": [512, 1536, 2048, 2560]}}
END
# stop SIGNAL SPACE OBJECTIVES: once the run is there
stop() {
    runs=$(sqlite3 x.db 'SELECT count(*) FROM run' 2>/dev/null || echo 0)
    lathe search --space $2 --budget 90M..110M --device iphone-13 --minimize $3 --maximize score --db x.db >/dev/null 2>err &
    while ! sqlite3 x.db "SELECT count(*) > ${runs:-0} FROM run" 2>/dev/null | grep -q 1; do sleep 0.01; done
    kill -$1 $!
    wait $! 2>/dev/null
    echo $?
}
stop INT s.json decode_ns,prefill_ns,kv_bytes
sed -n '/interrupted/p' err
stop KILL t.json decode_ns
sqlite3 x.db 'SELECT id, method, finished, n_candidates, ended_at IS NULL FROM run'
lathe search --resume latest --db x.db --limit 1 >/dev/null 2>&1 || echo 'not resumed'
lathe search --space t.json --budget 90M..110M --device iphone-13 --db x.db --limit 1 >/dev/null 2>&1
sqlite3 x.db 'SELECT id, finished, n_candidates > 10 FROM run WHERE id > 1'
for run in 2 3; do
    sqlite3 x.db "SELECT id, layers, decode_ns, score, on_front FROM candidate WHERE run_id = $run ORDER BY id" >rows.$run
done
cmp rows.2 rows.3 && echo the same rows
