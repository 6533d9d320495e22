# Rows that cannot be told apart are one line; --limit 0 and --json have them all.
lathe search --budget 125M --device iphone-13 --db x.db --keep front 2>/dev/null | tail -n +3 | wc -l
lathe front --db x.db --limit 4 | tail -n +3 | sed 's/  */ /g' | cut -d ' ' -f 1,2,21-
lathe front --db x.db --limit 0 | tail -n +3 | wc -l
lathe front --db x.db --limit 0 --json | grep -c '"group"'
lathe front --db x.db --json | grep -A 1 '"group"' | head -n 8 | tr -d ' \n'
echo
lathe top --db x.db --limit 3 | tail -n +3 | wc -l
lathe top --db x.db --limit 3 --json | grep -c '"ref"'
