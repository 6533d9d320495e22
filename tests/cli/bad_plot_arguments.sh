lathe plot depth --db x.db --device iphone-13
lathe plot front --db x.db --context 64
lathe plot phases --device iphone-13
lathe plot phases mobilellm-125m
lathe plot accuracy
lathe plot accuracy --device iphone-13,rpi5
lathe plot accuracy mobilellm-125m --device iphone-13
lathe plot nothing-of-the-kind
lathe plot phases mobilellm-125m opt-125m --device "$(lathe devices --names | head -n 20 | paste -sd,)"
ls
