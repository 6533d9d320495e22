# /proc takes no files, not even from root.
lathe search --budget 125M --device iphone-13 --db /proc/x.db
