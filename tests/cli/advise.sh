lathe advise --budget 125M --device iphone-13
lathe advise --budget 125M --device rpi5 --max decode_ms=30 --max peak_mb=260 --out config.json
lathe inspect config.json --json | grep -c '"params_blocks"'
