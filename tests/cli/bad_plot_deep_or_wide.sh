lathe plot deep-or-wide --device iphone-13
lathe plot deep-or-wide --budget 125M
lathe plot deep-or-wide --budget lots --device iphone-13
lathe plot deep-or-wide mobilellm-125m --budget 125M --device iphone-13
lathe plot deep-or-wide --budget 125M --device iphone-13,rpi4,rpi5,mac-m1,mac-m2
lathe plot deep-or-wide --budget 1M --device iphone-13
lathe plot deep-or-wide --budget 125M --device iphone-31
lathe plot deep-or-wide --budget 125M --device iphone-13 --context 1M
lathe plot deep-or-wide --budget 125M --device iphone-13 --tokens 0
lathe plot roadmap mobilellm-125m
ls
