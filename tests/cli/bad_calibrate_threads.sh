lathe calibrate --quick --threads 1000 --out here.json; status=$?; ls; exit $status
