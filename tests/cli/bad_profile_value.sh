lathe devices iphone-13 --json | sed 's/"basis": *"fitted"/"basis": "guessed"/' >mine.json
lathe predict mobilellm-125m --device ./mine.json
