# Parts of a search that were done apart are, put together, the search that is done at once.
rows() {
    sqlite3 "$1" 'SELECT * FROM candidate ORDER BY key'
}
run() {
    sqlite3 -line "$1" "SELECT * FROM run" | grep -v -E '^ *(command|started_at|ended_at) ='
}
lathe search --budget 125M --device iphone-13 --db one.db --limit 2 >front 2>/dev/null
for n in 2 3; do
    parts=
    for i in $(seq $n); do
        lathe search --budget 125M --device iphone-13 --shard $i/$n --db $i.db >/dev/null 2>&1
        parts="$parts $i.db"
    done
    echo "-- $n parts"
    lathe merge out.db $parts --limit 2 2>said | cmp - front && [ -s front ] && echo the same front
    grep 'rows of' said
    rows one.db >one; rows out.db >out; cmp one out && [ -s out ] && echo the same rows
    run one.db >one; run out.db >out; cmp one out && [ -s out ] && echo the same run
    sqlite3 one.db 'SELECT * FROM published' >one; sqlite3 out.db 'SELECT * FROM published' >out; cmp one out
    [ $n = 3 ] && sqlite3 1.db 'SELECT shard, n_shards, parts, total, finished FROM run'
    ls
    rm -f out.db $parts
done

# Parts that keep the best alone visit no rows on the way.
for keep in front top:50; do
    echo "-- $keep"
    rm -f ./*.db
    lathe search --budget 125M --device iphone-13 --keep $keep --where 'decode_ms<20' --db one.db >/dev/null 2>&1
    for i in 1 2 3; do
        lathe search --budget 125M --device iphone-13 --keep $keep --where 'decode_ms<20' --shard $i/3 --db $i.db >/dev/null 2>&1
    done
    lathe merge out.db 1.db 2.db 3.db >/dev/null 2>&1
    rows one.db >one; rows out.db >out; cmp one out && [ -s out ] && echo the same rows
done
