lathe plot phases mobilellm-125m --device iphone-13 --out x.gif
echo "exit $?"
ls
