lathe search --budget 1K --device iphone-13
echo "exit $?"
ls
