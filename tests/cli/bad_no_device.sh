lathe predict mobilellm-125m
