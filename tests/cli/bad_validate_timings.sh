echo 'model,tokens' >t.csv
lathe validate --device rpi5 --timings t.csv; echo $?
lathe validate --device rpi5 --timings absent.csv; echo $?
lathe validate --device rpi5 --timings t.csv --model qwen; echo $?
