/* The functions behind kernel_table, for kernel.c and the files that define them. */
#ifndef LATHE_KERNELS_ROWS_H
#define LATHE_KERNELS_ROWS_H

#include "kernels/kernel.h"

enum { QUANT_BLOCK = 32, Q8_0_BYTES = 34, Q4_0_BYTES = 18 }; /* model/quantize.h */

/* A block of quantised activations, as portable, avx2 and neon rows take it. */
struct q8_block {
    float scale;
    int8_t q[QUANT_BLOCK];
};

static inline int64_t quant_blocks(int64_t k)
{
    return (k + QUANT_BLOCK - 1) / QUANT_BLOCK;
}

static inline int64_t round_up_64(int64_t bytes)
{
    return (bytes + 63) & ~(int64_t)63;
}

/* T(name, type, isa): the weight types that networks run in. Their rows are declared from this list,
 * and portable ones of matmul and embed defined (matrix_portable.c defines a matvec each). */
#define RUN_TYPES(T, isa) \
    T(f32, DTYPE_F32, isa) \
    T(f16, DTYPE_F16, isa) \
    T(bf16, DTYPE_BF16, isa) \
    T(q8_0, DTYPE_Q8_0, isa) \
    T(q4_0, DTYPE_Q4_0, isa) \
    T(b1, DTYPE_B1, isa)

#define DECLARE_MATRIX_TYPE(type, TYPE, isa) \
    kernel_matvec_fn matvec_##type##_##isa; \
    kernel_matmul_fn matmul_##type##_##isa;
#define DECLARE_EMBED(type, TYPE, isa) kernel_embed_fn embed_##type##_##isa;

/* Declares the rows of one instruction set. */
#define DECLARE_MATRIX_ROWS(isa) \
    RUN_TYPES(DECLARE_MATRIX_TYPE, isa) \
    kernel_read_fn read_##isa; \
    kernel_prepare_fn prepare_q8_0_##isa, prepare_q4_0_##isa, prepare_b1_##isa; \
    int64_t prepared_q8_0_bytes_##isa(int64_t k); \
    int64_t prepared_q4_0_bytes_##isa(int64_t k); \
    int64_t prepared_b1_bytes_##isa(int64_t k); \
    kernel_prepare_fn requantise_##isa; \
    int64_t requantised_bytes_##isa(int64_t k); \
    int64_t matmul_scratch_bytes_##isa(int64_t k)

#define DECLARE_VECTOR_ROWS(isa) \
    RUN_TYPES(DECLARE_EMBED, isa) \
    kernel_attention_fn attention_f32_##isa, attention_f16_##isa, attention_bf16_##isa, \
        attention_q8_0_##isa; \
    int64_t attention_scratch_bytes_##isa(int64_t d_head); \
    kernel_store_fn store_f32_##isa, store_f16_##isa, store_bf16_##isa, store_q8_0_##isa; \
    kernel_norm_fn rms_norm_##isa, layer_norm_##isa; \
    kernel_rope_fn rope_##isa; \
    kernel_activation_fn silu_##isa, gelu_##isa, relu_##isa; \
    kernel_add_fn add_##isa; \
    kernel_softmax_fn softmax_##isa; \
    kernel_argmax_fn argmax_##isa

DECLARE_MATRIX_ROWS(portable);
DECLARE_VECTOR_ROWS(portable);
DECLARE_MATRIX_ROWS(avx2);
DECLARE_VECTOR_ROWS(avx2);
DECLARE_MATRIX_ROWS(avx512);
DECLARE_VECTOR_ROWS(avx512);
int64_t matmul_quant_scratch_bytes_avx512(int64_t k);
DECLARE_MATRIX_ROWS(neon);
DECLARE_VECTOR_ROWS(neon);

#endif
