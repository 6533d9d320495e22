printf '{"name": "x",\n "kind" "phone"}\n' >mine.json
lathe predict mobilellm-125m --device ./mine.json
