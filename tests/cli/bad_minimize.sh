lathe search --budget 125M --device iphone-13 --minimize decode_nss
