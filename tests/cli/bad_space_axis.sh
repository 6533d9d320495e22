printf '{"d_mdel": [512]}\n' >space.json
lathe search --budget 125M --device iphone-13 --space space.json
echo "exit $?"
ls
