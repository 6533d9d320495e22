/* The weights of a network in memory, as the kernels read them.
 *
 * Matrices are rows in their stored type (model/quantize.h), norms and biases f32. Shared blocks
 * are stored once and pointed at by every execution, so a network that repeats a block truly reads
 * the same bytes again. Weights are random (finite, scaled so that activations stay of order one;
 * the speed of a network does not depend on what it has learnt) or come from a GGUF file.
 *
 * What it cannot hold: RWKV's time mixing. */
#ifndef LATHE_RUNTIME_WEIGHTS_H
#define LATHE_RUNTIME_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/transformer.h"

/* W: [n, k], row r at data + r * dtype_row_bytes(dtype, k). */
struct matrix {
    enum dtype dtype;
    int64_t n, k;
    const void *data;  /* NULL: there is no such matrix */
    const float *bias; /* [n] or NULL */
};

struct norm_weights {
    const float *weight, *bias; /* [n] or NULL */
};

struct block_weights {
    struct norm_weights attention_norm, attention_post_norm, ffn_norm, ffn_post_norm;
    struct norm_weights q_norm, k_norm; /* [d_head] */
    struct matrix q, k, v, o;
    struct matrix gate, up, down; /* gate: none in two-matrix FFNs */
};

struct weights {
    struct matrix embedding, position; /* rows are looked up; position [position_rows, d_model] */
    struct norm_weights embed_norm, final_norm;
    struct matrix embed_project, head_project; /* factored tables only */
    struct matrix head;                        /* == embedding when tied */
    struct block_weights *blocks;              /* [n_layers] */
    bool rope_in_pairs; /* q and k as llama GGUF files order them (kernels/kernel.h, ROPE_PAIRS) */

    void *memory; /* everything above that was allocated */
    int64_t memory_bytes;
    float *vectors; /* norms and biases */
    int64_t n_vectors;
    int64_t bytes; /* of all weights, as stored */
};

/* Whether there are operators for what the network is made of, and kernels for its types. Errors:
 * STATUS_UNSUPPORTED with the reason. */
enum status weights_can_run(const struct transformer *net, struct err *err);

/* Errors: STATUS_UNSUPPORTED (RWKV, a type without kernels), STATUS_NOMEM, saying how much was
 * needed and how much there is, before anything is touched. The same seed gives the same weights
 * whatever the thread count. `net` passed transformer_check. */
enum status weights_random(const struct transformer *net, uint64_t seed, int n_threads,
                           struct weights *out, struct err *err);

/* For timing: like weights_random, but a matrix repeats a few random rows, so that filling takes
 * little longer than the memory does. */
enum status weights_repeated(const struct transformer *net, uint64_t seed, int n_threads,
                             struct weights *out, struct err *err);

/* Copies a GGUF file's tensors into memory of large pages. `net` is what gguf_architecture read
 * from it; its types may have been changed since, and a tensor of another type than its part of
 * `net` has is converted row by row. Errors: as above, STATUS_INPUT naming the tensor that is
 * missing or of another shape, STATUS_UNSUPPORTED (a type without kernels).
 *
 * llama and olmo files hold the rows of q and k in the order that rotates neighbours
 * (rope_in_pairs); the exporter writes random rows, whose order is whatever its family reads. Fused
 * attn_qkv tensors are q, k, v one after another, as the converters leave them for every family;
 * phi3's ffn_up is the gate, then up. Gemma 3's second rotary base for its windowed layers is not
 * in `net`: its timing is right, its tokens are not. */
enum status weights_open_gguf(const char *path, const struct transformer *net, struct weights *out,
                              struct err *err);

void weights_release(struct weights *weights);

/* Memory this process may still use, bytes: MemAvailable and the cgroup's limit; INT64_MAX if
 * unknown. */
int64_t memory_available_bytes(void);

#endif
