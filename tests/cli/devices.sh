# A row a device, each with the basis of its numbers.
lathe devices >all
lathe devices --names >names
sed 1,2d all | cut -d ' ' -f 1 | cmp - names && echo every device
sed -n '1p; /^rpi5 /p' all | tr -s ' '
