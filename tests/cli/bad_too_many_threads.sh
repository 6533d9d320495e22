lathe predict mobilellm-125m --device iphone-13 --threads 64
