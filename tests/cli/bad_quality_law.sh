sed 's/"ln_w"/"lnw"/' "$CASES/../../data/quality/law.json" >law.json
lathe quality show --law law.json
