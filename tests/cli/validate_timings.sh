cat >t.csv <<'END'
model,type,prompt,depth,threads,prefill_tok_s,decode_tok_s
qwen2.5-1.5b,q8_0,512,64,4,21.93,5.793
qwen2.5-1.5b,q8_0,512,64,4,21.85,5.801
qwen2.5-3b,q8_0,512,64,4,10.47,2.939
llama-3.2-1b,q8_0,512,64,4,,7.15
END
lathe fit t.csv --device rpi5 --name "my board" --out board.json >fit.txt
lathe validate --device ./board.json --timings t.csv --figures board | tr -s ' ' | sed 's,[0-9][0-9.]*,N,g'
ls *.svg
