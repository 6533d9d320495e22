#include "kernels/check.h"

#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "base/stats.h"
#include "kernels/rows.h"
#include "model/quantize.h"

/* One small problem: a [N, K] matrix for M tokens, or a cache of CONTEXT positions. */
enum { M = 5, N = 24, K = 160, HEADS = 4, KV_HEADS = 2, D_HEAD = 40, CONTEXT = 70 };

struct bench {
    float *x;   /* [M, K] or queries */
    uint8_t *w; /* rows, or k and v one after the other */
    uint8_t *prepared, *scratch;
    float *got, *want;
};

static bool bench_init(struct bench *b)
{
    b->x = memory_new((size_t)M * K, sizeof *b->x);
    b->w = memory_new((size_t)2 * KV_HEADS * CONTEXT * D_HEAD + (size_t)N * K, 4);
    b->prepared = memory_new_aligned((size_t)1 << 16);
    b->scratch = memory_new_aligned((size_t)1 << 20);
    b->got = memory_new((size_t)M * K, sizeof *b->got);
    b->want = memory_new((size_t)M * K, sizeof *b->want);
    return b->x && b->w && b->prepared && b->scratch && b->got && b->want;
}

static void bench_release(struct bench *b)
{
    memory_free(b->x);
    memory_free(b->w);
    memory_free(b->prepared);
    memory_free(b->scratch);
    memory_free(b->got);
    memory_free(b->want);
}

static void fill(struct bench *b, enum dtype dtype, int64_t n_rows, int64_t k)
{
    struct rng rng;
    float row[K];
    rng_init(&rng, 1);
    for (int64_t i = 0; i < (int64_t)M * K; i++)
        b->x[i] = (float)rng_normal(&rng);
    for (int64_t r = 0; r < n_rows; r++) {
        for (int64_t i = 0; i < k; i++)
            row[i] = (float)rng_normal(&rng);
        quantize_row(dtype, k, row, b->w + r * dtype_row_bytes(dtype, k));
    }
}

static void run_matrix(const struct kernel *kernel, const struct bench *b, float *y)
{
    int64_t x_bytes = kernel_prepared_bytes(kernel, K);
    const void *x = b->x;
    for (int64_t t = 0; t < M && kernel->prepare != NULL; t++) {
        kernel->prepare(K, b->x + t * K, b->prepared + t * x_bytes);
        x = b->prepared;
    }
    if (kernel->op == KERNEL_MATVEC)
        kernel->run.matvec(K, b->w, x, y, 0, N);
    else
        kernel->run.matmul(M, K, b->w, x, x_bytes, y, N, 0, N, b->scratch);
}

static void run_attention(const struct kernel *kernel, const struct bench *b, float *out)
{
    int64_t row_bytes = dtype_row_bytes(kernel->dtype, D_HEAD);
    struct attention a = {.n_heads = HEADS,
                          .n_kv_heads = KV_HEADS,
                          .d_head = D_HEAD,
                          .k = b->w,
                          .v = b->w + KV_HEADS * CONTEXT * row_bytes,
                          .head_bytes = CONTEXT * row_bytes,
                          .row_bytes = row_bytes,
                          .first = CONTEXT - M,
                          .scale = 1 / sqrtf((float)D_HEAD)};
    kernel->run.attention(&a, b->x, K, out, K, 0, M, 0, HEADS, b->scratch);
}

enum status kernel_check(const struct kernel *kernel, struct err *err)
{
    const struct kernel *portable = kernel_find(kernel->op, kernel->dtype, ISA_PORTABLE);
    struct bench b = {0};
    enum status status = STATUS_OK;
    bool attention = kernel->op == KERNEL_ATTENTION;
    int64_t n = attention ? (int64_t)M * K : kernel->op == KERNEL_MATMUL ? M * N : N;
    if (kernel == portable ||
        (kernel->op != KERNEL_MATVEC && kernel->op != KERNEL_MATMUL && !attention))
        return STATUS_OK;
    if (!bench_init(&b)) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    fill(&b, kernel->dtype, attention ? 2 * KV_HEADS * CONTEXT : N, attention ? D_HEAD : K);
    (attention ? run_attention : run_matrix)(kernel, &b, b.got);
    (attention ? run_attention : run_matrix)(portable, &b, b.want);
    double error = 0, power = 0;
    for (int64_t i = 0; i < n; i++) {
        double difference = (double)b.got[i] - (double)b.want[i];
        error += difference * difference;
        power += (double)b.want[i] * (double)b.want[i];
    }
    /* 2^-24 a rounding, K of them, and a margin of 100 in amplitude for exp and short sums. */
    if (!(error <= 1e4 * K * 0x1p-48 * power))
        status = err_set(err, STATUS_INPUT, "kernel '%s' disagrees with portable: NMSE %g",
                         kernel->name, error / power);
out:
    bench_release(&b);
    return status;
}
