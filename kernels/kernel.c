#include "kernels/kernel.h"

#include <assert.h>
#include <math.h>

#include "kernels/rows.h"

#define MATVEC(type, TYPE, set, SET) \
    { \
        .name = "matvec_" #type "_" #set, .op = KERNEL_MATVEC, .dtype = TYPE, .isa = SET, \
        .run.matvec = matvec_##type##_##set \
    }
#define MATVEC_PREPARED(type, TYPE, set, SET, prepared) \
    { \
        .name = "matvec_" #type "_" #set, .op = KERNEL_MATVEC, .dtype = TYPE, .isa = SET, \
        .run.matvec = matvec_##type##_##set, prepared \
    }
#define MATMUL(type, TYPE, set, SET, scratch) \
    { \
        .name = "matmul_" #type "_" #set, .op = KERNEL_MATMUL, .dtype = TYPE, .isa = SET, \
        .run.matmul = matmul_##type##_##set, .scratch_bytes = scratch \
    }
#define MATMUL_PREPARED(type, TYPE, set, SET, prepared, scratch) \
    { \
        .name = "matmul_" #type "_" #set, .op = KERNEL_MATMUL, .dtype = TYPE, .isa = SET, \
        .run.matmul = matmul_##type##_##set, prepared, .scratch_bytes = scratch \
    }
#define ATTENTION(type, TYPE, set, SET) \
    { \
        .name = "attention_" #type "_" #set, .op = KERNEL_ATTENTION, .dtype = TYPE, .isa = SET, \
        .run.attention = attention_##type##_##set, .scratch_bytes = attention_scratch_bytes_##set \
    }
#define TYPED(member, OP, type, TYPE, set, SET) \
    { \
        .name = #member "_" #type "_" #set, .op = OP, .dtype = TYPE, .isa = SET, \
        .run.member = member##_##type##_##set \
    }
#define EMBED_ROW(type, TYPE, set) TYPED(embed, KERNEL_EMBED, type, TYPE, set, ISA_PORTABLE),
#define PLAIN(member, OP, function, set, SET) \
    { \
        .name = #function "_" #set, .op = OP, .dtype = DTYPE_F32, .isa = SET, \
        .run.member = function##_##set \
    }

/* What a row's activations go through first. Two macros, since a comma would split an argument. */
#define BY(function, bytes) .prepare = function, .prepared_bytes = bytes
#define BY_STEPS(function, bytes, weights) \
    .prepare = function, .prepared_bytes = bytes, .step = weights

