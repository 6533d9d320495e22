lathe search --budget 125M --device iphone-13 --db x.db --limit 1 >/dev/null 2>&1
for kind in depth front; do
    lathe plot $kind --db x.db --out $kind.svg 2>/dev/null && grep -c '</svg>' $kind.svg
done
