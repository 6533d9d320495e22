# Rows that cannot be told apart are one line, what is outdone is left out; --limit 0 and --json have them all.
lathe search --budget 125M --device iphone-13 --db x.db --keep front 2>&1 >front.txt | tail -n 1
tail -n +3 front.txt | sed 's/  */ /g' | cut -d ' ' -f 1,2,14-
lathe front --db x.db --limit 2 2>/dev/null | tail -n +3 | cut -c 1-14
lathe front --db x.db --limit 0 | tail -n +3 | wc -l
lathe front --db x.db --limit 0 --json | grep -c '"group"'
lathe front --db x.db --json | grep -A 2 '"group"' | head -n 20 | tail -n 11 | tr -d ' \n'
echo
lathe top --db x.db --limit 3 | tail -n +3 | wc -l
lathe top --db x.db --limit 3 --json | grep -c '"ref"'
lathe top --db x.db --limit 3 --json | grep -c '"outdone_by"'
echo "-- of other objectives nothing is outdone"
lathe search --budget 125M --device iphone-13 --db y.db --keep front --minimize decode_ns,loss_delta_nats,peak_bytes 2>/dev/null >/dev/null
lathe front --db y.db --limit 0 --json | grep '"outdone_by"' | sort -u
