lathe search --budget 125M --device iphone-13 --db x.db --keep front --limit 1 >/dev/null 2>&1
lathe show 7:1 --db x.db
