lathe reproduce sharing
