#include "calibrate/fit_networks.h"

#include <math.h>

#include "base/memory.h"
#include "base/stats.h"
#include "calibrate/networks_drawn.h"
#include "calibrate/timing_fit.h"
#include "costmodel/price.h"

enum { N_FOLDS = 5 };

static void set_spill(const struct calibration *c, int level, double usable, double spill,
                      struct machine *machine)
{
    const struct level *cache = &c->sourced.device.levels[level];
    double capacity = (double)cache->capacity_bytes * (cache->per_thread ? machine->threads : 1);
    machine->levels[level].capacity_bytes = (int64_t)(usable * capacity);
    machine_level_spill(&machine->levels[level], (int64_t)(spill * capacity));
}

struct fitting {
    struct timing_fit fit;
    int last_cache; /* -1: the machine tells of none */
    double usable, spill, lost;
    struct machine kernels[MAX_THREAD_POINTS]; /* as the kernels alone have it */
};

/* How much of the last cache the networks see, and how it gives way: what fits them best of a grid
 * of pairs, around what plain reads saw of it. */
static enum status find_spill(const struct calibration *c, struct fitting *f, struct err *err)
{
    static const double usable[] = {0.25, 0.375, 0.5, 0.75, 1, 1.5, 2};
    static const double spill[] = {1, 2, 4, 7, 11, 16, 22};
    enum { N = 7 };
    double best = INFINITY;
    for (int i = 0; f->last_cache >= 0 && i < N; i++) {
        double frac = fmin(1, usable[i] * c->sourced.device.levels[f->last_cache].usable_frac);
        for (int j = 0; j < N; j++) {
            double sum = 0, loss;
            for (int p = 0; p < c->n_points; p++) {
                struct machine machine = f->kernels[p];
                set_spill(c, f->last_cache, frac, frac * spill[j], &machine);
                enum status status = timing_fit(&f->fit, &machine, &loss, err);
                if (status != STATUS_OK)
                    return status;
                sum += loss;
            }
            if (sum < best) {
                best = sum;
                f->usable = frac;
                f->spill = frac * spill[j];
            }
        }
    }
    for (int p = 0; p < c->n_points && f->last_cache >= 0; p++)
        set_spill(c, f->last_cache, f->usable, f->spill, &f->kernels[p]);
    return STATUS_OK;
}

/* Adds to *sum how far off the ratio of each pair is: of a network that runs its blocks twice, and
 * its twin. */
static enum status pair_loss(const struct calibration *c, const struct machine *machine,
                             double *sum, struct err *err)
{
    for (int i = 0; i < c->n_trials; i++) {
        const struct trial *trial = &c->trials[i], *twin = trial + trials_of_network(c);
        struct workload workload = {1, trial->context};
        struct price price, price_of_twin;
        if (!is_half_of_pair(c, i) || trial->threads != machine->threads)
            continue;
        enum status status = price_network(trial->net, machine, &workload, &price, NULL, err);
        if (status == STATUS_OK)
            status = price_network(twin->net, machine, &workload, &price_of_twin, NULL, err);
        if (status != STATUS_OK)
            return status;
        *sum += fabs(log(price.decode_ns / price_of_twin.decode_ns) -
                     log(trial_decode_ns(trial) / trial_decode_ns(twin)));
    }
    return STATUS_OK;
}

/* How much of a block is lost between its two runs: what predicts the pairs best, the rest of the
 * fit being as it is. */
static enum status find_lost(const struct calibration *c, struct fitting *f, struct err *err)
{
    enum { N = 24, LEAST_TRIALS = 8 };
    double best = INFINITY;
    int n = 0; /* a few say more of themselves than of the cache */
    for (int i = 0; i < c->n_trials; i++)
        n += is_half_of_pair(c, i) && c->trials[i].threads == c->threads[0];
    for (int k = 0; n >= LEAST_TRIALS && f->last_cache >= 0 && k <= N; k++) {
        double lost = 1.5 * k / N, sum = 0;
        for (int p = 0; p < c->n_points; p++) {
            struct machine machine = f->kernels[p];
            machine.levels[f->last_cache].reread_lost_frac = lost;
            enum status status = timing_fit(&f->fit, &machine, NULL, err);
            if (status == STATUS_OK)
                status = pair_loss(c, &machine, &sum, err);
            if (status != STATUS_OK)
                return status;
        }
        if (sum < best) {
            best = sum;
            f->lost = lost;
        }
    }
    for (int p = 0; p < c->n_points && f->last_cache >= 0; p++)
        f->kernels[p].levels[f->last_cache].reread_lost_frac = f->lost;
    return STATUS_OK;
}

