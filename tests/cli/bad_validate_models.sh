lathe validate mobilellm-125m --device rpi5 --networks 9; echo $?
lathe validate mobilellm-125m --device rpi5 --timings t.csv; echo $?
lathe validate no-such-model --device rpi5; echo $?
