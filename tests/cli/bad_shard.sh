for shard in 0/4 5/4 x/y 1/0 -1/4 1 1/ /4 1/4/5 '1 /4' 1.5/4 1/100001 99999999999999999999/4; do
    lathe search --budget 125M --device iphone-13 --db x.db --shard "$shard" 2>&1 | head -1
done
lathe search --budget 125M --space layers --device iphone-13 --db x.db --shard 1/2 2>&1 | head -1
lathe search --resume latest --db x.db --shard 1/2
ls
