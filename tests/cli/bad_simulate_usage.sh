lathe simulate mobilellm-125m
lathe simulate mobilellm-125m opt-125m --device iphone-13 --trace t.json
lathe simulate mobilellm-125m --device iphone-13 --sram much
lathe simulate mobilellm-125m --device iphone-13 --policy fifo
lathe simulate mobilellm-125m --device iphone-13 --tile 3
lathe simulate mobilellm-125m --device iphone-13 --tokens 4000
lathe simulate mobilellm-125m --device iphone-13 --memory 1MB
lathe reproduce tables
