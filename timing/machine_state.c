#include "timing/machine_state.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/least_squares.h"
#include "base/memory.h"
#include "base/stats.h"
#include "kernels/kernel.h"
#include "kernels/threaded.h"
#include "runtime/pages.h"

/* The arithmetic: rows of each type that networks run in, in the nearest caches. */
static const enum dtype sum_types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_F16};
enum { N_SUM_TYPES = 3, SUM_ROWS = 64, SUM_K = 256, SUM_REPEATS = 100, MOST_THREADS = 64 };
/* Of a thread: weights of any type, input, output. */
enum { ROWS_BYTES = SUM_ROWS * SUM_K * 4, INPUT_BYTES = 4096, SUM_BYTES = 81920 };
/* More than caches hold, and long enough to average bursts of others' traffic out. */
enum { READ_BYTES = 256 << 20, N_MEETINGS = 500 };

struct state_probe {
    const struct kernel *rows[N_SUM_TYPES], *read;
    uint8_t *sums; /* [MOST_THREADS, SUM_BYTES] */
    uint8_t *data; /* [READ_BYTES] */
    uint32_t seen; /* kept, so that reading is not optimised away */
};

static double *part_of(struct machine_state *state, int part)
{
    double *const parts[N_STATE_PARTS] = {&state->sum_ns, &state->read_gbps, &state->meet_ns};
    return parts[part];
}

struct machine_state machine_state_middle(struct machine_state a, struct machine_state b)
{
    struct machine_state middle;
    for (int part = 0; part < N_STATE_PARTS; part++)
        *part_of(&middle, part) = sqrt(*part_of(&a, part) * *part_of(&b, part));
    return middle;
}

enum status state_probe_create(unsigned isa, struct state_probe **out, struct err *err)
{
    struct state_probe *probe = memory_new(1, sizeof *probe);
    *out = NULL;
    if (!probe)
        return err_set(err, STATUS_NOMEM, "out of memory for sentinels");
    for (int i = 0; i < N_SUM_TYPES; i++)
        probe->rows[i] = kernel_find(KERNEL_MATVEC, sum_types[i], isa);
    probe->read = kernel_find(KERNEL_READ, DTYPE_F32, isa);
    probe->sums = pages_new((int64_t)MOST_THREADS * SUM_BYTES);
    probe->data = pages_new(READ_BYTES);
    if (!probe->sums || !probe->data) {
        state_probe_free(probe);
        return err_set(err, STATUS_NOMEM, "out of memory for sentinels");
    }
    memset(probe->data, 1, READ_BYTES);
    *out = probe;
    return STATUS_OK;
}

void state_probe_free(struct state_probe *probe)
{
    if (!probe)
        return;
    pages_free(probe->sums, (int64_t)MOST_THREADS * SUM_BYTES);
    pages_free(probe->data, READ_BYTES);
    memory_free(probe);
}

/* All zeros: products take as long as of any numbers. */
static double one_threads_sums(const struct state_probe *probe, uint8_t *own)
{
    float *y = (float *)(void *)(own + ROWS_BYTES + INPUT_BYTES);
    int64_t start = clock_ns();
    for (int type = 0; type < N_SUM_TYPES; type++)
        for (int i = 0; i < SUM_REPEATS; i++)
            probe->rows[type]->run.matvec(SUM_K, own, own + ROWS_BYTES, y, 0, SUM_ROWS);
    return (double)(clock_ns() - start);
}

static double slowest_sums(const struct state_probe *probe, int n)
{
    double slowest = 0;
#pragma omp parallel num_threads(n) reduction(max : slowest) if (n > 1)
    slowest = one_threads_sums(probe, probe->sums + (int64_t)pages_thread() * SUM_BYTES);
    return slowest;
}

static double meeting_ns(int n)
{
    double shortest = INFINITY;
    struct team_barrier barrier;
    if (n == 1)
        return 1;
    team_barrier_init(&barrier, n);
#pragma omp parallel num_threads(n) reduction(min : shortest)
    {
        team_barrier_wait(&barrier);
        int64_t start = clock_ns();
        for (int i = 0; i < N_MEETINGS; i++)
            team_barrier_wait(&barrier);
        shortest = (double)(clock_ns() - start) / N_MEETINGS;
    }
    return shortest;
}

/* A thread that has just woken up, or lost its core for a moment, is slow once. */
struct machine_state state_probe_look(struct state_probe *probe, int threads)
{
    enum { LOOKS = 2 };
    struct machine_state state = {.sum_ns = INFINITY, .meet_ns = INFINITY};
    int n = threads < MOST_THREADS ? threads : MOST_THREADS;
    for (int i = 0; i < LOOKS; i++) {
        state.sum_ns = fmin(state.sum_ns, slowest_sums(probe, n));
        state.meet_ns = fmin(state.meet_ns, meeting_ns(n));
    }
    int64_t start = clock_ns();
    probe->seen += threaded_read(probe->read, probe->data, READ_BYTES, threads);
    state.read_gbps = READ_BYTES / (double)(clock_ns() - start);
    return state;
}

