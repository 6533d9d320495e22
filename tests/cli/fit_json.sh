# As JSON: each row with its fit, the terms, and the error with networks held out.
cat >t.csv <<'CSV'
model,type,prompt,depth,threads,prefill_tok_s,decode_tok_s
qwen2.5-1.5b,q8_0,512,64,4,21.93,5.793
qwen2.5-3b,q8_0,512,64,4,10.47,2.939
llama-3.2-1b,q8_0,512,64,4,,7.15
CSV
lathe fit t.csv --device rpi5 --name "my board" --out board.json --json >fit.json
sqlite3 :memory: "
    SELECT 'rows', json_array_length(fit, '$.rows'), json_extract(fit, '$.rows[0].model') FROM (SELECT CAST(readfile('fit.json') AS TEXT) AS fit);
    SELECT 'error', json_extract(value, '$.n') FROM json_each((SELECT CAST(readfile('fit.json') AS TEXT)), '$.errors')"
