#include "model/gguf_family.h"

#include <stddef.h>
#include <string.h>

static const struct gguf_family families[] = {
    {.architecture = "llama",
     .family = "llama",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .rotates_pairs = true,
     .norm_weight = true},
    {.architecture = "qwen2",
     .family = "qwen2",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .norm_weight = true},
    {.architecture = "qwen3",
     .family = "qwen3",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .norms_qk = true},
    {.architecture = "deci",
     .family = "nemotron-nas",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .rotates_pairs = true,
     .norm_weight = true},
    {.architecture = "openelm",
     .family = "openelm",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .norms_qk = true},
    {.architecture = "mimo2",
     .family = "mimo_v2_flash",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .window_period = 1},
    {.architecture = "gemma",
     .family = "gemma",
     .ffn = FFN_GEGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .scales_embeddings = true},
    {.architecture = "gemma2",
     .family = "gemma2",
     .ffn = FFN_GEGLU,
     .norm = NORM_RMS,
     .placement = NORM_SANDWICH,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .scales_embeddings = true,
     .window_period = 2},
    {.architecture = "gemma3",
     .family = "gemma3_text",
     .ffn = FFN_GEGLU,
     .norm = NORM_RMS,
     .placement = NORM_SANDWICH,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .scales_embeddings = true,
     .norms_qk = true,
     .window_period = 6},
    {.architecture = "phi2",
     .family = "phi",
     .ffn = FFN_GELU,
     .norm = NORM_LAYER,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .norm_bias = true},
    {.architecture = "phi3",
     .family = "phi3",
     .ffn = FFN_SWIGLU,
     .norm = NORM_RMS,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .window_period = 1},
    {.architecture = "gptneox",
     .family = "gpt_neox",
     .ffn = FFN_GELU,
     .norm = NORM_LAYER,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .norm_bias = true},
    {.architecture = "gpt2",
     .family = "gpt2",
     .ffn = FFN_GELU,
     .norm = NORM_LAYER,
     .position = POSITION_LEARNED,
     .norm_weight = true,
     .norm_bias = true},
    {.architecture = "bloom",
     .family = "bloom",
     .ffn = FFN_GELU,
     .norm = NORM_LAYER,
     .position = POSITION_ALIBI,
     .norm_weight = true,
     .norm_bias = true,
     .embed_norm = true},
    {.architecture = "falcon",
     .family = "falcon",
     .ffn = FFN_GELU,
     .norm = NORM_LAYER,
     .position = POSITION_ROPE,
     .norm_weight = true,
     .norm_bias = true},
    {.architecture = "olmo",
     .family = "olmo",
     .ffn = FFN_SWIGLU,
     .norm = NORM_LAYER,
     .position = POSITION_ROPE,
     .rotates_pairs = true},
};
enum { N_FAMILIES = sizeof families / sizeof families[0] };

const struct gguf_family *gguf_family_find(const char *architecture)
{
    for (int i = 0; i < N_FAMILIES; i++) {
        if (strcmp(architecture, families[i].architecture) == 0)
            return &families[i];
    }
    return NULL;
}

const struct gguf_family *gguf_family_of(const struct gguf *file)
{
    struct gguf_string name;
    char shown[64];
    if (gguf_get_string(file, "general.architecture", &name, NULL) != STATUS_OK)
        return NULL;
    return gguf_family_find(gguf_shown(name, shown));
}

void gguf_family_names(struct text *out)
{
    for (int i = 0; i < N_FAMILIES; i++)
        text_addf(out, "%s%s", i > 0 ? ", " : "", families[i].architecture);
}
