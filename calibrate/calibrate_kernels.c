#include "calibrate/calibrate_kernels.h"

#include <math.h>
#include <stdio.h>

#include "base/stats.h"
#include "calibrate/kernel_run.h"
#include "calibrate/memory_levels.h"

const enum dtype timed_types[N_TIMED_TYPES] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16,
                                               DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_B1};

/* Shapes, as the cases of timing/timed_cases.h have them. */
enum {
    WIDTH = 1024,
    D_FF = 2816,
    HEADS = 12,
    D_HEAD = 64,
    KV_ELEMENTS = 2 * 256,
    ATTENTION_CONTEXT = 1024,
};

/* What single kernels tell and only the terms made of them need. */
struct kernel_terms {
    struct measured small[N_SMALL_OPS];
    double attention_ns; /* of a token over an empty cache, one thread */
};

/* More threads never stream or compute slower than fewer: where a timing says so somebody else had
 * the processors, and what fewer threads reach stands in for it. */
static void trust_fewer(struct calibration *out, struct by_threads *numbers, int p, bool is_slower)
{
    if (is_slower)
        calibration_put(out, numbers, p, calibration_get(out, numbers, p - 1));
}

static bool is_below_fewer(const struct by_threads *rates, int p)
{
    return p < rates->n && rates->value[p] < BELOW_FEWER_THREADS * rates->value[p - 1];
}

static void distrust_slower(struct calibration *out)
{
    struct device *device = &out->sourced.device;
    for (int p = 1; p < out->n_points; p++) {
        for (int type = 0; type < N_DTYPES; type++) {
            struct by_threads *peak = &device->peak_gflops[type];
            struct by_threads *row = &device->timing_ns[TIMING_ROW + type];
            trust_fewer(out, peak, p, is_below_fewer(peak, p));
            trust_fewer(out, row, p, p < row->n && row->value[p] > row->value[p - 1]);
            for (int level = 0; level < device->n_levels; level++) {
                struct by_threads *rate = &device->matvec_gbps[type][level];
                trust_fewer(out, rate, p, is_below_fewer(rate, p));
            }
        }
        for (int level = 0; level < device->n_levels; level++) {
            struct by_threads *rate = &device->levels[level].read_gbps;
            trust_fewer(out, rate, p, is_below_fewer(rate, p));
        }
    }
}

static void choose_default_threads(struct calibration *out)
{
    struct device *device = &out->sourced.device;
    const struct by_threads *rate = &device->matvec_gbps[DTYPE_Q8_0][device->n_levels - 1];
    int best = 0;
    for (int p = 1; p < out->n_points; p++)
        best = rate->value[p] > rate->value[best] ? p : best;
    device->default_threads = out->threads[best];
}

static void time_matrix(struct kernel_run *run, enum dtype dtype, int p)
{
    struct calibration *out = run->out;
    struct device *device = &out->sourced.device;
    struct kernel_time *time;
    int threads = out->threads[p];
    for (int level = 0; level < device->n_levels; level++) {
        if ((time = kernel_run_next(run)) == NULL)
            return;
        run->timer->matvec(run->space, dtype, WIDTH, level_working_set(run, level, threads),
                           threads, time);
        kernel_time_from(time, device->levels[level].name);
        calibration_put(out, &device->matvec_gbps[dtype][level], p,
                        measured_rate(&time->timing, (double)time->bytes));
    }
    if ((time = kernel_run_next(run)) == NULL)
        return;
    run->timer->matmul(run->space, dtype, threads, time);
    calibration_put(out, &device->peak_gflops[dtype], p,
                    measured_rate(&time->timing, (double)time->flop));
}

static void time_matrices(struct kernel_run *run)
{
    struct calibration *out = run->out;
    for (int i = 0; i < N_TIMED_TYPES; i++) {
        enum dtype dtype = timed_types[i];
        out->sourced.device.matvec_step[dtype] =
            kernel_find(KERNEL_MATVEC, dtype, run->options->isa)->step;
        for (int p = 0; p < out->n_points; p++)
            time_matrix(run, dtype, p);
    }
}

