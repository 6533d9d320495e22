lathe export onnx mobilellm-125m
echo "exit $?"
lathe export gguf mobilellm-125m
echo "exit $?"
lathe export gguf opt-125m --out opt.gguf
echo "exit $?"
printf 'GGUF\3\0\0\0\377\377\377\377\377\377\377\377\0\0\0\0\0\0\0\0' >lying.gguf
lathe inspect lying.gguf
