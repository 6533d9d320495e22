lathe models --names | grep mobilellm-ls
