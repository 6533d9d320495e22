lathe simulate mobilellm-125m --device iphone-13 | head -3
