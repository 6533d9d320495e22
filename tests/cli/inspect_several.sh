lathe inspect opt-125m mobilellm-125m --json | grep -E '^\[|"(name|params)"|^\]'
lathe inspect opt-125m mobilellm-125m | grep -E '^(model|parameters)|^$'
