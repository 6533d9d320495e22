# The default space holds MobileLLM-125M's and LS-125M's exact architectures.
lathe search --budget 125M --device iphone-13 --db x.db >/dev/null 2>&1
lathe top --db x.db --by n_layers_effective --json --where "n_layers = 30 AND d_model = 576
    AND n_heads = 9 AND n_kv_heads = 3 AND d_ff = 1536 AND tie_embeddings = 1 AND repeats <= 2
    AND sharing IN ('none', 'immediate')" | grep -E '"(n_layers_effective|params)"'
