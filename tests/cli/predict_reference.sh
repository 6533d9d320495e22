# Against a network by name; what the law cannot judge is unknown.
lathe predict mobilellm-125m mobilellm-ls-125m opt-125m rwkv-4-169m --device iphone-13 --reference mobilellm-125m --tokens 250B |
    sed -n '/loss/,$p' | sed 's/  *$//'
lathe predict rwkv-4-169m --device iphone-13 --json | grep -E 'loss|accuracy|quality'
