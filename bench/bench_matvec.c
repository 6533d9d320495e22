/* How close matvec comes to reading: the rate at which cold weights stream through each type's
 * kernel, over that of a plain read-only sum of as many bytes, rounds interleaved.
 *
 *   bench_matvec [rounds [KiB]]     15 rounds over 196608 KiB, far beyond any last-level cache; a
 *                                   small size shows a cache instead. LATHE_ISA narrows the kernels
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "kernels/threaded.h"
#include "model/quantize.h"
#include "timing/timing.h"

enum { MAX_ROUNDS = 200, N_TYPES = 6, N_WIDTHS = 3 };
static const enum dtype types[N_TYPES] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16,
                                          DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_B1};
static const int64_t widths[N_WIDTHS] = {576, 1536, 2048};

/* One thread is timed by what it runs: losing its core does not count. */
static int64_t now_ns(int threads)
{
    return threads == 1 ? timing_thread_ns() : clock_ns();
}

static void fill(void *buffer, int64_t buffer_bytes, enum dtype dtype, int64_t k)
{
    /* One true row, copied: values do not change the time, but NaNs and subnormals would. */
    int64_t row_bytes = dtype_row_bytes(dtype, k);
    float *row = memory_new((size_t)k, sizeof *row);
    struct rng rng;
    rng_init(&rng, 1);
    for (int64_t i = 0; row != NULL && i < k; i++)
        row[i] = (float)rng_normal(&rng);
    for (int64_t at = 0; row != NULL && at + row_bytes <= buffer_bytes; at += row_bytes)
        quantize_row(dtype, k, row, (char *)buffer + at);
    memory_free(row);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 15;
    int64_t buffer_bytes = (argc > 2 ? atoll(argv[2]) : 192 << 10) << 10;
    int64_t walks = buffer_bytes < 64 << 20 ? (64 << 20) / (buffer_bytes + 1) + 1 : 1;
    unsigned isa;
    struct err err;
    if (rounds < 1 || buffer_bytes < 65536 || rounds > MAX_ROUNDS ||
        cpu_isa(NULL, &isa, &err) != STATUS_OK) {
        fprintf(
            stderr,
            "bench_matvec: 1 to %d rounds, 64 KiB or more, LATHE_ISA best|portable|avx2|avx512\n",
            MAX_ROUNDS);
        return 2;
    }
    const struct kernel *read = kernel_find(KERNEL_READ, DTYPE_F32, isa);
    void *w = memory_new_aligned((size_t)buffer_bytes);
    float *x = memory_new(8192, sizeof *x), *y = memory_new((size_t)buffer_bytes / 64, sizeof *y);
    void *prepared = memory_new_aligned(1 << 16);
    if (w == NULL || x == NULL || y == NULL || prepared == NULL) {
        fprintf(stderr, "bench_matvec: out of memory\n");
        return 1;
    }
    for (int i = 0; i < 8192; i++)
        x[i] = (float)(i % 17) - 8;
    printf("%-24s %7s %7s %9s %9s %7s\n", "kernel", "width", "threads", "read GB/s", "GB/s",
           "ratio");
    for (int type = 0; type < N_TYPES; type++) {
        for (int width = 0; width < N_WIDTHS; width++) {
            int64_t k = widths[width], row_bytes = dtype_row_bytes(types[type], k);
            int64_t n = buffer_bytes / row_bytes;
            n = n < buffer_bytes / 64 ? n : buffer_bytes / 64;
            double bytes = (double)(n * row_bytes * walks);
            const struct kernel *kernel = kernel_find(KERNEL_MATVEC, types[type], isa);
            fill(w, buffer_bytes, types[type], k);
            const void *in = kernel_prepare(kernel, k, x, prepared);
            for (int threads = 1; threads <= 2; threads++) {
                double read_gbps[MAX_ROUNDS], gbps[MAX_ROUNDS], ratio[MAX_ROUNDS];
                volatile uint32_t sink = 0;
                for (int round = -1; round < rounds; round++) {
                    int64_t start = now_ns(threads);
                    for (int64_t i = 0; i < walks; i++)
                        sink = sink + threaded_read(read, w, n * row_bytes, threads);
                    int64_t middle = now_ns(threads);
                    for (int64_t i = 0; i < walks; i++)
                        threaded_matvec(kernel, n, k, w, in, y, threads);
                    int64_t end = now_ns(threads);
                    if (round < 0)
                        continue;
                    read_gbps[round] = bytes / (double)(middle - start);
                    gbps[round] = bytes / (double)(end - middle);
                    ratio[round] = gbps[round] / read_gbps[round];
                }
                printf("%-24s %7lld %7d %9.1f %9.1f %7.2f\n", kernel->name, (long long)k, threads,
                       stats_median(read_gbps, (size_t)rounds), stats_median(gbps, (size_t)rounds),
                       stats_median(ratio, (size_t)rounds));
                fflush(stdout);
            }
        }
    }
    memory_free(w);
    memory_free(x);
    memory_free(y);
    memory_free(prepared);
    return 0;
}
