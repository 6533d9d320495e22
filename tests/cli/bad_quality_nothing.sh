lathe quality fit
