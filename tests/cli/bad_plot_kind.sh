lathe plot frnt --db x.db
