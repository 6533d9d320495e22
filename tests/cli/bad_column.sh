lathe search --budget 125M --device iphone-13 --db x.db --keep front --limit 1 >/dev/null 2>&1
lathe top --db x.db --by decode_nss
