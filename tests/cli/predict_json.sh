lathe predict mobilellm-125m --device iphone-13 --json | tr -d ' ,' | sed 's/:-*[0-9][0-9.]*$/:N/'
lathe predict mobilellm-125m --device generic-phone --json | grep error