/* Each fold predicted from a fit to the others. */
static enum status hold_out(struct calibration *c, struct fitting *f, struct err *err)
{
    size_t n_trials = (size_t)c->n_trials, n_prefill = 0;
    double *decode = memory_new(n_trials, sizeof *decode);
    double *prefill = memory_new(n_trials, sizeof *prefill);
    enum status status =
        decode && prefill ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    int n = 0;
    for (int p = 0; p < c->n_points; p++) {
        for (int fold = 0; fold < N_FOLDS && status == STATUS_OK; fold++) {
            struct machine machine = f->kernels[p];
            f->fit.left_out = fold;
            status = timing_fit(&f->fit, &machine, NULL, err);
            if (status == STATUS_OK)
                status = timing_errors(&f->fit, &machine, fold, decode, prefill, &n, err);
        }
    }
    f->fit.left_out = -1;
    for (int i = 0; i < n && status == STATUS_OK; i++)
        if (!isnan(prefill[i]))
            prefill[n_prefill++] = prefill[i];
    if (status == STATUS_OK && n > 0) {
        c->sourced.device.error_median_frac = stats_quantile(decode, (size_t)n, 0.5);
        c->sourced.device.error_p90_frac = stats_quantile(decode, (size_t)n, 0.9);
        c->prefill_error_median_frac = n_prefill > 0 ? stats_median(prefill, n_prefill) : NAN;
    }
    memory_free(decode);
    memory_free(prefill);
    return status;
}

static struct measured fitted(const struct calibration *c, double value)
{
    return (struct measured){value, {.kind = NUMBER_FITTED, .n = c->n_trials / c->n_points}};
}

static void keep_type(struct calibration *c, int p, const struct machine *machine, enum dtype type)
{
    static const int terms[] = {TIMING_ROW, TIMING_COLUMN, TIMING_PROMPT_BYTE, TIMING_PROMPT_COLUMN,
                                TIMING_START};
    struct device *device = &c->sourced.device;
    int dram = device->n_levels - 1;
    double least = machine->weight_gbps[type][dram];
    for (int level = dram > 0 ? dram - 1 : 0; level <= dram; level++)
        calibration_put(c, &device->matvec_gbps[type][level], p,
                        fitted(c, fmax(machine->weight_gbps[type][level], least)));
    calibration_put(c, &device->peak_gflops[type], p, fitted(c, machine->peak_gflops[type]));
    for (size_t t = 0; t < sizeof terms / sizeof *terms; t++)
        calibration_put(c, &device->timing_ns[terms[t] + (int)type], p,
                        fitted(c, machine->timing_ns[terms[t] + (int)type]));
}

static void keep(struct calibration *c, int p, const struct machine *machine)
{
    struct device *device = &c->sourced.device;
    int dram = device->n_levels - 1;
    for (int i = 0; i < N_RUN_TYPES; i++)
        keep_type(c, p, machine, run_types[i]);
    for (int level = dram > 0 ? dram - 1 : 0; level <= dram; level++)
        calibration_put(c, &device->cache_gbps[level], p,
                        fitted(c, fmax(machine->kv_gbps[level], machine->kv_gbps[dram])));
    for (int term = TIMING_PROMPT_ROW; term < N_TIMING_TERMS; term++)
        calibration_put(c, &device->timing_ns[term], p, fitted(c, machine->timing_ns[term]));
    calibration_put(c, &device->op_ns[OP_MATMUL], p, fitted(c, machine->op_ns[OP_MATMUL]));
    calibration_put(c, &device->pass_ns, p, fitted(c, machine->pass_ns));
}

/* Of types that did not run nobody knows the start: the first guess is no measurement. */
static void forget_guessed_starts(struct calibration *c)
{
    for (int type = 0; type < N_DTYPES; type++) {
        struct by_threads *starts = &c->sourced.device.timing_ns[TIMING_START + type];
        if (calibration_get(c, starts, 0).by.kind != NUMBER_FITTED)
            starts->n = 0;
    }
}

enum status fit_networks(struct calibration *c, struct err *err)
{
    struct device *device = &c->sourced.device;
    struct fitting *f = memory_new(1, sizeof *f);
    int *fold = memory_new((size_t)c->n_trials, sizeof *fold);
    enum status status = f && fold ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    for (int i = 0; i < c->n_trials; i++)
        fold[i] = c->trials[i].group / N_RUN_TYPES % N_FOLDS;
    f->fit = (struct timing_fit){c->trials, c->n_trials, fold, -1};
    f->last_cache = device->n_levels - 2;
    for (int p = 0; p < c->n_points && status == STATUS_OK; p++)
        status = calibration_machine(c, c->threads[p], &f->kernels[p], err);
    if (status == STATUS_OK)
        status = find_spill(c, f, err);
    if (status == STATUS_OK)
        status = find_lost(c, f, err);
    if (status == STATUS_OK && c->n_networks >= 3 * N_FOLDS)
        status = hold_out(c, f, err);
    for (int p = 0; p < c->n_points && status == STATUS_OK; p++) {
        struct machine machine = f->kernels[p];
        status = timing_fit(&f->fit, &machine, NULL, err);
        if (status == STATUS_OK)
            keep(c, p, &machine);
    }
    if (status == STATUS_OK)
        forget_guessed_starts(c);
    if (status == STATUS_OK && f->last_cache >= 0) {
        device->levels[f->last_cache].usable_frac = f->usable;
        device->levels[f->last_cache].spill_frac = f->spill;
        device->levels[f->last_cache].reread_lost_frac = f->lost;
    }
out:
    memory_free(f);
    memory_free(fold);
    return status;
}
