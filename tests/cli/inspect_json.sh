# Counts that are published exactly, and every key of the contract.
for model in mobilellm-125m mobilellm-ls-125m mobilellm-350m mobilellm-600m mobilellm-1b; do
    lathe inspect $model --json | grep -E '"(name|n_layers_effective|params)"'
done
lathe inspect opt-125m --json | sed -n 's/^.*"\([a-z0-9_]*\)":.*$/\1/p'
