lathe devices --names | grep iphone-13
