lathe inspect mobilellm-125m
