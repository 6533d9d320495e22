# The axes of a front are the run's own objectives.
for objectives in "" "--minimize ttft_cold_ns" "--minimize decode_ns --maximize params_blocks" \
    "--minimize peak_mb,decode_ms,energy_pj_per_token" "--minimize loss_delta_nats,weight_bytes"; do
    echo "search $objectives"
    # shellcheck disable=SC2086
    lathe search --budget 125M --device iphone-13 --db x.db --limit 1 $objectives >/dev/null 2>&1
    lathe plot front --db x.db --out x.svg
    sed 's/<[^>]*>/\n/g' x.svg | sed -n '/From\|front\|best is\|is better)\|^run \|interval\|mobilellm/s/ *$//p'
done