/* A llama-like block has seven matrices, but quantises activations and meets four times for them:
 * q k v, o, gate up, down. */
static const double share_of_meetings = 4.0 / 7;

static void time_small_ops(struct kernel_run *run, struct kernel_terms *terms)
{
    static const enum op_kind kind_of[N_SMALL_OPS] = {
        [SMALL_NORM] = OP_NORM,     [SMALL_ROPE] = OP_ROPE,     [SMALL_ACTIVATION] = OP_ACTIVATION,
        [SMALL_ADD] = OP_ADD,       [SMALL_EMBED] = OP_EMBED,   [SMALL_KV_STORE] = OP_KV_STORE,
        [SMALL_SAMPLE] = OP_SAMPLE, [SMALL_PREPARE] = OP_MATMUL};
    struct calibration *out = run->out;
    for (int op = 0; op < N_SMALL_OPS; op++) {
        struct kernel_time *time = kernel_run_next(run);
        if (time == NULL)
            return;
        run->timer->small_op(run->space, (enum small_op)op, time);
        terms->small[op] = measured_ns(&time->timing);
        for (int p = 0; p < out->n_points; p++)
            calibration_put(out, &out->sourced.device.op_ns[kind_of[op]], p, terms->small[op]);
    }
}

/* Fixed costs as the runtime pays them: matrix products and attention, whose results every thread
 * needs whole, end in a barrier; the others run on each thread beside one another. */
static void time_meetings(struct kernel_run *run, int p, struct kernel_terms *terms)
{
    struct calibration *out = run->out;
    struct device *device = &out->sourced.device;
    struct kernel_time *time = kernel_run_next(run);
    if (time == NULL)
        return;
    run->timer->attention(run->space, 0, 0, 1, time);
    struct measured attention = measured_ns(&time->timing);
    terms->attention_ns = attention.value;
    struct measured barrier = {0, {.kind = NUMBER_MEASURED, .n = attention.by.n}};
    struct measured region = barrier;
    if (out->threads[p] > 1) {
        if ((time = kernel_run_next(run)) == NULL)
            return;
        run->timer->barrier(run->space, out->threads[p], time);
        barrier = measured_ns(&time->timing);
        if ((time = kernel_run_next(run)) == NULL)
            return;
        run->timer->region(run->space, out->threads[p], time);
        region = measured_ns(&time->timing);
    }
    calibration_put(out, &device->pass_ns, p, region);
    attention.value += barrier.value;
    attention.by.mad += barrier.by.mad;
    calibration_put(out, &device->op_ns[OP_ATTENTION], p, attention);
    struct measured matmul = calibration_get(out, &device->op_ns[OP_MATMUL], p);
    matmul.value = share_of_meetings * (matmul.value + barrier.value);
    matmul.by.mad = share_of_meetings * (matmul.by.mad + barrier.by.mad);
    calibration_put(out, &device->op_ns[OP_MATMUL], p, matmul);
}

/* A row of k weights costs a constant and k times something. Where the line between two widths
 * misses the width between them by more than this, the gap is halved again: rows repeat to one or
 * two per cent. */
#define LINE_MISSES 0.03
enum { MAX_GRID = 9, QUICK_GRID = 3, NARROWEST = 256, WIDEST = 8192 };

struct row_grid {
    enum dtype dtype;
    int point, n, most;
    double k[MAX_GRID], ns[MAX_GRID];
};

static double row_ns(struct kernel_run *run, struct row_grid *grid, double k)
{
    struct kernel_time *time = kernel_run_next(run);
    if (time == NULL)
        return NAN;
    int threads = run->out->threads[grid->point];
    run->timer->matvec(run->space, grid->dtype, (int64_t)k, level_working_set(run, 0, threads),
                       threads, time);
    kernel_time_from(time, run->out->sourced.device.levels[0].name);
    grid->k[grid->n] = k;
    return grid->ns[grid->n++] = time->timing.median_ns / (double)time->shape.n;
}

