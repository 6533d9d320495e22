/* The table of kernels: what runs on real weights, and what calibration times.
 *
 * A kernel is a plain function over a slice of its output (rows, heads, elements). It knows no
 * threads: a caller inside one parallel region gives each thread its slice and puts a barrier where
 * the next operator needs the whole output. kernels/threaded.h wraps the slices for callers that
 * want a thread count. `portable` rows are the definition. Rows of an instruction set must agree
 * with them; tests compare every row with portable.
 *
 * Weights are rows as model/quantize.h stores them (ggml's layouts), dtype_row_bytes(dtype, k)
 * apart, at any alignment. So a mapped GGUF tensor runs as it is. Activations are f32. Nothing here
 * allocates; scratch memory is the caller's.
 *
 * What the table cannot express: strided weights, batches of unrelated sequences. */
#ifndef LATHE_KERNELS_KERNEL_H
#define LATHE_KERNELS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/cpu.h"
#include "model/dtype.h"

enum kernel_op {
    KERNEL_READ,      /* sum over a buffer: the read bandwidth of the machine */
    KERNEL_MATVEC,    /* y = W x */
    KERNEL_MATMUL,    /* the same for m tokens */
    KERNEL_ATTENTION, /* over the cache, decode (one token) and prefill; dtype is the cache's */
    KERNEL_EMBED,     /* a stored row to f32 */
    KERNEL_STORE,     /* an f32 row to the stored type (new k and v into the cache) */
    KERNEL_RMS_NORM,
    KERNEL_LAYER_NORM,
    KERNEL_ROPE,
    KERNEL_SILU, /* with `up`: swiglu */
    KERNEL_GELU, /* tanh form; with `up`: geglu */
    KERNEL_RELU,
    KERNEL_ADD,
    KERNEL_SOFTMAX,
    KERNEL_ARGMAX,
    N_KERNEL_OPS,
};
const char *kernel_op_name(enum kernel_op op);

/* Sum of the buffer as 32-bit lanes, modulo 2^32 (a tail below 4 bytes is padded with zeros). Any
 * alignment. */
typedef uint32_t kernel_read_fn(const void *data, int64_t bytes);

/* Activations of one token in the form that a matvec or matmul row wants (quantised for q8_0, q4_0
 * and b1). x: [k]; prepared: kernel_prepared_bytes(kernel, k) bytes, aligned to 64. */
typedef void kernel_prepare_fn(int64_t k, const float *x, void *prepared);

/* y[r] = sum_i W[r, i] x[i] for begin <= r < end. w: row 0 of [n, k], k >= 1; x: [k] as prepared.
 */
typedef void kernel_matvec_fn(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                              int64_t end);

/* y[t * y_stride + r] for 0 <= t < m and begin <= r < end. x: token t at t * x_bytes, as prepared
 * (x_bytes a multiple of 4, of 64 where there is a prepare). scratch: this thread's,
 * kernel_scratch_bytes(kernel, k) bytes, aligned to 64. */
typedef void kernel_matmul_fn(int64_t m, int64_t k, const void *w, const void *x, int64_t x_bytes,
                              float *y, int64_t y_stride, int64_t begin, int64_t end,
                              void *scratch);

/* One layer's attention over its cache. Head h reads kv head h / (n_heads / n_kv_heads); position p
 * of kv head g is the row of d_head elements at g * head_bytes + p * row_bytes in k and v, a row
 * being dtype_row_bytes(dtype, d_head). */
struct attention {
    int64_t n_heads, n_kv_heads, d_head; /* d_head <= ATTENTION_MAX_HEAD */
    const void *k, *v;
    int64_t head_bytes, row_bytes;
    int64_t first;  /* position of query token 0; its own k and v are in the cache already */
    int64_t window; /* a token sees the last `window` positions, itself included; 0 = all */
    float scale;    /* of the logits, usually 1 / sqrt(d_head) */
    float softcap;  /* c tanh(logit / c) before the softmax; 0 = none */
    /* [n_heads] slopes: slope * (position of key - position of query) is added; NULL: nothing. */
    const float *alibi;
};
enum { ATTENTION_MAX_HEAD = 512 };

/* Causal: token t sees positions <= first + t. q and out: token t, head h at t * stride +
 * h * d_head. Does tokens token_begin .. token_end - 1 of heads head_begin .. head_end - 1; threads
 * may split either axis. scratch: this thread's, kernel_scratch_bytes(kernel, d_head), aligned to
 * 64. */
typedef void kernel_attention_fn(const struct attention *a, const float *q, int64_t q_stride,
                                 float *out, int64_t out_stride, int64_t token_begin,
                                 int64_t token_end, int64_t head_begin, int64_t head_end,
                                 void *scratch);

