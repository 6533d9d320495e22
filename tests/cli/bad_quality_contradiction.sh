cat >runs.csv <<"CSV"
recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,val_loss
mine,512,16,8,8,64,1536,32000,2000000000,3.6
mine,512,16,8,8,64,1536,32000,4000000000,3.5
mine,512,16,8,8,64,1536,32000,8000000000,3.4
mine,512,16,8,8,64,1536,32000,8000000000,3.0
CSV
lathe quality fit runs.csv | grep mine
