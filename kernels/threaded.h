/* Kernels with a thread count: each call runs the slices inside one OpenMP region.
 *
 * For a single operator. A network stays inside one region for a whole pass and calls the slices
 * itself. With one thread there is no parallel region at all. */
#ifndef LATHE_KERNELS_THREADED_H
#define LATHE_KERNELS_THREADED_H

#include <stdatomic.h>

#include "kernels/kernel.h"

uint32_t threaded_read(const struct kernel *kernel, const void *data, int64_t bytes, int n_threads);

/* x as prepared. w: [n, k]; y: [n]. */
void threaded_matvec(const struct kernel *kernel, int64_t n, int64_t k, const void *w,
                     const void *x, float *y, int n_threads);

/* x: [m] tokens at x_bytes, as prepared; y: [m, n]. scratch: n_threads times
 * threaded_scratch_bytes(kernel, k), aligned to 64. */
void threaded_matmul(const struct kernel *kernel, int64_t m, int64_t n, int64_t k, const void *w,
                     const void *x, int64_t x_bytes, float *y, void *scratch, int n_threads);

/* q, out: [m, n_heads * d_head]. scratch as for threaded_matmul with k = d_head. Threads split the
 * heads. */
void threaded_attention(const struct kernel *kernel, const struct attention *a, int64_t m,
                        const float *q, float *out, void *scratch, int n_threads);

/* One thread's scratch, a multiple of 64. */
int64_t threaded_scratch_bytes(const struct kernel *kernel, int64_t k);

/* A barrier inside one parallel region: all go on when the last has come. A waiting thread spins
 * for some microseconds, yields for about a millisecond, then sleeps a little at a time, since
 * shared machines lose cores for milliseconds. */
struct team_barrier {
    int n_threads;
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_int round;
};
void team_barrier_init(struct team_barrier *barrier, int n_threads);
void team_barrier_wait(struct team_barrier *barrier); /* one thread: returns at once */

/* Binds thread i of regions of n_threads to the i-th processor this process may use, for the rest
 * of the process; where the system cannot, nothing happens. */
void threaded_pin(int n_threads);

#endif