static void refine(struct kernel_run *run, struct row_grid *grid, double k0, double ns0, double k1,
                   double ns1)
{
    double k = NARROWEST * round(sqrt(k0 * k1) / NARROWEST);
    if (run->status != STATUS_OK || grid->n == grid->most || k <= k0 || k >= k1)
        return;
    double ns = row_ns(run, grid, k), line = ns0 + (ns1 - ns0) * (k - k0) / (k1 - k0);
    if (!(fabs(line / ns - 1) > LINE_MISSES))
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

static struct measured derived(double value, int n)
{
    return (struct measured){value, {.kind = NUMBER_MEASURED, .n = n}};
}

static void time_rows(struct kernel_run *run)
{
    struct calibration *out = run->out;
    for (int i = 0; i < N_TIMED_TYPES; i++) {
        for (int p = 0; p < out->n_points && run->status == STATUS_OK; p++) {
            struct row_grid grid = {.dtype = timed_types[i],
                                    .point = p,
                                    .most = run->options->thorough ? MAX_GRID : QUICK_GRID};
            double least = row_ns(run, &grid, NARROWEST), most = row_ns(run, &grid, WIDEST);
            refine(run, &grid, NARROWEST, least, WIDEST, most);
            if (run->status == STATUS_OK)
                calibration_put(out, &out->sourced.device.timing_ns[TIMING_ROW + timed_types[i]], p,
                                derived(constant_of(&grid), grid.n));
        }
    }
}

/* Attention of one token over a cache in the fastest level: an element of a query, a score, a flop.
 */
static void time_scores(struct kernel_run *run, const struct kernel_terms *terms)
{
    struct calibration *out = run->out;
    for (int p = 0; p < out->n_points; p++) {
        struct kernel_time *time = kernel_run_next(run);
        if (time == NULL)
            return;
        run->timer->attention(run->space, ATTENTION_CONTEXT, 1, 1, time);
        double threads = out->threads[p];
        double none = terms->attention_ns / HEADS;
        double score = fmax(0, time->timing.median_ns / HEADS - none) / (4.0 * ATTENTION_CONTEXT);
        const struct {
            enum timing_term term;
            double ns;
        } parts[] = {
            {TIMING_QUERY, none / D_HEAD},
            {TIMING_POSITION, score / 2},
            {TIMING_SCORE, score / (2 * D_HEAD)},
            {TIMING_PROMPT_POSITION, score / 2},
            {TIMING_PROMPT_SCORE, score / (2 * D_HEAD)},
        };
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            calibration_put(out, &out->sourced.device.timing_ns[parts[i].term], p,
                            derived(parts[i].ns / threads, time->timing.n));
    }
}

/* An element of each small operator. */
static void derive_elements(struct calibration *out, int p, const struct kernel_terms *terms)
{
    static const struct {
        enum small_op op;
        enum op_kind kind;
        double elements;
        bool shared_out;
    } kinds[] = {
        {SMALL_NORM, OP_NORM, WIDTH, false},
        {SMALL_ROPE, OP_ROPE, WIDTH, true},
        {SMALL_ACTIVATION, OP_ACTIVATION, D_FF, true},
        {SMALL_ADD, OP_ADD, WIDTH, true},
        {SMALL_EMBED, OP_EMBED, WIDTH, false},
        {SMALL_KV_STORE, OP_KV_STORE, KV_ELEMENTS, true},
    };
    double threads = out->threads[p];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct measured *small = &terms->small[kinds[i].op];
        double ns = small->value / kinds[i].elements;
        calibration_put(out, &out->sourced.device.timing_ns[TIMING_ELEMENT + kinds[i].kind], p,
                        derived(kinds[i].shared_out ? ns / threads : ns, small->by.n));
    }
}

/* What a prompt's matrices cost besides their flop, and starts: first guesses from what is known of
 * a single token. */
