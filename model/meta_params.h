/* Meta's params.json, which lies beside consolidated.00.pth and is what ExecuTorch's exporter takes.
 *
 *   dim, n_layers, n_heads, n_kv_heads (absent: n_heads), vocab_size, norm_eps, rope_theta,
 *   multiple_of, ffn_dim_multiplier, use_scaled_rope, max_seq_len
 *
 * The FFN's width is worked out as llama3's model.py does: 8/3 of dim, times ffn_dim_multiplier, up
 * to the next multiple of multiple_of. Not in the file: whether the head is tied. Llama 3.2's two
 * small ones are, known by their shape, and reported.
 * Source: github.com/meta-llama/llama-models, models/llama3/args.py and model.py. */
#ifndef LATHE_MODEL_META_PARAMS_H
#define LATHE_MODEL_META_PARAMS_H

#include <stdbool.h>

#include "base/status.h"
#include "model/hf_reader.h"
#include "model/transformer.h"

/* The object has no model_type, and what params.json always has. */
bool meta_params_are(const struct json *root);

/* Errors: STATUS_INPUT, STATUS_RANGE. vocab_size -1 (Llama 2: the tokenizer knows) is an error that
 * says so. */
enum status meta_params_read(struct hf_reader *reader, struct transformer *net, struct err *err);

#endif
