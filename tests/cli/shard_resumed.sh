# A killed part goes on where it was, and is then what it would have been.
budget=100M..200M
rows() {
    sqlite3 "$1.db" "SELECT * FROM candidate ORDER BY id"
}
for i in 1 2; do
    lathe search --budget $budget --device iphone-13 --shard $i/2 --db $i.db >/dev/null 2>&1
done
lathe search --budget $budget --device iphone-13 --shard 2/2 --db killed.db >/dev/null 2>&1 &
while ! sqlite3 killed.db 'SELECT position FROM run' 2>/dev/null | grep -q '[1-9]'; do sleep 0.01; done
kill -KILL $!
wait $! 2>/dev/null
lathe merge out.db 1.db killed.db 2>&1
lathe search --resume latest --db killed.db --limit 1 >/dev/null 2>&1 || echo "the kill came too late"
rows 2 >2.rows; rows killed >killed.rows
cmp 2.rows killed.rows && [ -s 2.rows ] && echo the same rows
lathe merge out.db 1.db killed.db --limit 1 >/dev/null 2>&1 && sqlite3 out.db 'SELECT finished, n_candidates = total FROM run'
