#include "calibrate/calibrate.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>

#include "base/clock.h"
#include "calibrate/calibrate_kernels.h"
#include "calibrate/calibration_judge.h"
#include "calibrate/fit_networks.h"
#include "calibrate/networks_drawn.h"
#include "kernels/check.h"

/* What a calibration may cost. The usual one stays below a minute, a quick one below 20 s; a
 * thorough one below ten minutes, most of it rounds of networks, which noise asks for. */
struct effort {
    double kernels_ns; /* of all kernel timings together; 0: timing_ns each */
    double timing_ns;
    double spread_frac; /* of a median that ends its timing */
    int n_networks, max_rounds;
    double networks_ns, most_params;
};
static const struct effort quick = {0, 20e6, 0.01, 15, 4, 8e9, 80e6};
static const struct effort usual = {12e9, 0, 0.003, 30, 4, 25e9, 80e6};
static const struct effort thorough = {60e9, 0, 0.003, 108, MAX_TRIAL_ROUNDS, 440e9, 150e6};

static const struct effort *effort_of(const struct calibration_options *options)
{
    return options->quick ? &quick : options->thorough ? &thorough : &usual;
}

/* Against their portable definitions: a kernel that is wrong is not worth timing. */
static enum status check_kernels(unsigned isa, struct err *err)
{
    static const enum kernel_op ops[] = {KERNEL_MATVEC, KERNEL_MATMUL, KERNEL_ATTENTION};
    enum status status = STATUS_OK;
    for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
        for (int i = 0; i < N_TIMED_TYPES && status == STATUS_OK; i++) {
            const struct kernel *kernel = kernel_find(ops[op], timed_types[i], isa);
            if (kernel != NULL)
                status = kernel_check(kernel, err);
        }
    }
    return status;
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
    struct device *device = &out->sourced.device;
    for (int i = 0; i < t->n_caches && device->n_levels < MAX_LEVELS - 2; i++) {
        struct level *level = &device->levels[device->n_levels++];
        snprintf(level->name, sizeof level->name, "%s", t->caches[i].name);
        level->capacity_bytes = t->caches[i].bytes;
        level->per_thread = t->caches[i].per_thread;
    }
    struct level *dram = &device->levels[device->n_levels++];
    snprintf(dram->name, sizeof dram->name, "dram");
    dram->capacity_bytes = t->dram_bytes;
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

static void show(void *context, double done_frac)
{
    enum { STEPS = 1000 };
    const struct calibration_options *options = context;
    if (options->progress)
        options->progress(options->progress_context, (int)(STEPS * done_frac), STEPS);
}

/* Draws networks, times them through the runtime, fits. */
static enum status calibrate_networks(const struct calibration_options *options,
                                      const struct kernel_timer *timer, struct calibration *out,
                                      struct err *err)
{
    const double decodes_ns = 15e6; /* of a trial and round: a few tokens of the slowest network */
    const struct effort *effort = effort_of(options);
    struct calibration_options shown = *options;
    struct trial_options trial_options = {.min_rounds = 1,
                                          .max_rounds = effort->max_rounds,
                                          .budget_ns = effort->networks_ns,
                                          .decode_ns = decodes_ns,
                                          .isa = options->isa,
                                          .seed = CALIBRATION_SEED,
                                          .stop = options->stop,
                                          .progress = show,
                                          .progress_context = &shown};
    enum status status = draw_networks(effort->n_networks, effort->most_params, out, err);
    if (status == STATUS_OK)
        status = timer->trials(out->trials, out->n_trials, &trial_options, &out->trial_report, err);
    if (status == STATUS_OK)
        status = fit_networks(out, err);
    if (status != STATUS_OK)
        return status;
    calibration_compare_threads(out);
    calibration_judge(out);
    return STATUS_OK;
}

static enum status time_kernels(const struct calibration_options *options,
                                const struct kernel_timer *timer, struct calibration *out,
                                struct err *err)
{
    const struct effort *effort = effort_of(options);
    int64_t bytes = cold_bytes(&out->topology);
    struct timed_space space;
    enum status status = timer->open(&space, options->isa, bytes, err);
    if (status != STATUS_OK)
        return status;
    space.plan.budget_ns = effort->kernels_ns > 0
                               ? effort->kernels_ns / count_kernel_timings(out, bytes)
                               : effort->timing_ns;
    space.plan.spread_frac = effort->spread_frac;
    status = check_kernels(options->isa, err);
    if (status == STATUS_OK)
        status = calibrate_kernels(options, timer, &space, out, err);
    timer->close(&space);
    return status;
}

enum status calibrate(const struct calibration_options *options, const struct kernel_timer *timer,
                      struct calibration *out, struct err *err)
{
    calibration_init(out);
    enum status status = topology_read(&out->topology, err);
    if (status != STATUS_OK)
        return status;
    int most = out->topology.n_cores;
    most = most > omp_get_thread_limit() ? omp_get_thread_limit() : most;
    if (options->max_threads > most)
        return err_set(err, STATUS_RANGE, "%d threads asked for, but there are %d cores",
                       options->max_threads, most);
    choose_threads(out, options->max_threads > 0 ? options->max_threads : most);
    name_levels(out);
    clock_now_iso(out->measured_at, sizeof out->measured_at);
    cpu_isa_names(options->isa, out->isa_names, sizeof out->isa_names);
    status = time_kernels(options, timer, out, err);
    if (status != STATUS_OK)
        return status;
    calibrate_storage(options, timer, out);
    return calibrate_networks(options, timer, out, err);
}
