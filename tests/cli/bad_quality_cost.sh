lathe quality cost
echo $?
lathe quality cost no-such-model
echo $?
lathe quality cost rwkv-4-169m
echo $?
lathe quality cost mobilellm-125m --preset paper --gpus 8
echo $?
lathe quality cost mobilellm-125m --preset mine
echo $?
lathe quality cost mobilellm-125m --tokens 0
echo $?
lathe quality cost mobilellm-125m --tokens 1T --tokens-per-param 20
echo $?
