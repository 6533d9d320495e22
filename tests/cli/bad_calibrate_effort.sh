lathe calibrate --quick --thorough
