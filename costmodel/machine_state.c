#include "costmodel/machine_state.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "kernels/kernel.h"
#include "kernels/threaded.h"
#include "runtime/pages.h"

/* The arithmetic: products of 16 tokens with a matrix that, like them, fits the nearest caches. */
enum { SUM_M = 16, SUM_N = 64, SUM_K = 128, SUM_REPEATS = 100, MOST_THREADS = 64 };
enum { SUM_FLOATS = SUM_M * SUM_K + SUM_N * SUM_K + SUM_M * SUM_N + 4096 };
/* Reads go through a buffer in turns, so that no cache has what comes next. */
enum { READ_BYTES = 64 << 20, N_READS = 4 };
#define MOST_EXPONENT 1.2

struct state_probe {
    const struct kernel *matmul, *read;
    float *sums;   /* [MOST_THREADS, SUM_FLOATS] */
    uint8_t *data; /* [N_READS, READ_BYTES] */
    int turn;
    uint32_t seen; /* kept, so that reading is not optimised away */
};

struct machine_state machine_state_middle(struct machine_state a, struct machine_state b)
{
    return (struct machine_state){sqrt(a.sum_ns * b.sum_ns), sqrt(a.read_gbps * b.read_gbps)};
}

enum status state_probe_create(unsigned isa, struct state_probe **out, struct err *err)
{
    struct state_probe *probe = memory_new(1, sizeof *probe);
    *out = NULL;
    if (!probe)
        return err_set(err, STATUS_NOMEM, "out of memory for sentinels");
    probe->matmul = kernel_find(KERNEL_MATMUL, DTYPE_F32, isa);
    probe->read = kernel_find(KERNEL_READ, DTYPE_F32, isa);
    probe->sums = pages_new(MOST_THREADS * SUM_FLOATS * (int64_t)sizeof *probe->sums);
    probe->data = pages_new((int64_t)N_READS * READ_BYTES);
    if (!probe->sums || !probe->data) {
        state_probe_free(probe);
        return err_set(err, STATUS_NOMEM, "out of memory for sentinels");
    }
    memset(probe->data, 1, (size_t)N_READS * READ_BYTES);
    *out = probe;
    return STATUS_OK;
}

void state_probe_free(struct state_probe *probe)
{
    if (!probe)
        return;
    pages_free(probe->sums, MOST_THREADS * SUM_FLOATS * (int64_t)sizeof *probe->sums);
    pages_free(probe->data, (int64_t)N_READS * READ_BYTES);
    memory_free(probe);
}

static double one_threads_sums(const struct kernel *matmul, float *x)
{
    float *w = x + SUM_M * SUM_K, *y = w + SUM_N * SUM_K;
    int64_t start = clock_ns();
    for (int i = 0; i < SUM_REPEATS; i++)
        matmul->run.matmul(SUM_M, SUM_K, w, x, SUM_K * (int64_t)sizeof *x, y, SUM_N, 0, SUM_N,
                           y + SUM_M * SUM_N);
    return (double)(clock_ns() - start);
}

struct machine_state state_probe_look(struct state_probe *probe, int threads)
{
    struct machine_state state = {.sum_ns = INFINITY};
    int n = threads < MOST_THREADS ? threads : MOST_THREADS;
    for (int i = 0; i < 2; i++) { /* a thread that has just woken up is slow once */
        double slowest = 0;
#pragma omp parallel num_threads(n) reduction(max : slowest) if (n > 1)
        slowest = one_threads_sums(probe->matmul, probe->sums + pages_thread() * SUM_FLOATS);
        state.sum_ns = fmin(state.sum_ns, slowest);
    }
    const uint8_t *data = probe->data + (int64_t)READ_BYTES * (probe->turn++ % N_READS);
    int64_t start = clock_ns();
    probe->seen += threaded_read(probe->read, data, READ_BYTES, threads);
    state.read_gbps = READ_BYTES / (double)(clock_ns() - start);
    return state;
}

const struct machine_state *state_reference_at(const struct state_reference *reference, int threads)
{
    for (int i = 0; reference && i < reference->n; i++)
        if (reference->threads[i] == threads)
            return &reference->at[i];
    return NULL;
}

/* The two regressors of a timing, and its logarithm. */
struct logs {
    double x[2], y;
};

static struct logs logs_of(double ns, const struct machine_state *state)
{
    return (struct logs){
        {log(state->sum_ns), -log(state->read_gbps)},
        log(ns)
    };
}

static struct logs mean_of_item(const double *ns, const struct machine_state *states,
                                const int *items, size_t n, int item)
{
    struct logs mean = {{0}, 0};
    double count = 0;
    for (size_t i = 0; i < n; i++) {
        if (items[i] != item)
            continue;
        struct logs l = logs_of(ns[i], &states[i]);
        mean.x[0] += l.x[0];
        mean.x[1] += l.x[1];
        mean.y += l.y;
        count++;
    }
    return (struct logs){
        {mean.x[0] / count, mean.x[1] / count},
        mean.y / count
    };
}

/* A timing that lost its processor for a moment says nothing of the state. */
static double near(double deviation)
{
    return fmin(0.5, fmax(-0.5, deviation));
}

static double in_range(double exponent)
{
    return fmin(MOST_EXPONENT, fmax(0, exponent));
}

enum status state_effect_fit(const double *ns, const struct machine_state *states, const int *items,
                             size_t n, const struct state_effect *prior, struct state_effect *out,
                             struct err *err)
{
    const double weight = (0.05 / 0.3) * (0.05 / 0.3); /* of the prior, in timings */
    double a = weight, b = 0, c = weight;
    double p = weight * prior->arithmetic, q = weight * prior->memory;
    bool *done = memory_new(n + 1, sizeof *done);
    if (!done)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu timings", n);
    for (size_t first = 0; first < n; first++) {
        if (done[first])
            continue;
        struct logs mean = mean_of_item(ns, states, items, n, items[first]);
        for (size_t i = first; i < n; i++) {
            if (items[i] != items[first])
                continue;
            struct logs l = logs_of(ns[i], &states[i]);
            double x0 = near(l.x[0] - mean.x[0]), x1 = near(l.x[1] - mean.x[1]);
            double y = near(l.y - mean.y);
            a += x0 * x0;
            b += x0 * x1;
            c += x1 * x1;
            p += x0 * y;
            q += x1 * y;
            done[i] = true;
        }
    }
    double det = a * c - b * b;
    out->arithmetic = in_range((p * c - q * b) / det);
    out->memory = in_range((q - b * out->arithmetic) / c);
    memory_free(done);
    return STATUS_OK;
}

double state_corrected_ns(double ns, const struct state_effect *effect,
                          const struct machine_state *state, const struct machine_state *reference)
{
    return ns * pow(reference->sum_ns / state->sum_ns, effect->arithmetic) *
           pow(state->read_gbps / reference->read_gbps, effect->memory);
}
