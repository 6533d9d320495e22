lathe simulate mobilellm-125m mobilellm-ls-125m --device iphone-13 --timeline t.svg && grep -c "<svg" t.svg
