lathe simulate mobilellm-125m --device iphone-13 --trace /dev/full | head -1
lathe simulate mobilellm-125m --device iphone-13 --trace /dev/full >summary
