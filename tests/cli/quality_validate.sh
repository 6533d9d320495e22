lathe quality validate 2>/dev/null | sed -n 's/^blocks and two floors  *\(kept back\|larger only\|longer only\)  */\1 /p'
lathe quality validate --json 2>/dev/null | grep -c '"split"'
