#include "calibrate/calibrate.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "kernels/check.h"
#include "timing/flash_read.h"

static const enum dtype timed_types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16,
                                         DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_B1};
enum {
    N_TIMED_TYPES = sizeof timed_types / sizeof *timed_types,
    ATTENTION_CONTEXT = 1024,
    WIDTH = 1024,
    MAX_GRID = 9,
    LEAST_SET = 64 << 10,
    MAX_SETS = 40,
};

/* Read bandwidth of one thread by working set, ascending. */
struct working_sets {
    int n;
    int64_t bytes[MAX_SETS];
    double gbps[MAX_SETS];
};

struct run {
    const struct calibration_options *options;
    struct calibration *out;
    struct timed_space space;
    int done, total;
    struct err *err;
    enum status status; /* the first that is not OK; later steps do nothing */
};

/* One timing to be taken: its place in the list, or NULL when the run is over. */
static struct kernel_time *next_time(struct run *run)
{
    struct calibration *out = run->out;
    const struct calibration_options *options = run->options;
    if (run->status != STATUS_OK)
        return NULL;
    if (options->stop != NULL && *options->stop) {
        run->status = err_set(run->err, STATUS_INTERRUPTED, "interrupted");
        return NULL;
    }
    if (options->progress != NULL)
        options->progress(options->progress_context, run->done, run->total);
    run->done++;
    run->status = memory_grow((void **)&out->times, &out->times_capacity, out->n_times + 1,
                              sizeof *out->times, run->err);
    return run->status == STATUS_OK ? &out->times[out->n_times++] : NULL;
}

static struct measured plain(const struct timing *t)
{
    struct timing_summary calm = timing_undisturbed(t);
    return (struct measured){
        .value = calm.median_ns, .mad = calm.mad_ns, .n = calm.n, .n_disturbed = t->n - calm.n};
}

/* As a rate of `units` (bytes or flop) a call; its MAD alike. */
static struct measured rate(const struct timing *t, double units)
{
    struct measured m = plain(t);
    m.mad = units / m.value * m.mad / m.value;
    m.value = units / m.value;
    return m;
}

static struct measured read_rate(struct run *run, int64_t bytes, int threads, const char *level)
{
    struct kernel_time *time = next_time(run);
    if (time == NULL)
        return (struct measured){0};
    time_read(&run->space, bytes, threads, time);
    snprintf(time->cache_state, sizeof time->cache_state, "%s", level);
    return rate(&time->timing, (double)time->bytes);
}

static void check_kernels(struct run *run)
{
    static const enum kernel_op ops[] = {KERNEL_MATVEC, KERNEL_MATMUL, KERNEL_ATTENTION};
    for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
        for (int i = 0; i < N_TIMED_TYPES && run->status == STATUS_OK; i++) {
            const struct kernel *kernel = kernel_find(ops[op], timed_types[i], run->options->isa);
            if (kernel != NULL)
                run->status = kernel_check(kernel, run->err);
        }
    }
}

/* 1, 2, 4, ... and the number of cores. */
static void choose_threads(struct calibration *out, int most)
{
    for (int threads = 1; threads < most && out->n_points < MAX_THREAD_POINTS - 1; threads *= 2)
        out->threads[out->n_points++] = threads;
    out->threads[out->n_points++] = most;
}

static void name_levels(struct calibration *out)
{
    const struct topology *t = &out->topology;
    for (int i = 0; i < t->n_caches && out->n_levels < MAX_LEVELS - 2; i++) {
        int level = out->n_levels++;
        snprintf(out->levels[level].name, sizeof out->levels[level].name, "%s", t->caches[i].name);
        out->levels[level].capacity_bytes = t->caches[i].bytes;
        out->levels[level].per_thread = t->caches[i].per_thread;
        out->levels[level].usable_frac = 1;
        out->levels[level].spill_frac = NAN;
    }
    int dram = out->n_levels++;
    snprintf(out->levels[dram].name, sizeof out->levels[dram].name, "dram");
    out->levels[dram].capacity_bytes = t->dram_bytes;
    out->levels[dram].usable_frac = 1;
}

