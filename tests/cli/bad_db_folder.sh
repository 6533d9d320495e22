lathe search --budget 125M --device iphone-13 --db no/such/folder/x.db
echo "exit $?"
ls
