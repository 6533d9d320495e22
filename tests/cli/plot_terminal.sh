lathe plot phases mobilellm-125m mobilellm-ls-125m --device iphone-13 >figure 2>warnings || cat warnings
grep -c mobilellm figure