static int64_t last_level_bytes(const struct topology *t)
{
    int64_t largest = 0;
    for (int i = 0; i < t->n_caches; i++) {
        int64_t all = t->caches[i].bytes * (t->caches[i].per_thread ? t->n_cores : 1);
        largest = all > largest ? all : largest;
    }
    return largest;
}

/* Well beyond the last-level cache, within an eighth of the memory. */
static int64_t cold_bytes(const struct topology *t)
{
    int64_t bytes = 8 * last_level_bytes(t);
    int64_t least = (int64_t)256 << 20, most = (int64_t)1 << 30;
    bytes = bytes < least ? least : bytes > most ? most : bytes;
    return t->dram_bytes > 0 && bytes > t->dram_bytes / 8 ? t->dram_bytes / 8 : bytes;
}

/* Half of what is usable: inside the level, and beyond the faster one in practice. */
static int64_t working_set(const struct run *run, int level, int threads)
{
    const struct calibration *out = run->out;
    if (level == out->n_levels - 1)
        return run->space.data_bytes;
    double bytes = (double)out->levels[level].capacity_bytes * out->levels[level].usable_frac / 2;
    int64_t whole = (int64_t)bytes * (out->levels[level].per_thread ? threads : 1);
    return whole < 65536 ? 65536 : whole;
}

/* Two sets an octave, up to all of the buffer. */
static int count_sets(int64_t most)
{
    int n = 2 * (int)floor(log2((double)most / LEAST_SET)) + 1;
    return n < MAX_SETS ? n : MAX_SETS;
}

static void time_working_sets(struct run *run, struct working_sets *sets)
{
    sets->n = count_sets(run->space.data_bytes);
    for (int i = 0; i < sets->n; i++) {
        sets->bytes[i] = (int64_t)(LEAST_SET * pow(2, 0.5 * i)) / 4096 * 4096;
        sets->gbps[i] = read_rate(run, sets->bytes[i], 1, "hot").value;
    }
}

/* The best rate of sets from `least` on, up to `most` bytes; NaN: there is none. */
static double plateau(const struct working_sets *sets, double least, double most)
{
    double best = NAN;
    for (int i = 0; i < sets->n; i++)
        if ((double)sets->bytes[i] >= least && (double)sets->bytes[i] <= most)
            best = fmax(best, sets->gbps[i]);
    return best;
}

/* Up to where the sets are read faster than the geometric middle of the level and the next: those
 * before it are at least `before` bytes large. Returns that many bytes. */
static double find_usable_share(struct run *run, const struct working_sets *sets, int level,
                                double before)
{
    struct calibration *out = run->out;
    double capacity = (double)out->levels[level].capacity_bytes;
    double beyond = level + 2 < out->n_levels ? (double)out->levels[level + 1].capacity_bytes
                                              : (double)sets->bytes[sets->n - 1];
    double fast = plateau(sets, 1.3 * before, capacity);
    double slow = plateau(sets, level + 2 < out->n_levels ? 1.3 * capacity : 0.5 * beyond, beyond);
    double usable = 1.3 * before;
    if (isnan(fast) || isnan(slow))
        return fmin(usable, capacity); /* no set lies between the levels */
    for (int i = 0; i < sets->n && (double)sets->bytes[i] <= capacity; i++)
        if ((double)sets->bytes[i] >= usable && sets->gbps[i] >= sqrt(fast * slow))
            usable = (double)sets->bytes[i];
    usable = fmin(usable, capacity);
    out->levels[level].usable_frac = usable / capacity;
    return usable;
}

static void wait_a_second(void)
{
    static const struct timespec second = {.tv_sec = 1};
    nanosleep(&second, NULL);
}

/* More threads that read slower than fewer have lost their processors to somebody else: they get
 * two more chances. */
