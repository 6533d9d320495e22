# label: slow
# Ctrl-C leaves nothing behind.
lathe calibrate --out here.json &
while [ "$(cut -d' ' -f14 /proc/$!/stat)" -lt 100 ]; do sleep 0.1; done # a second of its own
kill -INT $!
wait $!
echo "exit $?"
ls -A
