cat >runs.csv <<'CSV'
recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,val_loss
mine,256,24,4,4,64,768,32000,5000000000,3.62
mine,512,12,8,8,64,1536,32000,5000000000,3.35
mine,512,24,8,8,64,1536,32000,20000000000,3.02
CSV
cat >more.csv <<'CSV'
recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,val_loss
mine,768,16,12,12,64,2048,32000,20000000000,2.95
mine,512,36,8,8,64,1536,32000,20000000000,2.94
mine,1024,9,16,16,64,2816,32000,20000000000,2.99
CSV
lathe quality fit runs.csv --out mine.json | grep mine
lathe quality validate more.csv --law mine.json
lathe quality validate more.csv --law mine.json --json |
    grep -c -e '"predicted"' -e '"probability"' -e '"total_order_frac"'
lathe quality fit runs.csv --law mine.json | grep "^mine .* 3 "
