#include "calibrate/kernel_run.h"

#include <stdio.h>

#include "base/memory.h"

struct kernel_time *kernel_run_next(struct kernel_run *run)
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

void kernel_time_from(struct kernel_time *time, const char *level)
{
    snprintf(time->cache_state, sizeof time->cache_state, "%s", level);
}

struct measured measured_ns(const struct timing *timing)
{
    struct timing_summary calm = timing_undisturbed(timing);
    return (struct measured){calm.median_ns,
                             {.kind = NUMBER_MEASURED,
                              .mad = calm.mad_ns,
                              .n = calm.n,
                              .n_disturbed = timing->n - calm.n}};
}

struct measured measured_rate(const struct timing *timing, double units)
{
    struct measured m = measured_ns(timing);
    m.by.mad = units / m.value * m.by.mad / m.value;
    m.value = units / m.value;
    return m;
}

int64_t level_working_set(const struct kernel_run *run, int level, int threads)
{
    enum { LEAST_BYTES = 64 << 10 };
    const struct device *device = &run->out->sourced.device;
    const struct level *at = &device->levels[level];
    if (level == device->n_levels - 1)
        return run->space->data_bytes;
    double bytes = (double)at->capacity_bytes * at->usable_frac / 2;
    int64_t whole = (int64_t)bytes * (at->per_thread ? threads : 1);
    return whole < LEAST_BYTES ? LEAST_BYTES : whole;
}
