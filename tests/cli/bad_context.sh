lathe predict mobilellm-125m --device iphone-13 --context 1M