static struct measured steady_read_rate(struct run *run, int level, int p)
{
    enum { CHANCES = 3 };
    struct calibration *out = run->out;
    struct measured best = {0};
    double fewer = p > 0 ? out->levels[level].read_gbps.at[p - 1].value : 0;
    for (int i = 0; i < CHANCES && run->status == STATUS_OK; i++) {
        if (i > 0)
            wait_a_second();
        struct measured now = read_rate(run, working_set(run, level, out->threads[p]),
                                        out->threads[p], out->levels[level].name);
        best = now.value > best.value ? now : best;
        if (best.value >= 0.9 * fewer)
            return best;
    }
    if (run->status == STATUS_OK)
        snprintf(out->note, sizeof out->note,
                 "%d threads read '%s' at %.3g GB/s, %d at %.3g: other programs had the processors",
                 out->threads[p], out->levels[level].name, best.value, out->threads[p - 1], fewer);
    return best;
}

static void time_levels(struct run *run)
{
    struct calibration *out = run->out;
    struct working_sets sets;
    double before = 0;
    time_working_sets(run, &sets);
    for (int level = 0; level + 1 < out->n_levels && run->status == STATUS_OK; level++)
        before = find_usable_share(run, &sets, level, before);
    for (int p = 0; p < out->n_points; p++)
        for (int level = 0; level < out->n_levels; level++)
            out->levels[level].read_gbps.at[p] = steady_read_rate(run, level, p);
}

/* More threads never stream or compute slower than fewer: where a timing says so somebody else had
 * the processors, and what fewer threads reach stands in for it. */
static void distrust_slower(struct calibration *out)
{
    for (int p = 1; p < out->n_points; p++) {
        for (int type = 0; type < N_DTYPES; type++) {
            struct measured *peak = out->peak_gflops[type].at;
            struct measured *row = out->timing_ns[TIMING_ROW + type].at;
            if (peak[p].value < 0.9 * peak[p - 1].value)
                peak[p] = peak[p - 1];
            if (row[p].value > row[p - 1].value)
                row[p] = row[p - 1];
            for (int level = 0; level < out->n_levels; level++) {
                struct measured *rate = out->matvec_gbps[type][level].at;
                if (rate[p].value < 0.9 * rate[p - 1].value)
                    rate[p] = rate[p - 1];
            }
        }
        for (int level = 0; level < out->n_levels; level++) {
            struct measured *rate = out->levels[level].read_gbps.at;
            if (rate[p].value < 0.9 * rate[p - 1].value)
                rate[p] = rate[p - 1];
        }
    }
}

static void choose_default_threads(struct calibration *out)
{
    const struct measured_by_threads *rate = &out->matvec_gbps[DTYPE_Q8_0][out->n_levels - 1];
    int best = 0;
    for (int p = 1; p < out->n_points; p++)
        best = rate->at[p].value > rate->at[best].value ? p : best;
    out->default_threads = out->threads[best];
}

static void time_matrices(struct run *run)
{
    struct calibration *out = run->out;
    for (int i = 0; i < N_TIMED_TYPES; i++) {
        enum dtype dtype = timed_types[i];
        out->matvec_step[dtype] = kernel_find(KERNEL_MATVEC, dtype, run->options->isa)->step;
        for (int p = 0; p < out->n_points; p++) {
            struct kernel_time *time;
            for (int level = 0; level < out->n_levels; level++) {
                if ((time = next_time(run)) == NULL)
                    return;
                time_matvec(&run->space, dtype, WIDTH, working_set(run, level, out->threads[p]),
                            out->threads[p], time);
                snprintf(time->cache_state, sizeof time->cache_state, "%s",
                         out->levels[level].name);
                out->matvec_gbps[dtype][level].at[p] = rate(&time->timing, (double)time->bytes);
            }
            if ((time = next_time(run)) == NULL)
                return;
            time_matmul(&run->space, dtype, out->threads[p], time);
            out->peak_gflops[dtype].at[p] = rate(&time->timing, (double)time->flop);
        }
    }
}

/* A llama-like block has seven matrices, but quantises activations and meets four times for them:
 * q k v, o, gate up, down. */
static const double share_of_meetings = 4.0 / 7;

/* Fixed costs as the runtime pays them: matrix products and attention, whose results every thread
 * needs whole, end in a barrier; the others run on each thread beside one another. */
