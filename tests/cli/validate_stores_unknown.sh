# What a run does not tell is NULL in the store, not 0.
cat >t.csv <<'END'
model,type,prompt,depth,threads,prefill_tok_s,decode_tok_s
qwen2.5-1.5b,q8_0,512,64,4,21.93,5.793
qwen2.5-1.5b,q8_0,512,64,4,21.85,5.801
qwen2.5-3b,q8_0,512,64,4,10.47,2.939
llama-3.2-1b,q8_0,512,64,4,,7.15
END
lathe validate --device rpi5 --timings t.csv --db t.db >/dev/null
sqlite3 -header -nullvalue NULL t.db 'SELECT verb, device, budget_min, budget_max, threads, prompt,
    context, total, seed, finished FROM run'
sqlite3 t.db 'SELECT DISTINCT device FROM prediction'
