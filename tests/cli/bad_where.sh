lathe search --budget 125M --device iphone-13 --where 'decode_mss<20'
echo "exit $?"
ls
