lathe predict mobilellm-125m --devise iphone-13