static void time_fixed_costs(struct run *run, struct measured small[N_SMALL_OPS])
{
    static const enum op_kind kind_of[N_SMALL_OPS] = {
        [SMALL_NORM] = OP_NORM,     [SMALL_ROPE] = OP_ROPE,     [SMALL_ACTIVATION] = OP_ACTIVATION,
        [SMALL_ADD] = OP_ADD,       [SMALL_EMBED] = OP_EMBED,   [SMALL_KV_STORE] = OP_KV_STORE,
        [SMALL_SAMPLE] = OP_SAMPLE, [SMALL_PREPARE] = OP_MATMUL};
    struct calibration *out = run->out;
    for (int op = 0; op < N_SMALL_OPS; op++) {
        struct kernel_time *time = next_time(run);
        if (time == NULL)
            return;
        time_small_op(&run->space, (enum small_op)op, time);
        small[op] = plain(&time->timing);
        for (int p = 0; p < out->n_points; p++)
            out->op_ns[kind_of[op]].at[p] = plain(&time->timing);
    }
    for (int p = 0; p < out->n_points; p++) {
        struct kernel_time *time = next_time(run);
        if (time == NULL)
            return;
        time_attention(&run->space, 0, 0, 1, time);
        struct measured attention = plain(&time->timing);
        out->attention_ns = attention.value;
        struct measured barrier = {.n = attention.n};
        out->pass_ns.at[p] = barrier;
        if (out->threads[p] > 1) {
            if ((time = next_time(run)) == NULL)
                return;
            time_barrier(&run->space, out->threads[p], time);
            barrier = plain(&time->timing);
            if ((time = next_time(run)) == NULL)
                return;
            time_region(&run->space, out->threads[p], time);
            out->pass_ns.at[p] = plain(&time->timing);
        }
        attention.value += barrier.value;
        attention.mad += barrier.mad;
        out->op_ns[OP_ATTENTION].at[p] = attention;
        struct measured *matmul = &out->op_ns[OP_MATMUL].at[p];
        matmul->value = share_of_meetings * (matmul->value + barrier.value);
        matmul->mad = share_of_meetings * (matmul->mad + barrier.mad);
    }
}

/* A row of k weights costs a constant and k times something. Where the line between two widths
 * misses the width between them by more than 3 %, the gap is halved again. */
struct row_grid {
    enum dtype dtype;
    int point, n, most;
    double k[MAX_GRID], ns[MAX_GRID];
};

static double row_ns(struct run *run, struct row_grid *grid, double k)
{
    struct kernel_time *time = next_time(run);
    if (time == NULL)
        return NAN;
    int threads = run->out->threads[grid->point];
    time_matvec(&run->space, grid->dtype, (int64_t)k, working_set(run, 0, threads), threads, time);
    snprintf(time->cache_state, sizeof time->cache_state, "%s", run->out->levels[0].name);
    grid->k[grid->n] = k;
    return grid->ns[grid->n++] = time->timing.median_ns / (double)time->shape.n;
}

static void refine(struct run *run, struct row_grid *grid, double k0, double ns0, double k1,
                   double ns1)
{
    double k = 256 * round(sqrt(k0 * k1) / 256);
    if (run->status != STATUS_OK || grid->n == grid->most || k <= k0 || k >= k1)
        return;
    double ns = row_ns(run, grid, k), line = ns0 + (ns1 - ns0) * (k - k0) / (k1 - k0);
    if (!(fabs(line / ns - 1) > 0.03))
        return;
    refine(run, grid, k0, ns0, k, ns);
    refine(run, grid, k, ns, k1, ns1);
}

/* Least squares of relative errors through the grid. */
static double constant_of(const struct row_grid *grid)
{
    double w = 0, wk = 0, wkk = 0, wy = 0, wky = 0;
    for (int i = 0; i < grid->n; i++) {
        double weight = 1 / (grid->ns[i] * grid->ns[i]), k = grid->k[i];
        w += weight;
        wk += weight * k;
        wkk += weight * k * k;
        wy += weight * grid->ns[i];
        wky += weight * k * grid->ns[i];
    }
    return fmax(0, (wy * wkk - wky * wk) / (w * wkk - wk * wk));
}

