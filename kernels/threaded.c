#include "kernels/threaded.h"

#include <omp.h>
#include <sched.h>
#include <time.h>

/* Grain of a slice of rows: 16 floats of y are a cache line. */
enum { ROWS = 16 };

static uint32_t read_slice(const struct kernel *kernel, const uint8_t *data, int64_t bytes,
                           int part, int parts)
{
    int64_t begin, end;
    kernel_slice(bytes, 4096, part, parts, &begin, &end);
    return kernel->run.read(data + begin, end - begin);
}

uint32_t threaded_read(const struct kernel *kernel, const void *data, int64_t bytes, int n_threads)
{
    if (n_threads == 1)
        return kernel->run.read(data, bytes);
    uint32_t sum = 0;
#pragma omp parallel num_threads(n_threads) reduction(+ : sum)
    sum += read_slice(kernel, data, bytes, omp_get_thread_num(), omp_get_num_threads());
    return sum;
}

void threaded_matvec(const struct kernel *kernel, int64_t n, int64_t k, const void *w,
                     const void *x, float *y, int n_threads)
{
    if (n_threads == 1) {
        kernel->run.matvec(k, w, x, y, 0, n);
        return;
    }
#pragma omp parallel num_threads(n_threads)
    {
        int64_t begin, end;
        kernel_slice(n, ROWS, omp_get_thread_num(), omp_get_num_threads(), &begin, &end);
        kernel->run.matvec(k, w, x, y, begin, end);
    }
}

int64_t threaded_scratch_bytes(const struct kernel *kernel, int64_t k)
{
    return (kernel_scratch_bytes(kernel, k) + 63) / 64 * 64;
}

void threaded_matmul(const struct kernel *kernel, int64_t m, int64_t n, int64_t k, const void *w,
                     const void *x, int64_t x_bytes, float *y, void *scratch, int n_threads)
{
    if (n_threads == 1) {
        kernel->run.matmul(m, k, w, x, x_bytes, y, n, 0, n, scratch);
        return;
    }
    int64_t scratch_bytes = threaded_scratch_bytes(kernel, k);
#pragma omp parallel num_threads(n_threads)
    {
        int thread = omp_get_thread_num();
        int64_t begin, end;
        kernel_slice(n, ROWS, thread, omp_get_num_threads(), &begin, &end);
        kernel->run.matmul(m, k, w, x, x_bytes, y, n, begin, end,
                           (uint8_t *)scratch + thread * scratch_bytes);
    }
}

void threaded_attention(const struct kernel *kernel, const struct attention *a, int64_t m,
                        const float *q, float *out, void *scratch, int n_threads)
{
    int64_t stride = a->n_heads * a->d_head;
    if (n_threads == 1) {
        kernel->run.attention(a, q, stride, out, stride, 0, m, 0, a->n_heads, scratch);
        return;
    }
    int64_t scratch_bytes = threaded_scratch_bytes(kernel, a->d_head);
#pragma omp parallel num_threads(n_threads)
    {
        int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        int64_t begin, end;
        kernel_slice(a->n_heads, 1, thread, threads, &begin, &end);
        kernel->run.attention(a, q, stride, out, stride, 0, m, begin, end,
                              (uint8_t *)scratch + thread * scratch_bytes);
    }
}

void threaded_pin(int n_threads)
{
    if (n_threads == 1) {
        cpu_pin_thread(0);
        return;
    }
#pragma omp parallel num_threads(n_threads)
    cpu_pin_thread(omp_get_thread_num());
}

void team_barrier_init(struct team_barrier *barrier, int n_threads)
{
    barrier->n_threads = n_threads;
    atomic_init(&barrier->arrived, 0);
    atomic_init(&barrier->round, 0);
}

static inline void pause_a_moment(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pause");
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void team_barrier_wait(struct team_barrier *barrier)
{
    enum { SPINS = 4000, YIELDS = 4000 };
    /* Whoever still waits after that waits for a thread that has lost its processor: sleeping gives
     * it one, where yielding on a loaded machine does not always. */
    static const struct timespec moment = {.tv_nsec = 20000};
    if (barrier->n_threads == 1)
        return;
    int round = atomic_load_explicit(&barrier->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) ==
        barrier->n_threads - 1) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->round, round + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&barrier->round, memory_order_acquire) == round;
         spins++) {
        if (spins < SPINS) {
            pause_a_moment();
        } else if (spins < SPINS + YIELDS) {
            sched_yield();
        } else {
            nanosleep(&moment, NULL);
        }
    }
}
