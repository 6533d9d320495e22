# A killed search goes on where it was: the same rows and the same front as one that was not.
lathe search --budget 100M..130M --device iphone-13 --db x.db >/dev/null 2>&1
lathe search --budget 100M..130M --device iphone-13 --db x.db >/dev/null 2>&1 &
while ! sqlite3 x.db 'SELECT position FROM run WHERE id = 2' 2>/dev/null | grep -q '[1-9]'; do sleep 0.01; done
kill -KILL $!
wait $! 2>/dev/null
lathe search --resume latest --db x.db --limit 1 >/dev/null 2>&1 || echo "the kill came too late"
for run in 1 2; do
    sqlite3 x.db "SELECT id, n_layers, d_model, d_ff, sharing, repeats, decode_ns, ttft_cold_ns, on_front, loss_delta_nats,
            loss_delta_low_nats, loss_delta_high_nats, quality_outside
        FROM candidate WHERE run_id = $run ORDER BY id" >rows.$run
done
cmp rows.1 rows.2 && [ -s rows.1 ] && echo the same rows
lathe search --resume 2 --db x.db 2>&1
lathe search --resume 1 --budget 125M --db x.db 2>&1
