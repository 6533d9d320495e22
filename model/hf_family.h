/* The families of config.json that lathe reads and writes: one row each, with the names of its
 * keys, the values that transformers assumes when a key is absent, and what the family implies
 * without saying so. What does not fit a row is in the row's two hooks.
 *
 * Source: the configuration classes of transformers 4.3x to 5.x and the model code beside them; the
 * counts of every family are held against published ones in tests/test_hf_config.c. */
#ifndef LATHE_MODEL_HF_FAMILY_H
#define LATHE_MODEL_HF_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "model/hf_reader.h"
#include "model/transformer.h"

enum {
    HF_REQUIRED = 0,    /* absent is an error */
    HF_DERIVED = 0,     /* n_kv_heads: n_heads; d_head: d_model / n_heads */
    HF_FOUR_TIMES = -4, /* d_ff: 4 d_model */
};

struct hf_int_key {
    const char *keys; /* alternatives, see hf_reader.h; NULL: the family has no such key */
    int64_t absent;
};

struct hf_number_key {
    const char *keys;
    double absent;
};

/* Which layers attend in a window. A list `layer_types` in the file decides over the rule. */
enum hf_window_rule {
    HF_WINDOW_NONE,
    HF_WINDOW_ALL,    /* sliding_window on every layer; null: none (Mistral, Phi 3) */
    HF_WINDOW_QWEN,   /* with use_sliding_window: layers from max_window_layers on */
    HF_WINDOW_PERIOD, /* all but every n-th: sliding_window_pattern, or the row's period (Gemma) */
    HF_WINDOW_NEO,    /* attention_layers / attention_types, window_size (GPT-Neo) */
};

/* Which layers have rotary positions, of a family that has them. */
enum hf_turn_rule {
    HF_TURN_ALL,
    HF_TURN_LISTED,   /* no_rope_layers: 1 is with, 0 without; else all but every
                         no_rope_layer_interval-th (SmolLM3, Llama 4) */
    HF_TURN_WINDOWED, /* where some layers have a window, those (EXAONE 4, Cohere 2) */
};

struct hf_family {
    const char *model_type, *architecture;

    struct hf_int_key d_model, n_layers, n_heads, n_kv_heads, d_head, d_ff, vocab_size, max_context;
    /* Experts: no keys, none. d_expert: their width; no keys: d_ff is. */
    struct hf_int_key n_experts, n_experts_used, d_expert;
    struct hf_number_key norm_eps, rope_theta, rope_frac;
    const char *activation_keys, *activation; /* its value when absent */
    bool gated;                               /* three FFN matrices */
    bool tied;                                /* when tie_word_embeddings is absent */

    enum norm_kind norm;
    enum norm_placement norm_placement;
    enum position_kind position;
    int64_t position_offset; /* rows of a learned table beyond max_context */
    enum qk_norm qk_norm;
    unsigned biases;            /* implied */
    const char *attention_bias; /* key that adds BIAS_QKV and BIAS_O, false when absent */
    const char *ffn_bias;       /* key that adds BIAS_FFN, false when absent */
    bool norm_bias, no_norm_weight, parallel_block, parallel_shared_norm, embed_norm;

    enum hf_window_rule window;
    int64_t window_absent; /* width when the key is absent */
    int64_t window_period; /* HF_WINDOW_PERIOD: every n-th layer sees everything... */
    int64_t window_phase;  /* ...the first of them is this one */
    enum hf_turn_rule turn;
    int64_t turn_interval; /* HF_TURN_LISTED when neither key is there; 0: all are turned */

    /* Called after the row has been applied / written. May be NULL. */
    enum status (*read)(struct hf_reader *reader, struct transformer *net, struct err *err);
    void (*write)(struct json_node *out, const struct transformer *net);
};

/* NULL when unknown. */
const struct hf_family *hf_family_find(const char *model_type);
/* Row i, NULL after the last. */
const struct hf_family *hf_family_row(int i);
/* "llama, mistral, ..." appended. */
void hf_family_names(struct text *out);
/* The nearest model_type, or NULL. */
const char *hf_family_nearest(const char *model_type);

#endif
