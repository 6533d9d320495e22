lathe predict mobilellm-125m mobilellm-ls-125m --device iphone-13,rpi5 --dtype q8_0 | sed "s,  *[0-9][0-9.]*, N,g" | tr -s " "
