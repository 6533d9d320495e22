lathe search --budget lots --device iphone-13
