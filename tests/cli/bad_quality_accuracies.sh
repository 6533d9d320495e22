cat >runs.csv <<"CSV"
recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,avg_accuracy
mine,512,16,8,8,64,1536,32000,2000000000,44.1
CSV
lathe quality validate runs.csv
