lathe advise --device iphone-13
echo $?
lathe advise --budget 125M
echo $?
lathe advise --budget 125M --device iphone-31
echo $?
lathe advise --budget 125M --device iphone-13 --max deocde_ms=8
echo $?
lathe advise --budget 125M --device iphone-13 --max decode_ms
echo $?
lathe advise --budget 125M --device iphone-13 --max decode_ms=fast
echo $?
lathe advise --budget 125M --device iphone-13 --max dtype=q4_0
echo $?
lathe advise --budget 125M --device iphone-13 --max decode_ms=8
echo $?
lathe advise --budget 125M --device iphone-13 --max decode_ms=9.485 2>/dev/null | head -c 30
echo
lathe advise --budget 1000..2000 --device iphone-13
echo $?
lathe advise --budget 125M --device iphone-13 --tokens 0
echo $?
lathe advise --budget 125M --device iphone-13 --tokens 1T --tokens-per-param 20
echo $?
lathe advise --budget 125M --device iphone-13 --recipe morhp
echo $?
lathe advise --budget 125M --device iphone-13 --gpu b200
echo $?
echo '{"vocab_size": [32000, 49152]}' >two.json
lathe advise --budget 125M --device iphone-13 --space two.json
echo $?
lathe advise --budget 125M --device iphone-13 --reference opt-125m
echo $?
lathe advise --budget 125M --device iphone-13 --out /nowhere/config.json >/dev/null
echo $?
