#include "calibrate/memory_levels.h"

#include <math.h>
#include <stdio.h>

enum { LEAST_SET = 64 << 10, MAX_SETS = 40, PAGE = 4096 };

/* Close to a level's edge a set is read half from here and half from there: this factor, less than
 * the step between two sets (1.41), keeps off it. */
#define OFF_THE_EDGE 1.3
/* DRAM's plateau is looked for in the larger half of the buffer (by octaves the last). */
#define DEEP_IN_DRAM 0.5

/* Read bandwidth of one thread by working set, ascending. */
struct working_sets {
    int n;
    int64_t bytes[MAX_SETS];
    double gbps[MAX_SETS];
};

static struct measured read_rate(struct kernel_run *run, int64_t bytes, int threads,
                                 const char *level)
{
    struct kernel_time *time = kernel_run_next(run);
    if (time == NULL)
        return (struct measured){0};
    run->timer->read(run->space, bytes, threads, time);
    kernel_time_from(time, level);
    return measured_rate(&time->timing, (double)time->bytes);
}

int count_working_sets(int64_t most)
{
    int n = 2 * (int)floor(log2((double)most / LEAST_SET)) + 1;
    return n < MAX_SETS ? n : MAX_SETS;
}

static void time_working_sets(struct kernel_run *run, struct working_sets *sets)
{
    sets->n = count_working_sets(run->space->data_bytes);
    for (int i = 0; i < sets->n; i++) {
        sets->bytes[i] = (int64_t)(LEAST_SET * pow(2, 0.5 * i)) / PAGE * PAGE;
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
static double find_usable_share(struct device *device, const struct working_sets *sets, int level,
                                double before)
{
    bool is_last_cache = level + 2 >= device->n_levels;
    double capacity = (double)device->levels[level].capacity_bytes;
    double beyond = is_last_cache ? (double)sets->bytes[sets->n - 1]
                                  : (double)device->levels[level + 1].capacity_bytes;
    double usable = OFF_THE_EDGE * before;
    double fast = plateau(sets, usable, capacity);
    double slow =
        plateau(sets, is_last_cache ? DEEP_IN_DRAM * beyond : OFF_THE_EDGE * capacity, beyond);
    if (isnan(fast) || isnan(slow))
        return fmin(usable, capacity); /* no set lies between the levels */
    for (int i = 0; i < sets->n && (double)sets->bytes[i] <= capacity; i++)
        if ((double)sets->bytes[i] >= usable && sets->gbps[i] >= sqrt(fast * slow))
            usable = (double)sets->bytes[i];
    usable = fmin(usable, capacity);
    device->levels[level].usable_frac = usable / capacity;
    return usable;
}

/* More threads that read slower than fewer have lost their processors to somebody else: they get
 * two more chances. */
static struct measured steady_read_rate(struct kernel_run *run, int level, int p)
{
    enum { CHANCES = 3 };
    struct calibration *out = run->out;
    const struct level *at = &out->sourced.device.levels[level];
    struct measured best = {0};
    double fewer = p > 0 ? at->read_gbps.value[p - 1] : 0;
    for (int i = 0; i < CHANCES && run->status == STATUS_OK; i++) {
        if (i > 0)
            run->timer->wait_a_second();
        struct measured now = read_rate(run, level_working_set(run, level, out->threads[p]),
                                        out->threads[p], at->name);
        best = now.value > best.value ? now : best;
        if (best.value >= BELOW_FEWER_THREADS * fewer)
            return best;
    }
    if (run->status == STATUS_OK)
        snprintf(out->note, sizeof out->note,
                 "%d threads read '%s' at %.3g GB/s, %d at %.3g: other programs had the processors",
                 out->threads[p], at->name, best.value, out->threads[p - 1], fewer);
    return best;
}

void time_levels(struct kernel_run *run)
{
    struct calibration *out = run->out;
    struct device *device = &out->sourced.device;
    struct working_sets sets;
    double before = 0;
    time_working_sets(run, &sets);
    for (int level = 0; level + 1 < device->n_levels && run->status == STATUS_OK; level++)
        before = find_usable_share(device, &sets, level, before);
    for (int p = 0; p < out->n_points; p++)
        for (int level = 0; level < device->n_levels; level++)
            calibration_put(out, &device->levels[level].read_gbps, p,
                            steady_read_rate(run, level, p));
}
