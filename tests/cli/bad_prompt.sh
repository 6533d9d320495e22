lathe search --budget 125M --device iphone-13 --prompt 4096
echo "exit $?"
ls