static void time_rows(struct run *run)
{
    struct calibration *out = run->out;
    for (int i = 0; i < N_TIMED_TYPES; i++) {
        for (int p = 0; p < out->n_points && run->status == STATUS_OK; p++) {
            struct row_grid grid = {
                .dtype = timed_types[i], .point = p, .most = run->options->thorough ? MAX_GRID : 3};
            double least = row_ns(run, &grid, 256), most = row_ns(run, &grid, 8192);
            refine(run, &grid, 256, least, 8192, most);
            if (run->status == STATUS_OK)
                out->timing_ns[TIMING_ROW + timed_types[i]].at[p] =
                    (struct measured){.value = constant_of(&grid), .n = grid.n};
        }
    }
}

/* Attention of one token over a cache in the fastest level: an element of a query, a score, a flop.
 */
static void time_scores(struct run *run)
{
    enum { HEADS = 12, D_HEAD = 64 }; /* as time_attention has them */
    struct calibration *out = run->out;
    for (int p = 0; p < out->n_points; p++) {
        struct kernel_time *time = next_time(run);
        if (time == NULL)
            return;
        time_attention(&run->space, ATTENTION_CONTEXT, 1, 1, time);
        double threads = out->threads[p];
        double none = out->attention_ns / HEADS;
        double score = fmax(0, time->timing.median_ns / HEADS - none) / (4.0 * ATTENTION_CONTEXT);
        const double terms[][2] = {
            {TIMING_QUERY, none / D_HEAD},
            {TIMING_POSITION, score / 2},
            {TIMING_SCORE, score / (2 * D_HEAD)},
            {TIMING_PROMPT_POSITION, score / 2},
            {TIMING_PROMPT_SCORE, score / (2 * D_HEAD)},
        };
        for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
            out->timing_ns[(int)terms[i][0]].at[p] =
                (struct measured){.value = terms[i][1] / threads, .n = time->timing.n};
    }
}

/* An element of each small operator, and what a prompt's matrices cost besides their flop: first
 * guesses from what is known of a single token. */
static void derive_elements(struct run *run, const struct measured small[N_SMALL_OPS])
{
    static const struct {
        enum small_op op;
        enum op_kind kind;
        double elements;
        bool shared_out;
    } kinds[] = {
        {SMALL_NORM, OP_NORM, WIDTH, false},           {SMALL_ROPE, OP_ROPE, WIDTH, true},
        {SMALL_ACTIVATION, OP_ACTIVATION, 2816, true}, {SMALL_ADD, OP_ADD, WIDTH, true},
        {SMALL_EMBED, OP_EMBED, WIDTH, false},         {SMALL_KV_STORE, OP_KV_STORE, 2 * 256, true},
    };
    enum { START_NS = 500 }; /* a few misses one after another */
    struct calibration *out = run->out;
    int dram = out->n_levels - 1;
    for (int p = 0; p < out->n_points; p++) {
        double threads = out->threads[p];
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            double ns = small[kinds[i].op].value / kinds[i].elements;
            out->timing_ns[TIMING_ELEMENT + kinds[i].kind].at[p] = (struct measured){
                .value = kinds[i].shared_out ? ns / threads : ns, .n = small[kinds[i].op].n};
        }
        double column = small[SMALL_PREPARE].value / WIDTH;
        struct measured guess = {.n = 1};
        for (int i = 0; i < N_TIMED_TYPES; i++) {
            guess.value = column;
            out->timing_ns[TIMING_COLUMN + timed_types[i]].at[p] = guess;
            guess.value = START_NS;
            out->timing_ns[TIMING_START + timed_types[i]].at[p] = guess;
            guess.value = column / threads;
            out->timing_ns[TIMING_PROMPT_COLUMN + timed_types[i]].at[p] = guess;
            guess.value = 1 / out->matvec_gbps[timed_types[i]][dram].at[p].value;
            out->timing_ns[TIMING_PROMPT_BYTE + timed_types[i]].at[p] = guess;
        }
        guess.value = 0.2 / threads;
        out->timing_ns[TIMING_PROMPT_ROW].at[p] = guess;
    }
}

