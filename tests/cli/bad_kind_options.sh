lathe plot roadmap --budget 125M
lathe plot front --db x.db --tokens 1T
lathe plot depth --db x.db --dtype q8_0
lathe plot deep-or-wide --budget 125M --device iphone-13 --run 3
lathe plot accuracy --device iphone-13 --budget 125M
lathe plot deep-or-wide --budget 125M --device iphone-13 --reference mobilellm-125m
lathe quality show --runs 2
lathe quality validate --gpu h100
lathe quality validate runs.csv --seed 3
lathe quality fit --data x --law y
lathe quality probe --out law.json
lathe quality cost mobilellm-125m --vocab 100
lathe export hf mobilellm-125m --seed 3
lathe export gguf mobilellm-125m --out x.gguf --kv-dtype q8_0
ls
