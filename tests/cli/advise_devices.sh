lathe advise --budget 125M --device iphone-13,rpi5 --dtype q8_0 --tokens-per-param 200 2>/dev/null
lathe advise --budget 125M --device pixel-8-pro,iphone-13 --max decode_ms=15 --json 2>/dev/null |
    grep -e '"device"' -e '"worst_regret_nats"' -e '"regret_nats"' -e '"time_nats"' |
    sed 's/\(\.[0-9][0-9][0-9]\)[0-9]*/\1/'
