# A killed search goes on where it was: the same rows and the same front as one that was not.
lathe search --budget 100M..200M --device iphone-13 --db x.db >/dev/null 2>&1
lathe search --budget 100M..200M --device iphone-13 --db x.db >/dev/null 2>&1 &
while ! sqlite3 x.db 'SELECT position FROM run WHERE id = 2' 2>/dev/null | grep -q '[1-9]'; do sleep 0.01; done
kill -KILL $!
wait $! 2>/dev/null
lathe search --resume latest --db x.db --limit 1 >/dev/null 2>&1 || echo "the kill came too late"
lathe top --run 1 --by id --limit 0 --db x.db --json | grep -v -E '"(ref|run_id)"' >one
lathe top --run 2 --by id --limit 0 --db x.db --json | grep -v -E '"(ref|run_id)"' >two
cmp one two && echo the same rows
lathe search --resume 2 --db x.db 2>&1
lathe search --resume 1 --budget 125M --db x.db 2>&1
