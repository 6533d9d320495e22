printf 'model,type,decode_tok_s\nqwen2.5-1.5b,q8_0,5.8\nqwen2.5-1.5b,q4_0,9.1\n' >t.csv
lathe fit t.csv --device rpi5 --out board.json
status=$?
test -e board.json && echo written
exit $status
