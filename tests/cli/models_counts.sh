lathe models --counts | grep -E '^(mobilellm-125m|mobilellm-ls-125m|mobilellm-1b|opt-125m) ' | cut -c -60 | tr -s ' '
