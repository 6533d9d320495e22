lathe calibrate --out nowhere/here.json
