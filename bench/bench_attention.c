/* How fast attention of one token reads its keys and values, by head size: from a cache and from
 * memory, ns a byte beside those of a plain read, rounds interleaved, the least of each.
 *
 *   bench_attention [rounds [cache type]]     15 rounds, f16. LATHE_ISA narrows the kernels
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernels/cpu.h"
#include "kernels/kernel.h"
#include "runtime/pages.h"
#include "timing/timing.h"

enum { N_HEADS = 4, N_GROUPS = 2, N_SIZES = 2, CONTEXT = 1024, WIDTH = 256, MOST_ROUNDS = 200 };
static const int64_t heads[N_HEADS] = {32, 64, 128, 256};
static const int64_t sizes[N_SIZES] = {8 << 20, 128 << 20}; /* within a last cache, and not */

struct space {
    const struct kernel *attention, *read;
    char *data;
    float *q, *out;
    void *scratch;
    uint32_t seen;
};

/* ns a byte of one walk over layers of WIDTH / d_head kv heads that fill `bytes`. */
static double walk(struct space *s, int64_t d_head, int64_t group, int64_t bytes)
{
    int64_t kv_heads = WIDTH / d_head, row = dtype_row_bytes(s->attention->dtype, d_head);
    int64_t layer = 2 * kv_heads * CONTEXT * row, n_layers = bytes / layer;
    int64_t start = timing_thread_ns();
    for (int64_t i = 0; i < n_layers; i++) {
        const char *k = s->data + i * layer;
        struct attention a = {.n_heads = kv_heads * group,
                              .n_kv_heads = kv_heads,
                              .d_head = d_head,
                              .k = k,
                              .v = k + layer / 2,
                              .head_bytes = CONTEXT * row,
                              .row_bytes = row,
                              .first = CONTEXT - 1,
                              .scale = 0.1f};
        s->attention->run.attention(&a, s->q, 0, s->out, 0, 0, 1, 0, a.n_heads, s->scratch);
    }
    return (double)(timing_thread_ns() - start) / (double)(n_layers * layer);
}

static double plain(struct space *s, int64_t bytes)
{
    int64_t start = timing_thread_ns();
    s->seen += s->read->run.read(s->data, bytes);
    return (double)(timing_thread_ns() - start) / (double)bytes;
}

static void keep_least(double ns, double *least)
{
    *least = *least == 0 || ns < *least ? ns : *least;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 15;
    double read[N_SIZES] = {0}, least[N_SIZES][N_HEADS][N_GROUPS] = {0};
    enum dtype dtype = DTYPE_F16;
    unsigned isa;
    struct err err;
    if (rounds < 1 || rounds > MOST_ROUNDS || cpu_isa(NULL, &isa, &err) != STATUS_OK ||
        (argc > 2 && dtype_parse(argv[2], &dtype, &err) != STATUS_OK) ||
        kernel_find(KERNEL_ATTENTION, dtype, isa) == NULL) {
        fprintf(stderr, "bench_attention: 1 to %d rounds, a cache in f32, f16, bf16 or q8_0\n",
                MOST_ROUNDS);
        return 2;
    }
    struct space s = {.attention = kernel_find(KERNEL_ATTENTION, dtype, isa),
                      .read = kernel_find(KERNEL_READ, DTYPE_F32, isa),
                      .data = pages_new(sizes[N_SIZES - 1]),
                      .q = memory_new((size_t)WIDTH * N_GROUPS, sizeof(float)),
                      .out = memory_new((size_t)WIDTH * N_GROUPS, sizeof(float))};
    s.scratch = memory_new_aligned((size_t)kernel_scratch_bytes(s.attention, heads[N_HEADS - 1]));
    if (!s.data || !s.q || !s.out || !s.scratch) {
        fprintf(stderr, "bench_attention: out of memory\n");
        return 1;
    }
    for (int64_t i = 0; i < sizes[N_SIZES - 1]; i += 4096)
        s.data[i] = 0;
    for (int round = 0; round < rounds; round++)
        for (int size = 0; size < N_SIZES; size++) {
            plain(&s, sizes[size]); /* what is near is this walk's */
            keep_least(plain(&s, sizes[size]), &read[size]);
            for (int h = 0; h < N_HEADS; h++)
                for (int g = 0; g < N_GROUPS; g++)
                    keep_least(walk(&s, heads[h], g + 1, sizes[size]), &least[size][h][g]);
        }
    printf("%-22s %8s", s.attention->name, "read");
    for (int h = 0; h < N_HEADS; h++)
        for (int g = 0; g < N_GROUPS; g++)
            printf("  %3d x%d", (int)heads[h], g + 1);
    printf("   ns a byte by head size x query heads a group\n");
    for (int size = 0; size < N_SIZES; size++) {
        printf("%4d MiB                %8.4f", (int)(sizes[size] >> 20), read[size]);
        for (int h = 0; h < N_HEADS; h++)
            for (int g = 0; g < N_GROUPS; g++)
                printf(" %7.4f", least[size][h][g]);
        printf("\n");
    }
    pages_free(s.data, sizes[N_SIZES - 1]);
    memory_free(s.q);
    memory_free(s.out);
    memory_free(s.scratch);
    return 0;
}
