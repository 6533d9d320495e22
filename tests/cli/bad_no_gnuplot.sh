lathe=$(command -v lathe)
mkdir empty
PATH=$PWD/empty "$lathe" plot phases mobilellm-125m --device iphone-13 --out x.svg
status=$?
ls
exit $status
