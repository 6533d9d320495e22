lathe fit nothing.csv --model justaname
