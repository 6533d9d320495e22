lathe
