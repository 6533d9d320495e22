# What is kept differs, the front does not.
for keep in all front top:50; do
    lathe search --budget 125M --device iphone-13 --keep $keep --db x.db --limit 1 >/dev/null 2>&1
done
lathe front --run 1 --db x.db --limit 0 --json | grep -v -E '"(ref|run_id|outdone_by)"' >all
lathe front --run 2 --db x.db --limit 0 --json | grep -v -E '"(ref|run_id|outdone_by)"' >front
cmp all front && echo the same front
lathe top --run 3 --db x.db --limit 0 --json | grep -c '"ref"'
