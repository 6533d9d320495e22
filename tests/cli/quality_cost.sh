lathe quality cost mobilellm-125m mobilellm-350m mobilellm-600m mobilellm-1b mobilellm-1.5b --preset paper
lathe quality cost mobilellm-ls-125m --tokens-per-param 20 --gpu h100 --gpus 8 --json
