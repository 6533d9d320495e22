/* Exact counts of a network: parameters by part, bytes of weights, of the KV cache and of states. All
 * of them walk the tensor lists of model/tensors.h. */
#ifndef LATHE_MODEL_COUNT_H
#define LATHE_MODEL_COUNT_H

#include <stdint.h>

#include "model/transformer.h"

/* Parameters by part. Tied heads and shared blocks count once; `blocks` counts distinct weights. */
struct param_count {
    int64_t embedding; /* token table (and its projections, if factored; and its norm) */
    int64_t position;
    int64_t attention; /* all distinct blocks: q k v o or time mixing, with biases and q/k norms */
    int64_t ffn;       /* all distinct, with biases */
    int64_t norms;     /* of all blocks */
    int64_t final_norm;
    int64_t head;   /* 0 when tied (without BIAS_HEAD) */
    int64_t blocks; /* attention + ffn + norms */
    int64_t total;
    int64_t active; /* of total, without the experts that a token does not pick */
};
/* `net` passed transformer_check. Source: shared rule of the checkpoints; tests hold it against the
 * published counts of 50 models. */
void transformer_count(const struct transformer *net, struct param_count *out);

/* Bytes as stored. Matrices row by row in their type, vectors as dtype_vector_bytes says. */
struct weight_bytes {
    int64_t embedding, head, blocks, other,
        total; /* head 0 when tied; other: positions, final norm */
};
void transformer_weight_bytes(const struct transformer *net, struct weight_bytes *out);

/* Both at once, from one walk. */
void transformer_stored(const struct transformer *net, struct param_count *count,
                        struct weight_bytes *weights);

/* KV-cache bytes that one more token adds, over all executions: n * 2 * n_kv_heads * d_head in
 * kv_dtype. A layer with a window adds until its window is full; this is the rate before that. */
int64_t transformer_kv_bytes_per_token(const struct transformer *net);
/* KV cache (or recurrent state) held after `context` tokens, windows respected. */
int64_t transformer_kv_bytes(const struct transformer *net, int64_t context);

#endif
