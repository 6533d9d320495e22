# The kinds that price MODELs; with several devices each bar says which.
lathe plot breakdown mobilellm-125m rwkv-4-169m --device iphone-13 --out breakdown.svg
lathe plot phases mobilellm-125m --device iphone-13,rpi5 --dtype q8_0 --out phases.svg
lathe plot accuracy --device iphone-13 --out accuracy.svg
for figure in *.svg; do echo "$figure $(grep -c '</svg>' "$figure")"; done
grep -o 'mobilellm-125m, [^<]*' phases.svg | sort -u