static void time_cache_reads(struct run *run)
{
    struct calibration *out = run->out;
    for (int p = 0; p < out->n_points; p++) {
        struct kernel_time *time = next_time(run);
        if (time == NULL)
            return;
        time_attention(&run->space, ATTENTION_CONTEXT, run->space.data_bytes, out->threads[p],
                       time);
        snprintf(time->cache_state, sizeof time->cache_state, "dram");
        out->attention_gbps.at[p] = rate(&time->timing, (double)time->bytes);
    }
}

static void time_storage(struct run *run)
{
    enum { ROUNDS = 5 };
    double gbps[ROUNDS];
    struct calibration *out = run->out;
    struct err err;
    if (run->options->flash_directory == NULL) {
        snprintf(out->flash_note, sizeof out->flash_note, "not tested");
        return;
    }
    if (run->status != STATUS_OK)
        return;
    int64_t bytes = (int64_t)(run->options->quick ? 32 : 128) << 20;
    if (flash_read(run->options->flash_directory, bytes, ROUNDS, gbps, &err) != STATUS_OK) {
        snprintf(out->flash_note, sizeof out->flash_note, "%s", err.message);
        return;
    }
    out->flash_gbps = (struct measured){
        .value = stats_median(gbps, ROUNDS), .mad = stats_mad(gbps, ROUNDS), .n = ROUNDS};
}

static int count_steps(const struct calibration *out)
{
    int sets = count_sets(cold_bytes(&out->topology)), points = out->n_points;
    int pairs = points - (out->threads[0] == 1);
    return sets + points * out->n_levels + N_TIMED_TYPES * points * (out->n_levels + 1) +
           N_SMALL_OPS + points + 2 * pairs + points + 3 * N_TIMED_TYPES * points + points;
}

enum status calibrate(const struct calibration_options *options, struct calibration *out,
                      struct err *err)
{
    struct run run = {.options = options, .out = out, .err = err};
    struct measured small[N_SMALL_OPS] = {0};
    *out = (struct calibration){.error_median_frac = NAN, .error_p90_frac = NAN};
    run.status = topology_read(&out->topology, err);
    if (run.status != STATUS_OK)
        return run.status;
    int most = out->topology.n_cores;
    most = most > omp_get_thread_limit() ? omp_get_thread_limit() : most;
    if (options->max_threads > most)
        return err_set(err, STATUS_RANGE, "%d threads asked for, but there are %d cores",
                       options->max_threads, most);
    choose_threads(out, options->max_threads > 0 ? options->max_threads : most);
    name_levels(out);
    clock_now_iso(out->measured_at, sizeof out->measured_at);
    cpu_isa_names(options->isa, out->isa_names, sizeof out->isa_names);
    run.total = count_steps(out);
    run.status = timed_space_init(&run.space, options->isa, cold_bytes(&out->topology), err);
    if (run.status != STATUS_OK)
        return run.status;
    run.space.plan.budget_ns =
        options->quick ? 20e6 : (options->thorough ? 60e9 : 12e9) / run.total;
    run.space.plan.spread_frac = options->quick ? 0.01 : 0.003;

    check_kernels(&run);
    time_levels(&run);
    time_fixed_costs(&run, small);
    time_matrices(&run);
    time_rows(&run);
    time_scores(&run);
    if (run.status == STATUS_OK) {
        choose_default_threads(out);
        distrust_slower(out);
        derive_elements(&run, small);
    }
    time_cache_reads(&run);
    timed_space_release(&run.space);
    time_storage(&run);
    if (run.status == STATUS_OK)
        run.status = calibrate_networks(options,
                                        options->quick      ? 15
                                        : options->thorough ? 108
                                                            : 30,
                                        options->quick      ? 8e9
                                        : options->thorough ? 440e9
                                                            : 25e9,
                                        out, err);
    return run.status;
}

void calibration_release(struct calibration *calibration)
{
    memory_free(calibration->times);
    memory_free(calibration->networks);
    memory_free(calibration->trials);
    *calibration = (struct calibration){0};
}
