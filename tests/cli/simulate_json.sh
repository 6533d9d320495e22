# the contract's keys, then bytes and busy time by level
lathe simulate mobilellm-ls-125m --device iphone-13 --json >out.json
for key in model device dtype threads prompt context load_ns init_ns prefill_ns ttft_cold_ns decode_ns \
    decode_tok_s energy_pj_per_token peak_bytes basis error_median_frac error_p90_frac \
    levels read_bytes busy_ns bound_ns operators; do
    grep -q "\"$key\":" out.json || echo "no $key"
done
