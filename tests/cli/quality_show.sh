lathe quality show | head -n 14
lathe quality show --json | grep -c -e '"low"' -e '"source"'
