lathe reproduce parameters | head -4; lathe reproduce sharing latency energy --json --figures . | grep -c paper; grep -c "<svg" table7.svg sharing.svg