/* row: dtype_row_bytes(dtype, n) bytes, any alignment. */
typedef void kernel_embed_fn(int64_t n, const void *row, float *out);
typedef void kernel_store_fn(int64_t n, const float *x, void *row);

/* One token. rms: x / sqrt(mean x^2 + eps) * weight + bias; layer: mean taken away first. weight
 * and bias: [n] or NULL. out may be x. */
typedef void kernel_norm_fn(int64_t n, const float *x, const float *weight, const float *bias,
                            float eps, float *out);

enum rope_style {
    ROPE_HALVES, /* element i turns with i + d_rotary / 2: Hugging Face, NeoX */
    ROPE_PAIRS,  /* 2i with 2i + 1: llama's q and k as GGUF stores them */
};
/* Turns the first d_rotary (even) elements of each of n_heads heads, in place. cosine, sine:
 * [d_rotary / 2] of the token's position (kernel_rope_table). x: [n_heads, d_head]. */
typedef void kernel_rope_fn(enum rope_style style, int64_t n_heads, int64_t d_head,
                            int64_t d_rotary, const float *cosine, const float *sine, float *x);

/* out[i] = f(gate[i]) * up[i], or f(gate[i]) where up is NULL. out may be gate or up. */
typedef void kernel_activation_fn(int64_t n, const float *gate, const float *up, float *out);

typedef void kernel_add_fn(int64_t n, const float *a, const float *b, float *out); /* may be a */
typedef void kernel_softmax_fn(int64_t n, float *x);         /* in place, n >= 1 */
typedef int64_t kernel_argmax_fn(int64_t n, const float *x); /* first of the largest; n >= 1 */

struct kernel {
    const char *name; /* "matvec_q8_0_avx512" */
    enum kernel_op op;
    enum dtype dtype; /* of weights or cache; DTYPE_F32 where neither */
    unsigned isa;     /* every bit must be there */
    union {
        kernel_read_fn *read;
        kernel_matvec_fn *matvec;
        kernel_matmul_fn *matmul;
        kernel_attention_fn *attention;
        kernel_embed_fn *embed;
        kernel_store_fn *store;
        kernel_norm_fn *norm;
        kernel_rope_fn *rope;
        kernel_activation_fn *activation;
        kernel_add_fn *add;
        kernel_softmax_fn *softmax;
        kernel_argmax_fn *argmax;
    } run;
    kernel_prepare_fn *prepare;           /* NULL: x is used as it is */
    int64_t (*prepared_bytes)(int64_t k); /* NULL with prepare */
    int64_t (*scratch_bytes)(int64_t k);  /* NULL: none */
    /* matvec: elements of a row taken at a time. A shorter rest takes as long as a whole step. 0:
     * any number of elements. */
    int64_t step;
};

/* All rows, best first within an operator and type. */
const struct kernel *kernel_rows(int *n);

/* The best row that `isa` (of cpu_isa) allows; NULL when no row has this operator and type. */
const struct kernel *kernel_find(enum kernel_op op, enum dtype dtype, unsigned isa);

/* Bytes of one prepared token, a multiple of 64 where there is a prepare, else 4 k. */
int64_t kernel_prepared_bytes(const struct kernel *kernel, int64_t k);
int64_t kernel_scratch_bytes(const struct kernel *kernel, int64_t k);

/* x prepared into `buffer`, or x itself for a row that wants it plain. */
const void *kernel_prepare(const struct kernel *kernel, int64_t k, const float *x, void *buffer);

/* cos and sin of position * theta^(-2i / d_rotary), i < d_rotary / 2. */
void kernel_rope_table(int64_t position, int64_t d_rotary, double theta, float *cosine,
                       float *sine);

/* What a call works on, to turn a time into a rate. */
struct kernel_shape {
    int64_t m;    /* tokens */
    int64_t n, k; /* matvec, matmul: d_out, d_in; attention: n_heads, d_head; others: elements, - */
    int64_t n_kv_heads, context; /* attention: positions in the cache before the m tokens */
};
int64_t kernel_flop(const struct kernel *kernel, const struct kernel_shape *shape);
/* Weight or cache bytes that must be read once, as stored; activations for operators without. */
int64_t kernel_bytes(const struct kernel *kernel, const struct kernel_shape *shape);

/* Slice `part` of `parts` of 0 .. n in multiples of `grain` (the last may be short); possibly
 * empty. Grain 16 keeps two threads off one cache line of y. */
static inline void kernel_slice(int64_t n, int64_t grain, int part, int parts, int64_t *begin,
                                int64_t *end)
{
    int64_t grains = (n + grain - 1) / grain;
    int64_t first = grains * part / parts * grain, last = grains * (part + 1) / parts * grain;
    *begin = first < n ? first : n;
    *end = last < n ? last : n;
}

#endif
