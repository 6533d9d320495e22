lathe inspect mobilelm-125m
