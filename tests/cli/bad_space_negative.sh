printf '{"d_model": [512, -576]}\n' >space.json
lathe search --budget 125M --device iphone-13 --space space.json
