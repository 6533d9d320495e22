# label: slow
# Ctrl-C leaves nothing behind.
lathe calibrate --out here.json &
sleep 3
kill -INT $!
wait $!
echo "exit $?"
ls -A
