lathe search --budget 125M --device iphone-13 --db x.db --keep front >/dev/null 2>&1
lathe report mobilellm-125m --db x.db --out page.html
grep -c '<figure' page.html
grep -c 'src=\|href="http' page.html
ls *.html
grep -o 'loss, at [a-z]* (nats)' page.html | sort -u
grep -o 'losses at 1T training tokens[^.<]*' page.html | sort -u
