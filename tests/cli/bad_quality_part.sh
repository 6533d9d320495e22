lathe quality explain
