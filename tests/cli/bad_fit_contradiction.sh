printf 'model,type,decode_tok_s\nqwen2.5-1.5b,q8_0,5.8\nqwen2.5-1.5b,q8_0,9.1\nqwen2.5-3b,q8_0,3\n' >t.csv
lathe fit t.csv --device rpi5 --out board.json
