/* Compute rate of matmul (prefill) by type, tokens and threads, weights in cache or not as the
 * shape makes it.
 *
 *   bench_matmul [n k]      LATHE_ISA narrows the kernels
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/stats.h"
#include "kernels/threaded.h"
#include "model/quantize.h"
#include "timing/timing.h"

struct call {
    const struct kernel *kernel;
    int64_t m, n, k, x_bytes;
    const void *w, *x;
    float *y;
    void *scratch;
    int threads;
};

static void run(void *context)
{
    struct call *c = context;
    threaded_matmul(c->kernel, c->m, c->n, c->k, c->w, c->x, c->x_bytes, c->y, c->scratch,
                    c->threads);
}

int main(int argc, char **argv)
{
    static const enum dtype types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16,
                                       DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_B1};
    static const int64_t tokens[] = {8, 128, 512};
    enum { N_TYPES = sizeof types / sizeof *types, N_TOKENS = sizeof tokens / sizeof *tokens };
    int64_t n = argc == 3 ? atoll(argv[1]) : 1536, k = argc == 3 ? atoll(argv[2]) : 576, most = 512;
    unsigned isa;
    if (n < 1 || k < 1 || n > 65536 || k > 65536 || cpu_isa(NULL, &isa, NULL) != STATUS_OK) {
        fprintf(stderr, "bench_matmul: n and k 1 .. 65536, LATHE_ISA best|portable|avx2|avx512\n");
        return 2;
    }
    float *row = memory_new((size_t)(most * k), sizeof *row);
    void *w = memory_new_aligned((size_t)(4 * n * k));
    uint8_t *prepared = memory_new_aligned((size_t)(most * (8 * k + 1024)));
    float *y = memory_new((size_t)(most * n), sizeof *y);
    void *scratch = memory_new_aligned((size_t)32 << 20);
    if (!row || !w || !prepared || !y || !scratch) {
        fprintf(stderr, "bench_matmul: out of memory\n");
        return 1;
    }
    struct rng rng;
    rng_init(&rng, 1);
    for (int64_t i = 0; i < most * k; i++)
        row[i] = (float)rng_normal(&rng);
    printf("%-22s %6s %6s %6s %8s %9s %7s\n", "kernel", "m", "n", "k", "threads", "GFLOP/s",
           "MAD %");
    for (int type = 0; type < N_TYPES; type++) {
        for (int64_t r = 0; r < n; r++)
            quantize_row(types[type], k, row + r % most * k,
                         (char *)w + r * dtype_row_bytes(types[type], k));
        for (int t = 0; t < N_TOKENS; t++) {
            for (int threads = 1; threads <= 2; threads++) {
                struct call c = {.kernel = kernel_find(KERNEL_MATMUL, types[type], isa),
                                 .m = tokens[t],
                                 .n = n,
                                 .k = k,
                                 .w = w,
                                 .x = row,
                                 .y = y,
                                 .scratch = scratch,
                                 .threads = threads};
                struct timing timing;
                struct timing_plan plan = timing_plan_default();
                plan.thread_time = threads == 1; /* losing the core does not count */
                c.x_bytes = kernel_prepared_bytes(c.kernel, k);
                for (int64_t i = 0; i < c.m && c.kernel->prepare != NULL; i++) {
                    c.kernel->prepare(k, row + i * k, prepared + i * c.x_bytes);
                    c.x = prepared;
                }
                timing_run(run, &c, &plan, &timing);
                struct kernel_shape shape = {.m = c.m, .n = n, .k = k};
                printf("%-22s %6lld %6lld %6lld %8d %9.1f %7.1f\n", c.kernel->name, (long long)c.m,
                       (long long)n, (long long)k, threads,
                       (double)kernel_flop(c.kernel, &shape) / timing.median_ns,
                       100 * timing.mad_ns / timing.median_ns);
                fflush(stdout);
            }
        }
    }
    memory_free(row);
    memory_free(w);
    memory_free(prepared);
    memory_free(y);
    memory_free(scratch);
    return 0;
}
