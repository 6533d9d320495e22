# Without the law that came along everything but losses goes on.
mkdir -p data/quality/law.json
cp -r "$CASES/../../data/devices" "$CASES/../../data/models" data/ 2>/dev/null
export LATHE_DATA=$PWD/data
echo '-- predict'
lathe predict mobilellm-125m mobilellm-350m --device iphone-13 --device rpi5 --json | grep -c '"loss_delta_nats": null'
echo '-- search by loss'
lathe search --budget 125M --device iphone-13 --db x.db 2>&1 | sed "s=$PWD=.="
lathe search --budget 125M --device iphone-13 --minimize decode_ns,params --where 'loss_delta_nats<0.1' --db x.db 2>&1 | sed "s=$PWD=.="
ls x.db 2>/dev/null
echo '-- search without'
lathe search --budget 125M --device iphone-13 --minimize decode_ns,params --db x.db >/dev/null
sqlite3 x.db 'SELECT finished, law_id, reference, sum(on_front) > 0, count(loss_delta_nats) FROM run JOIN candidate ON run.id = run_id'
sqlite3 x.db 'UPDATE run SET finished = 0, position = 0; DELETE FROM candidate'
lathe search --resume latest --db x.db >/dev/null
echo '-- what asks for losses'
lathe predict mobilellm-125m --device iphone-13 --recipe gemstones 2>&1 | sed "s=$PWD=.="
lathe advise --budget 125M --device iphone-13 2>&1 | sed "s=$PWD=.="
lathe search --space layers --budget 125M --device iphone-13 --minimize decode_ns,params --db x.db --limit 1 >/dev/null