static const struct kernel kernel_table[] = {
#if defined(__x86_64__)
    PLAIN(read, KERNEL_READ, read, avx512, ISA_AVX2 | ISA_AVX512),
    MATVEC(f32, DTYPE_F32, avx512, ISA_AVX2 | ISA_AVX512),
    MATVEC(f16, DTYPE_F16, avx512, ISA_AVX2 | ISA_AVX512),
    MATVEC(bf16, DTYPE_BF16, avx512, ISA_AVX2 | ISA_AVX512),
    MATVEC_PREPARED(q8_0, DTYPE_Q8_0, avx512, ISA_AVX2 | ISA_AVX512,
                    BY_STEPS(prepare_q8_0_avx512, prepared_q8_0_bytes_avx512, 4 * QUANT_BLOCK)),
    MATVEC_PREPARED(q4_0, DTYPE_Q4_0, avx512, ISA_AVX2 | ISA_AVX512,
                    BY_STEPS(prepare_q4_0_avx512, prepared_q4_0_bytes_avx512, 4 * QUANT_BLOCK)),
    MATMUL(f32, DTYPE_F32, avx512, ISA_AVX2 | ISA_AVX512, matmul_scratch_bytes_avx512),
    MATMUL(f16, DTYPE_F16, avx512, ISA_AVX2 | ISA_AVX512, matmul_scratch_bytes_avx512),
    MATMUL(bf16, DTYPE_BF16, avx512, ISA_AVX2 | ISA_AVX512, matmul_scratch_bytes_avx512),
    MATMUL_PREPARED(q8_0, DTYPE_Q8_0, avx512, ISA_AVX2 | ISA_AVX512,
                    BY(prepare_q8_0_avx512, prepared_q8_0_bytes_avx512),
                    matmul_quant_scratch_bytes_avx512),
    MATMUL_PREPARED(q4_0, DTYPE_Q4_0, avx512, ISA_AVX2 | ISA_AVX512,
                    BY(prepare_q4_0_avx512, prepared_q4_0_bytes_avx512),
                    matmul_quant_scratch_bytes_avx512),
    ATTENTION(f32, DTYPE_F32, avx512, ISA_AVX2 | ISA_AVX512),
    ATTENTION(f16, DTYPE_F16, avx512, ISA_AVX2 | ISA_AVX512),
    ATTENTION(bf16, DTYPE_BF16, avx512, ISA_AVX2 | ISA_AVX512),
    ATTENTION(q8_0, DTYPE_Q8_0, avx512, ISA_AVX2 | ISA_AVX512),
    TYPED(embed, KERNEL_EMBED, f16, DTYPE_F16, avx512, ISA_AVX2 | ISA_AVX512),
    TYPED(embed, KERNEL_EMBED, bf16, DTYPE_BF16, avx512, ISA_AVX2 | ISA_AVX512),
    TYPED(embed, KERNEL_EMBED, q8_0, DTYPE_Q8_0, avx512, ISA_AVX2 | ISA_AVX512),
    TYPED(store, KERNEL_STORE, f16, DTYPE_F16, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(norm, KERNEL_RMS_NORM, rms_norm, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(norm, KERNEL_LAYER_NORM, layer_norm, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(rope, KERNEL_ROPE, rope, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(activation, KERNEL_SILU, silu, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(activation, KERNEL_GELU, gelu, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(activation, KERNEL_RELU, relu, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(add, KERNEL_ADD, add, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(softmax, KERNEL_SOFTMAX, softmax, avx512, ISA_AVX2 | ISA_AVX512),
    PLAIN(argmax, KERNEL_ARGMAX, argmax, avx512, ISA_AVX2 | ISA_AVX512),
    MATVEC_PREPARED(b1, DTYPE_B1, avx512, ISA_AVX2 | ISA_AVX512 | ISA_AVX512_POPCNT,
                    BY(prepare_b1_avx2, prepared_b1_bytes_portable)),
    MATMUL_PREPARED(b1, DTYPE_B1, avx512, ISA_AVX2 | ISA_AVX512 | ISA_AVX512_POPCNT,
                    BY(prepare_b1_avx2, prepared_b1_bytes_portable), NULL),
    PLAIN(read, KERNEL_READ, read, avx2, ISA_AVX2),
    MATVEC(f32, DTYPE_F32, avx2, ISA_AVX2),
    MATVEC(f16, DTYPE_F16, avx2, ISA_AVX2),
    MATVEC(bf16, DTYPE_BF16, avx2, ISA_AVX2),
    MATVEC_PREPARED(q8_0, DTYPE_Q8_0, avx2, ISA_AVX2,
                    BY(prepare_q8_0_avx2, prepared_q8_0_bytes_portable)),
    MATVEC_PREPARED(q4_0, DTYPE_Q4_0, avx2, ISA_AVX2,
                    BY(prepare_q8_0_avx2, prepared_q8_0_bytes_portable)),
    MATVEC_PREPARED(b1, DTYPE_B1, avx2, ISA_AVX2, BY(prepare_b1_avx2, prepared_b1_bytes_portable)),
    MATMUL(f32, DTYPE_F32, avx2, ISA_AVX2, matmul_scratch_bytes_avx2),
    MATMUL(f16, DTYPE_F16, avx2, ISA_AVX2, matmul_scratch_bytes_avx2),
    MATMUL(bf16, DTYPE_BF16, avx2, ISA_AVX2, matmul_scratch_bytes_avx2),
    MATMUL_PREPARED(q8_0, DTYPE_Q8_0, avx2, ISA_AVX2, BY(requantise_avx2, requantised_bytes_avx2),
                    matmul_scratch_bytes_avx2),
    MATMUL_PREPARED(q4_0, DTYPE_Q4_0, avx2, ISA_AVX2, BY(requantise_avx2, requantised_bytes_avx2),
                    matmul_scratch_bytes_avx2),
    MATMUL_PREPARED(b1, DTYPE_B1, avx2, ISA_AVX2, BY(prepare_b1_avx2, prepared_b1_bytes_portable),
                    NULL),
    ATTENTION(f32, DTYPE_F32, avx2, ISA_AVX2),
    ATTENTION(f16, DTYPE_F16, avx2, ISA_AVX2),
    ATTENTION(bf16, DTYPE_BF16, avx2, ISA_AVX2),
    ATTENTION(q8_0, DTYPE_Q8_0, avx2, ISA_AVX2),
    TYPED(embed, KERNEL_EMBED, f16, DTYPE_F16, avx2, ISA_AVX2),
    TYPED(embed, KERNEL_EMBED, bf16, DTYPE_BF16, avx2, ISA_AVX2),
    TYPED(embed, KERNEL_EMBED, q8_0, DTYPE_Q8_0, avx2, ISA_AVX2),
    TYPED(store, KERNEL_STORE, f16, DTYPE_F16, avx2, ISA_AVX2),
    PLAIN(norm, KERNEL_RMS_NORM, rms_norm, avx2, ISA_AVX2),
    PLAIN(norm, KERNEL_LAYER_NORM, layer_norm, avx2, ISA_AVX2),
    PLAIN(rope, KERNEL_ROPE, rope, avx2, ISA_AVX2),
    PLAIN(activation, KERNEL_SILU, silu, avx2, ISA_AVX2),
    PLAIN(activation, KERNEL_GELU, gelu, avx2, ISA_AVX2),
    PLAIN(activation, KERNEL_RELU, relu, avx2, ISA_AVX2),
    PLAIN(add, KERNEL_ADD, add, avx2, ISA_AVX2),
    PLAIN(softmax, KERNEL_SOFTMAX, softmax, avx2, ISA_AVX2),
    PLAIN(argmax, KERNEL_ARGMAX, argmax, avx2, ISA_AVX2),
#elif defined(__aarch64__)
    PLAIN(read, KERNEL_READ, read, neon, ISA_NEON),
    MATVEC(f32, DTYPE_F32, neon, ISA_NEON),
    MATVEC(f16, DTYPE_F16, neon, ISA_NEON),
    MATVEC(bf16, DTYPE_BF16, neon, ISA_NEON),
    MATVEC_PREPARED(q8_0, DTYPE_Q8_0, neon, ISA_NEON,
                    BY(prepare_q8_0_neon, prepared_q8_0_bytes_portable)),
    MATVEC_PREPARED(q4_0, DTYPE_Q4_0, neon, ISA_NEON,
                    BY(prepare_q8_0_neon, prepared_q8_0_bytes_portable)),
    MATVEC_PREPARED(b1, DTYPE_B1, neon, ISA_NEON,
                    BY(prepare_b1_portable, prepared_b1_bytes_portable)),
    MATMUL(f32, DTYPE_F32, neon, ISA_NEON, matmul_scratch_bytes_neon),
    MATMUL(f16, DTYPE_F16, neon, ISA_NEON, matmul_scratch_bytes_neon),
    MATMUL(bf16, DTYPE_BF16, neon, ISA_NEON, matmul_scratch_bytes_neon),
    MATMUL_PREPARED(q8_0, DTYPE_Q8_0, neon, ISA_NEON, BY(requantise_neon, requantised_bytes_neon),
                    matmul_scratch_bytes_neon),
    MATMUL_PREPARED(q4_0, DTYPE_Q4_0, neon, ISA_NEON, BY(requantise_neon, requantised_bytes_neon),
                    matmul_scratch_bytes_neon),
    MATMUL_PREPARED(b1, DTYPE_B1, neon, ISA_NEON,
                    BY(prepare_b1_portable, prepared_b1_bytes_portable), NULL),
    ATTENTION(f32, DTYPE_F32, neon, ISA_NEON),
    ATTENTION(f16, DTYPE_F16, neon, ISA_NEON),
    ATTENTION(bf16, DTYPE_BF16, neon, ISA_NEON),
    ATTENTION(q8_0, DTYPE_Q8_0, neon, ISA_NEON),
    TYPED(embed, KERNEL_EMBED, f16, DTYPE_F16, neon, ISA_NEON),
    TYPED(embed, KERNEL_EMBED, bf16, DTYPE_BF16, neon, ISA_NEON),
    TYPED(embed, KERNEL_EMBED, q8_0, DTYPE_Q8_0, neon, ISA_NEON),
    TYPED(store, KERNEL_STORE, f16, DTYPE_F16, neon, ISA_NEON),
    PLAIN(norm, KERNEL_RMS_NORM, rms_norm, neon, ISA_NEON),
    PLAIN(norm, KERNEL_LAYER_NORM, layer_norm, neon, ISA_NEON),
    PLAIN(rope, KERNEL_ROPE, rope, neon, ISA_NEON),
    PLAIN(activation, KERNEL_SILU, silu, neon, ISA_NEON),
    PLAIN(activation, KERNEL_GELU, gelu, neon, ISA_NEON),
    PLAIN(activation, KERNEL_RELU, relu, neon, ISA_NEON),
    PLAIN(add, KERNEL_ADD, add, neon, ISA_NEON),
    PLAIN(softmax, KERNEL_SOFTMAX, softmax, neon, ISA_NEON),
    PLAIN(argmax, KERNEL_ARGMAX, argmax, neon, ISA_NEON),
#endif
    PLAIN(read, KERNEL_READ, read, portable, ISA_PORTABLE),
    MATVEC(f32, DTYPE_F32, portable, ISA_PORTABLE),
    MATVEC(f16, DTYPE_F16, portable, ISA_PORTABLE),
    MATVEC(bf16, DTYPE_BF16, portable, ISA_PORTABLE),
    MATVEC_PREPARED(q8_0, DTYPE_Q8_0, portable, ISA_PORTABLE,
                    BY(prepare_q8_0_portable, prepared_q8_0_bytes_portable)),
    MATVEC_PREPARED(q4_0, DTYPE_Q4_0, portable, ISA_PORTABLE,
                    BY(prepare_q8_0_portable, prepared_q8_0_bytes_portable)),
    MATVEC_PREPARED(b1, DTYPE_B1, portable, ISA_PORTABLE,
                    BY(prepare_b1_portable, prepared_b1_bytes_portable)),
    MATMUL(f32, DTYPE_F32, portable, ISA_PORTABLE, NULL),
    MATMUL(f16, DTYPE_F16, portable, ISA_PORTABLE, NULL),
    MATMUL(bf16, DTYPE_BF16, portable, ISA_PORTABLE, NULL),
    MATMUL_PREPARED(q8_0, DTYPE_Q8_0, portable, ISA_PORTABLE,
                    BY(prepare_q8_0_portable, prepared_q8_0_bytes_portable), NULL),
    MATMUL_PREPARED(q4_0, DTYPE_Q4_0, portable, ISA_PORTABLE,
                    BY(prepare_q8_0_portable, prepared_q8_0_bytes_portable), NULL),
    MATMUL_PREPARED(b1, DTYPE_B1, portable, ISA_PORTABLE,
                    BY(prepare_b1_portable, prepared_b1_bytes_portable), NULL),
    ATTENTION(f32, DTYPE_F32, portable, ISA_PORTABLE),
    ATTENTION(f16, DTYPE_F16, portable, ISA_PORTABLE),
    ATTENTION(bf16, DTYPE_BF16, portable, ISA_PORTABLE),
    ATTENTION(q8_0, DTYPE_Q8_0, portable, ISA_PORTABLE),
    /* clang-format off */
    RUN_TYPES(EMBED_ROW, portable)
    /* clang-format on */
    TYPED(store, KERNEL_STORE, f32, DTYPE_F32, portable, ISA_PORTABLE),
    TYPED(store, KERNEL_STORE, f16, DTYPE_F16, portable, ISA_PORTABLE),
    TYPED(store, KERNEL_STORE, bf16, DTYPE_BF16, portable, ISA_PORTABLE),
    TYPED(store, KERNEL_STORE, q8_0, DTYPE_Q8_0, portable, ISA_PORTABLE),
    PLAIN(norm, KERNEL_RMS_NORM, rms_norm, portable, ISA_PORTABLE),
    PLAIN(norm, KERNEL_LAYER_NORM, layer_norm, portable, ISA_PORTABLE),
    PLAIN(rope, KERNEL_ROPE, rope, portable, ISA_PORTABLE),
    PLAIN(activation, KERNEL_SILU, silu, portable, ISA_PORTABLE),
    PLAIN(activation, KERNEL_GELU, gelu, portable, ISA_PORTABLE),
    PLAIN(activation, KERNEL_RELU, relu, portable, ISA_PORTABLE),
    PLAIN(add, KERNEL_ADD, add, portable, ISA_PORTABLE),
    PLAIN(softmax, KERNEL_SOFTMAX, softmax, portable, ISA_PORTABLE),
    PLAIN(argmax, KERNEL_ARGMAX, argmax, portable, ISA_PORTABLE),
};

const char *kernel_op_name(enum kernel_op op)
{
    static const char *const names[N_KERNEL_OPS] = {
        "read", "matvec", "matmul", "attention", "embed", "store",   "rms_norm", "layer_norm",
        "rope", "silu",   "gelu",   "relu",      "add",   "softmax", "argmax",
    };
    assert(op < N_KERNEL_OPS);
    return names[op];
}

const struct kernel *kernel_rows(int *n)
{
    *n = (int)(sizeof kernel_table / sizeof *kernel_table);
    return kernel_table;
}

const struct kernel *kernel_find(enum kernel_op op, enum dtype dtype, unsigned isa)
{
    for (size_t i = 0; i < sizeof kernel_table / sizeof *kernel_table; i++) {
        const struct kernel *row = &kernel_table[i];
        if (row->op == op && row->dtype == dtype && (row->isa & isa) == row->isa)
            return row;
    }
    return NULL;
}

int64_t kernel_prepared_bytes(const struct kernel *kernel, int64_t k)
{
    return kernel->prepared_bytes != NULL ? kernel->prepared_bytes(k) : 4 * k;
}

int64_t kernel_scratch_bytes(const struct kernel *kernel, int64_t k)
{
    return kernel->scratch_bytes != NULL ? kernel->scratch_bytes(k) : 0;
}

const void *kernel_prepare(const struct kernel *kernel, int64_t k, const float *x, void *buffer)
{
    if (kernel->prepare == NULL)
        return x;
    kernel->prepare(k, x, buffer);
    return buffer;
}

void kernel_rope_table(int64_t position, int64_t d_rotary, double theta, float *cosine, float *sine)
{
    for (int64_t i = 0; i < d_rotary / 2; i++) {
        double angle = (double)position * pow(theta, -2.0 * (double)i / (double)d_rotary);
        cosine[i] = (float)cos(angle);
        sine[i] = (float)sin(angle);
    }
}

/* Keys that the m tokens after `context` see, all together. */
static int64_t pairs_seen(const struct kernel_shape *s)
{
    return s->m * s->context + s->m * (s->m + 1) / 2;
}

int64_t kernel_flop(const struct kernel *kernel, const struct kernel_shape *s)
{
    switch (kernel->op) {
    case KERNEL_MATVEC:
        return 2 * s->n * s->k;
    case KERNEL_MATMUL:
        return 2 * s->m * s->n * s->k;
    case KERNEL_ATTENTION:
        return 4 * pairs_seen(s) * s->n * s->k;
    case KERNEL_READ:
        return s->n / 4;
    default:
        return s->m * s->n;
    }
}

int64_t kernel_bytes(const struct kernel *kernel, const struct kernel_shape *s)
{
    switch (kernel->op) {
    case KERNEL_READ:
        return s->n;
    case KERNEL_MATVEC:
    case KERNEL_MATMUL:
        return s->n * dtype_row_bytes(kernel->dtype, s->k);
    case KERNEL_ATTENTION:
        return 2 * s->n_kv_heads * (s->context + s->m) * dtype_row_bytes(kernel->dtype, s->k);
    case KERNEL_EMBED:
    case KERNEL_STORE:
        return s->m * dtype_row_bytes(kernel->dtype, s->n);
    default:
        return 4 * s->m * s->n;
    }
}
