cat >runs.csv <<"CSV"
recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,train_tokens,val_loss
mine,512,16,8,8,64,2000000000,3.6
CSV
lathe quality fit runs.csv --out mine.json
