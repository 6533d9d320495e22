lathe search --budget 100M..10B --device iphone-13 --db x.db &
while ! sqlite3 x.db 'SELECT position FROM run' 2>/dev/null | grep -q '[1-9]'; do sleep 0.01; done
kill -INT $!
wait $!
echo $?
lathe top --db x.db --limit 1 --json | grep -c '"ref"'
