lathe predict mobilellm-125m --device iphone-13 --detail | sed "s,  *[0-9][0-9.]*, N,g" | tr -s " "
