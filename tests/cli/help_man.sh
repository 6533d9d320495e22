lathe help --man | head -n 4
lathe help --man | grep -c '^\.SS'
