/* The families of GGUF files that lathe reads: one row each. */
#ifndef LATHE_MODEL_GGUF_FAMILY_H
#define LATHE_MODEL_GGUF_FAMILY_H

#include <stdbool.h>

#include "base/text.h"
#include "model/gguf.h"
#include "model/transformer.h"

/* What a family fixes and its metadata does not say. Source: llama.cpp, src/llama-arch.cpp and
 * src/llama-model.cpp (tensors and hyperparameters of each architecture). */
struct gguf_family {
    const char *architecture; /* general.architecture */
    const char *family;       /* as Hugging Face calls it */
    enum ffn_kind ffn;
    enum norm_kind norm;
    enum norm_placement placement;
    enum position_kind position;
    bool rotates_pairs; /* rows of q and k are in the order that rotates neighbours */
    bool norm_weight, norm_bias, embed_norm;
    bool scales_embeddings; /* by sqrt(d_model) */
    bool norms_qk;
    int window_period; /* of `period` layers the last sees all, the others the window; 0: none does,
                          1: all layers have the window */
};

/* NULL: not known. */
const struct gguf_family *gguf_family_find(const char *architecture);
/* Of an open file; NULL: it does not say, or not one that is known. */
const struct gguf_family *gguf_family_of(const struct gguf *file);
/* "llama, qwen2, ..." appended. */
void gguf_family_names(struct text *out);

#endif
