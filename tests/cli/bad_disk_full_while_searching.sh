# A file-size limit stands in for a full disk.
(trap '' XFSZ; ulimit -f 200; lathe search --budget 125M --device iphone-13 --db x.db 2>&1 | tail -n 1)
