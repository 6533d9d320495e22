lathe calibrate --isa avx513
