lathe help --man | head -n 4