struct machine_state state_calm(const struct machine_state *states, size_t n, double *scratch)
{
    struct machine_state calm;
    for (size_t i = 0; i < n; i++)
        scratch[i] = states[i].sum_ns;
    double most = stats_quantile(scratch, n, 0.1) * (1 + STATE_CALM_FRAC);
    for (int part = 0; part < N_STATE_PARTS; part++) {
        size_t n_calm = 0;
        for (size_t i = 0; i < n; i++) {
            struct machine_state state = states[i];
            if (state.sum_ns <= most)
                scratch[n_calm++] = *part_of(&state, part);
        }
        *part_of(&calm, part) = stats_median(scratch, n_calm);
    }
    return calm;
}

const struct machine_state *state_reference_at(const struct state_reference *reference, int threads)
{
    for (int i = 0; reference && i < reference->n; i++)
        if (reference->threads[i] == threads)
            return &reference->at[i];
    return NULL;
}

/* What an exponent multiplies. */
static double regressor(struct machine_state state, int part)
{
    double value = log(*part_of(&state, part));
    return part == STATE_MEMORY ? -value : value;
}

/* Writes the rows of one item, each less the item's medians, which an outlier does not move. */
struct rows {
    double *x, *y, *sigma, *scratch; /* [n, N_STATE_PARTS], [n] */
    size_t n;
};
enum { NUMBERS_A_ROW = N_STATE_PARTS + 3 };
#define TIMING_NOISE 0.05

static void add_item(const double *ns, const struct machine_state *states, const size_t *at,
                     size_t n, struct rows *rows)
{
    for (int part = 0; part <= N_STATE_PARTS; part++) {
        bool is_time = part == N_STATE_PARTS;
        double *to = is_time ? rows->y + rows->n : rows->x + rows->n * N_STATE_PARTS + part;
        size_t step = is_time ? 1 : N_STATE_PARTS;
        for (size_t i = 0; i < n; i++)
            to[i * step] = is_time ? log(ns[at[i]]) : regressor(states[at[i]], part);
        for (size_t i = 0; i < n; i++)
            rows->scratch[i] = to[i * step];
        double middle = stats_median(rows->scratch, n);
        for (size_t i = 0; i < n; i++)
            to[i * step] -= middle;
    }
    for (size_t i = 0; i < n; i++)
        rows->sigma[rows->n + i] = TIMING_NOISE;
    rows->n += n;
}

enum status state_effect_fit(const double *ns, const struct machine_state *states, const int *items,
                             size_t n, const struct state_effect *prior, double width,
                             struct state_effect *out, struct err *err)
{
    double scale[N_STATE_PARTS];
    double *numbers = memory_new(NUMBERS_A_ROW * n + 1, sizeof *numbers);
    size_t *at = memory_new(n + 1, sizeof *at);
    bool *done = memory_new(n + 1, sizeof *done);
    enum status status = numbers && at && done
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for %zu timings", n);
    if (status != STATUS_OK)
        goto out;
    struct rows rows = {numbers, numbers + N_STATE_PARTS * n, numbers + (N_STATE_PARTS + 1) * n,
                        numbers + (N_STATE_PARTS + 2) * n, 0};
    for (size_t first = 0; first < n; first++) {
        size_t count = 0;
        for (size_t i = first; i < n && !done[first]; i++)
            if (items[i] == items[first])
                at[count++] = i;
        for (size_t i = 0; i < count; i++)
            done[at[i]] = true;
        if (count > 0)
            add_item(ns, states, at, count, &rows);
    }
    for (int part = 0; part < N_STATE_PARTS; part++)
        scale[part] = part == STATE_MEETING ? width / 4 : width;
    struct least_squares problem = {N_STATE_PARTS, rows.n,    rows.x, rows.y,
                                    rows.sigma,    prior->of, scale,  STATS_HUBER};
    status = least_squares_solve(&problem, out->of, err);
out:
    memory_free(numbers);
    memory_free(at);
    memory_free(done);
    return status;
}

double state_corrected_ns(double ns, const struct state_effect *effect,
                          const struct machine_state *state, const struct machine_state *reference)
{
    double off = 0;
    for (int part = 0; part < N_STATE_PARTS; part++)
        off += effect->of[part] * (regressor(*reference, part) - regressor(*state, part));
    return ns * exp(off);
}
