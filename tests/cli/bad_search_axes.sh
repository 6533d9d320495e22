# Axes that cannot be, tables of another space, and what a scaled space does not do: one line each, before
# anything is stored.
space() { # SCALING OTHERS
    cat <<END
{"d_model": 192, "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "scaling": {"alpha_min": 0.5, "alpha_max": 1, "beta_min": 1, "beta_max": 2$1}$2}
END
}
layers() { # RULES
    cat <<END
{"d_model": 192, "d_head": 64, "n_layers": 5, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none", "empty"], "n_kv_heads": [1, 3], "d_ff": 256}, "rules": {$1}}
END
}
try() {
    lathe search --device iphone-13 --db x.db "$@" 2>&1
    echo "exit $?"
}
space >s.json
space ', "groups": [0]' >groups.json
space '' ', "d_ff": 256' >d_ff.json
space '' ', "layers": {}' >both.json
echo '{"scaling": {"alpha_min": 1}}' >three.json
try --space groups.json --budget 2M
try --space d_ff.json --budget 2M
try --space both.json --budget 2M
try --space three.json --budget 2M
try --space s.json --budget 125M
try --space s.json --budget 2M..3M --keep all
try --space s.json --budget 2M..3M --exact
try --space s.json --budget 2M..3M --eps 0.1
try --space s.json --budget 2M..3M --shard 1/2
try --space s.json --budget 2M..3M --where 'decode_ns<10'
try --space s.json --budget 2M..3M --minimize loss_delta_nats
lathe advise --space s.json --budget 2M..3M --device iphone-13
echo "exit $?"

layers '"min_full": 6' >full.json
layers '"pattern": "FW", "equal_thirds": true' >thirds.json
layers '"pattern": "W", "max_windowed_run": 2, "first_full": true, "min_full": 1' >three.json
layers >l.json
echo '{"d_model": 100, "d_head": 64, "layers": {}, "n_layers": 4}' >empty.json
try --space full.json --budget 3M
try --space thirds.json --budget 3M --minimize decode_ns,params
try --space three.json --budget 3M
try --space empty.json --budget 3M
table() {
    (echo place,layer,score; printf '%s\n' "$@") >t.csv
    try --space l.json --budget 2M..3M --scores t.csv
}
table all,F1/512,1
table all,F1/256,1 5,F1/256,1
table all,F1/256,1 all,F1/256,2
table all,F1/256,1 all,F3/256,1 all,W1/256,1 all,W3/256,1 all,N/256,1
table all,F1/256,1 all,F3/256,1 all,W1/256,1 all,N/256,1 all,-,1 4,W3/256,1
table all,F1/256,much
try --space l.json --budget 2M..3M --scores /dev/null
echo '{"n_kv_heads": [{"ratio": 2}], "d_model": 576}' >ratio.json
echo '{"kv_dtype": ["f16", "f17"]}' >kv.json
try --space ratio.json --budget 125M
try --space kv.json --budget 125M
sqlite3 x.db 'SELECT count(*) FROM run'
