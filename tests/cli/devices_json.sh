lathe devices --json >devices.json
grep -o '"[a-z0-9_]*":' devices.json | sort -u | tr -d '":'
[ "$(grep -c '"device"' devices.json)" -eq "$(lathe devices --names | wc -l)" ] && echo every device