static void guess_terms(struct calibration *out, int p, const struct kernel_terms *terms)
{
    const double start_ns = 500;  /* a few misses one after another */
    const double output_ns = 0.2; /* a store and an addition, some cycles of a few lanes */
    struct device *device = &out->sourced.device;
    double threads = out->threads[p], column = terms->small[SMALL_PREPARE].value / WIDTH;
    int dram = device->n_levels - 1;
    for (int i = 0; i < N_TIMED_TYPES; i++) {
        enum dtype type = timed_types[i];
        calibration_put(out, &device->timing_ns[TIMING_COLUMN + type], p, derived(column, 1));
        calibration_put(out, &device->timing_ns[TIMING_START + type], p, derived(start_ns, 1));
        calibration_put(out, &device->timing_ns[TIMING_PROMPT_COLUMN + type], p,
                        derived(column / threads, 1));
        calibration_put(out, &device->timing_ns[TIMING_PROMPT_BYTE + type], p,
                        derived(1 / device->matvec_gbps[type][dram].value[p], 1));
    }
    calibration_put(out, &device->timing_ns[TIMING_PROMPT_ROW], p, derived(output_ns / threads, 1));
}

static void time_cache_reads(struct kernel_run *run)
{
    struct calibration *out = run->out;
    for (int p = 0; p < out->n_points; p++) {
        struct kernel_time *time = kernel_run_next(run);
        if (time == NULL)
            return;
        run->timer->attention(run->space, ATTENTION_CONTEXT, run->space->data_bytes,
                              out->threads[p], time);
        kernel_time_from(time, "dram");
        calibration_put(out, &out->sourced.device.attention_gbps, p,
                        measured_rate(&time->timing, (double)time->bytes));
    }
}

int count_kernel_timings(const struct calibration *out, int64_t data_bytes)
{
    int points = out->n_points, levels = out->sourced.device.n_levels;
    int together = points - (out->threads[0] == 1);
    int matrices = N_TIMED_TYPES * points * (levels + 1);
    int meetings = points + 2 * together;
    int rows = QUICK_GRID * N_TIMED_TYPES * points;
    return count_working_sets(data_bytes) + points * levels + matrices + N_SMALL_OPS + meetings +
           rows + 2 * points;
}

enum status calibrate_kernels(const struct calibration_options *options,
                              const struct kernel_timer *timer, struct timed_space *space,
                              struct calibration *out, struct err *err)
{
    struct kernel_terms terms = {0};
    struct kernel_run run = {.options = options,
                             .timer = timer,
                             .space = space,
                             .out = out,
                             .total = count_kernel_timings(out, space->data_bytes),
                             .err = err};
    time_levels(&run);
    time_small_ops(&run, &terms);
    for (int p = 0; p < out->n_points; p++)
        time_meetings(&run, p, &terms);
    time_matrices(&run);
    time_rows(&run);
    time_scores(&run, &terms);
    if (run.status == STATUS_OK) {
        choose_default_threads(out);
        distrust_slower(out);
        for (int p = 0; p < out->n_points; p++) {
            derive_elements(out, p, &terms);
            guess_terms(out, p, &terms);
        }
    }
    time_cache_reads(&run);
    return run.status;
}

void calibrate_storage(const struct calibration_options *options, const struct kernel_timer *timer,
                       struct calibration *out)
{
    enum { ROUNDS = 5, QUICK_MIB = 32, MIB = 128 };
    double gbps[ROUNDS];
    struct err err;
    if (options->flash_directory == NULL) {
        snprintf(out->flash_note, sizeof out->flash_note, "not tested");
        return;
    }
    int64_t bytes = (int64_t)(options->quick ? QUICK_MIB : MIB) << 20;
    if (timer->storage(options->flash_directory, bytes, ROUNDS, gbps, &err) != STATUS_OK) {
        snprintf(out->flash_note, sizeof out->flash_note, "%s", err.message);
        return;
    }
    out->flash_gbps =
        (struct measured){stats_median(gbps, ROUNDS),
                          {.kind = NUMBER_MEASURED, .mad = stats_mad(gbps, ROUNDS), .n = ROUNDS}};
}
