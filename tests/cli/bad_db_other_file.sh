echo 'this is a text, and longer than the header of a database file would be, which is 100' >notes
lathe search --budget 125M --device iphone-13 --db notes
echo "exit $?"
cat notes
