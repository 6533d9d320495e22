data=$CASES/../../data/quality
lathe quality fit --data "$data" --out law.json
cmp law.json "$data/law.json"
