name=$(printf '%05000d' 0)
lathe search --budget 125M --device iphone-13 --db "$name"
echo "exit $?"
ls
