# What an exact search cannot do is refused, with what can be, before anything is stored.
space() {
    cat <<END
{"d_model": 192, "d_head": 64, "n_layers": $1, "vocab_size": 4096, "sharing": ["none"], "tie_embeddings": true,
 "layers": {"attention": ["full", {"window": 32}, "none"$2], "n_kv_heads": [1, 3], "d_ff": [256, 512]}, "rules": {$3}}
END
}
try() {
    lathe search --device iphone-13 --db x.db "$@" 2>&1
    echo "exit $?"
}
space 5 '' '' >s.json
space 5 ', "empty"' '' >e.json
space 5 '' '"first_full": true, "pattern": "N."' >r.json
echo 'place,layer,score
all,N/256,1
all,F9/256,1' >other.csv
echo 'place,layer,score
all,N/256,1' >short.csv
try --space r.json --budget 3M
try --space s.json --budget 125M
try --space s.json --budget 2M..3M --where 'decode_ns<10'
try --space e.json --budget 2M..3M
try --space s.json --budget 2M..3M --scores other.csv
try --space s.json --budget 2M..3M --scores short.csv
try --space s.json --budget 2M..3M --scores none.csv
try --space s.json --budget 2M..3M --minimize loss_delta_nats
try --space s.json --budget 2M..3M --minimize decode_ns,score
try --space s.json --budget 2M..3M --maximize params
try --space s.json --budget 2M..3M --where 'd_ff=256'
try --space s.json --budget 2M..3M --where 'decode_ms>2'
try --space s.json --budget 2M..3M --where 'kv_bytes=2'
try --space layers --budget 125M --keep all --minimize decode_ns,params
try --space s.json --budget 2M..3M --eps 2
try --space s.json --budget 2M..3M --tokens 1T
try --budget 125M --exact
try --budget 125M --scores short.csv
try --budget 125M --maximize score
try --budget 125M --where 'kv_bytes<2'
sqlite3 x.db 'SELECT count(*) FROM run'
