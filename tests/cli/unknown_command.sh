lathe hepl
