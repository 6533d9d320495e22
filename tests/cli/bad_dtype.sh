lathe predict mobilellm-125m --device iphone-13 --dtype q8_1
