/* The rows of hf_family.h, in tables by kind; a new kind of network is a new table in TABLES of
 * hf_family.c. Below, what rows have in common. */
#ifndef LATHE_MODEL_HF_ROWS_H
#define LATHE_MODEL_HF_ROWS_H

#include "model/hf_family.h"

/* Key names that llama-like families have in common: */
#define LLAMA_KEYS \
    .d_model = {"hidden_size", HF_REQUIRED}, .n_layers = {"num_hidden_layers", HF_REQUIRED}, \
    .n_heads = {"num_attention_heads", HF_REQUIRED}, .vocab_size = {"vocab_size", HF_REQUIRED}
#define LLAMA_FFN .d_ff = {"intermediate_size", HF_REQUIRED}, .gated = true

#define LLAMA_LIKE \
    LLAMA_KEYS, LLAMA_FFN, .norm = NORM_RMS, .position = POSITION_ROPE, \
                           .activation_keys = "hidden_act", .activation = "silu"

#define GEMMA_LIKE \
    LLAMA_FFN, .norm = NORM_RMS, .position = POSITION_ROPE, \
               .activation_keys = "hidden_activation hidden_act", \
               .activation = "gelu_pytorch_tanh", .tied = true, \
               .norm_eps = {"rms_norm_eps", 1e-6}, .attention_bias = "attention_bias"

/* Ends with a row without model_type. */
extern const struct hf_family hf_rows_first[];   /* decoders of 2019 to 2024 */
extern const struct hf_family hf_rows_dense[];   /* dense decoders since, nearly llama */
extern const struct hf_family hf_rows_experts[]; /* mixtures of experts */

#endif
