/* What calibration times: one function a case, each a timing with its place in the kernel table.
 *
 * In cases that stream weights every thread walks its own rows inside one parallel region and never
 * waits for the others. So the memory level and the kernel are timed, not the barrier, which is a
 * case of its own. */
#ifndef LATHE_TIMING_TIMED_CASES_H
#define LATHE_TIMING_TIMED_CASES_H

#include "kernels/threaded.h"
#include "timing/timing.h"

struct kernel_time {
    const struct kernel *kernel; /* NULL: no kernel (barrier, region, file) */
    const char *what;            /* "read", "matvec", "barrier", ... */
    struct kernel_shape shape;
    int threads;
    int64_t working_set_bytes;
    char cache_state[16]; /* a level's name ("dram" = cold), or "hot" */
    int64_t flop, bytes;  /* of one call */
    struct timing timing;
};

/* How many timings had most of their samples disturbed, that is, a thread lost its core during
 * them. Such samples are left out of summaries; those that others merely slowed down are not. */
size_t kernel_times_disturbed(const struct kernel_time *times, size_t n);

/* Buffers shared by the cases of one calibration. */
struct timed_space {
    unsigned isa;
    struct timing_plan plan;
    uint8_t *data; /* [data_bytes], aligned to a page */
    int64_t data_bytes;
    enum dtype filled; /* rows of `fill_k` that `data` holds; N_DTYPES: plain bytes */
    int64_t fill_k;
    float *x, *y;     /* 2^17 floats, data_bytes / 16 floats */
    uint8_t *scratch; /* 2^23 bytes */
};

enum status timed_space_init(struct timed_space *space, unsigned isa, int64_t data_bytes,
                             struct err *err);
void timed_space_release(struct timed_space *space);

/* The first `bytes` of the buffer, read again and again. */
void time_read(struct timed_space *space, int64_t bytes, int threads, struct kernel_time *out);
/* Rows of k weights (a multiple of 256, up to 65536) that fill `bytes`. */
void time_matvec(struct timed_space *space, enum dtype dtype, int64_t k, int64_t bytes, int threads,
                 struct kernel_time *out);
/* 128 tokens through a 512 x 1024 matrix. */
void time_matmul(struct timed_space *space, enum dtype dtype, int threads, struct kernel_time *out);
/* One token, 12 heads on 4 kv heads of 64, over `context` positions of f16; as many caches as fit
 * in `bytes`, in turn. */
void time_attention(struct timed_space *space, int64_t context, int64_t bytes, int threads,
                    struct kernel_time *out);

/* Small operators on one token of a network of width 1024, one thread, in cache. */
enum small_op {
    SMALL_NORM,
    SMALL_ROPE,       /* 16 heads of 64 */
    SMALL_ACTIVATION, /* 2816 elements, swiglu */
    SMALL_ADD,
    SMALL_EMBED,    /* a q8_0 row */
    SMALL_KV_STORE, /* k and v of 4 heads of 64, f16 */
    SMALL_SAMPLE,   /* argmax of 32000 */
    SMALL_PREPARE,  /* activations quantised for q8_0 */
    N_SMALL_OPS,
};
void time_small_op(struct timed_space *space, enum small_op op, struct kernel_time *out);

void time_barrier(struct timed_space *space, int threads, struct kernel_time *out);
void time_region(struct timed_space *space, int threads, struct kernel_time *out); /* fork, join */

#endif
