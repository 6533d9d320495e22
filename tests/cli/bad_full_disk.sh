lathe models >/dev/full
