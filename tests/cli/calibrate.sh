# label: slow
# A profile of this machine that predictions can rest on, and its timings in a store.
lathe calibrate --quick --threads 1 --no-storage --out here.json --db here.db 2>/dev/null || exit
lathe predict mobilellm-125m --device ./here.json --dtype q8_0 --json | grep -o '"basis": *"[a-z]*"'
lathe devices ./here.json >devices.txt && echo listed
ls
