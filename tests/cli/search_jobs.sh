# The same rows in the same order whatever the number of threads.
lathe search --budget 125M --device iphone-13 --jobs 1 --db x.db >/dev/null 2>&1
lathe search --budget 125M --device iphone-13 --jobs 2 --db x.db >/dev/null 2>&1
lathe top --run 1 --by id --limit 0 --db x.db --json | grep -v -E '"(ref|run_id)"' >one
lathe top --run 2 --by id --limit 0 --db x.db --json | grep -v -E '"(ref|run_id)"' >two
cmp one two && echo the same rows
