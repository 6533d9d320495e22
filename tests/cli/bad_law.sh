# An unknown recipe, files that are no law, references that cannot be one: nothing is written.
lathe search --budget 125M --device iphone-13 --recipe gemstone --db x.db
echo "exit $?"
lathe predict mobilellm-125m --device iphone-13 --recipe '???'
echo "exit $?"
echo '{"format": "lathe-quality-law", "version": 1' >broken.json
lathe search --budget 125M --device iphone-13 --law broken.json --db x.db
echo "exit $?"
echo '{}' >empty.json
lathe predict mobilellm-125m --device iphone-13 --law empty.json
echo "exit $?"
lathe predict mobilellm-125m --device iphone-13 --law absent.json
echo "exit $?"
lathe search --budget 125M --device iphone-13 --reference rwkv-4-169m --db x.db
echo "exit $?"
lathe search --budget 125M --device iphone-13 --reference nobody --db x.db
echo "exit $?"
ls
