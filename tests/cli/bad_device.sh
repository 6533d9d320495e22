lathe predict mobilellm-125m --device iphone-31
