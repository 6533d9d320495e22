lathe search --budget 100M..10B --device iphone-13 --db x.db &
sleep 1
kill -INT $!
wait $!
echo $?
lathe top --db x.db --limit 1 --json | grep -c '"ref"'
