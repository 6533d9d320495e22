lathe search --budget 125M --device iphone-13 --tokens 0 --db x.db
echo "exit $?"
lathe predict mobilellm-125m --device iphone-13 --tokens-per-param 0
echo "exit $?"
lathe predict mobilellm-125m --device iphone-13 --tokens 1T --tokens-per-param 20
echo "exit $?"
lathe predict mobilellm-125m --device iphone-13 --tokens 1e12
echo "exit $?"
ls
