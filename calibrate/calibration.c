#include "calibrate/calibration.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { DIGITS = 4 }; /* more would be noise */

static size_t place_of(const struct sourced_device *sourced, const double *number)
{
    size_t offset = (size_t)((const char *)number - (const char *)&sourced->device);
    assert(offset < sizeof sourced->device);
    return offset / sizeof(double);
}

struct evidence *evidence_of(struct sourced_device *sourced, const double *number)
{
    return &sourced->evidence[place_of(sourced, number)];
}

void calibration_init(struct calibration *calibration)
{
    *calibration = (struct calibration){.prefill_error_median_frac = NAN};
    device_init(&calibration->sourced.device);
    calibration->sourced.device.default_threads = 0; /* until one is the fastest */
}

void calibration_release(struct calibration *calibration)
{
    memory_free(calibration->times);
    memory_free(calibration->networks);
    memory_free(calibration->trials);
    calibration_init(calibration);
}

static void put(struct sourced_device *sourced, struct by_threads *numbers, int threads, int p,
                struct measured measured)
{
    assert(p <= numbers->n);
    numbers->n = p < numbers->n ? numbers->n : p + 1;
    numbers->threads[p] = threads;
    numbers->value[p] = measured.value;
    struct evidence *evidence = evidence_of(sourced, &numbers->value[p]);
    *evidence = measured.by;
    evidence->is_given = true;
}

void calibration_put(struct calibration *calibration, struct by_threads *numbers, int p,
                     struct measured measured)
{
    put(&calibration->sourced, numbers, calibration->threads[p], p, measured);
}

struct measured calibration_get(struct calibration *calibration, const struct by_threads *numbers,
                                int p)
{
    if (p >= numbers->n)
        return (struct measured){0};
    return (struct measured){numbers->value[p],
                             *evidence_of(&calibration->sourced, &numbers->value[p])};
}

static void put_noted(struct sourced_device *out, double *number, double value,
                      enum number_kind kind, const char *note)
{
    *number = value;
    *evidence_of(out, number) = (struct evidence){.is_given = true, .kind = kind, .note = note};
}

/* A profile's levels may not get faster with distance, which noise (or a kernel that no level can
 * slow down) can make of them. slowest: out, [n_points], of all levels. */
static void cut_rates(const struct calibration *c, struct sourced_device *out, double *slowest)
{
    for (int p = 0; p < c->n_points; p++) {
        slowest[p] = INFINITY;
        for (int i = 0; i < out->device.n_levels; i++) {
            double *rate = &out->device.levels[i].read_gbps.value[p];
            double measured = *rate;
            if (measured > slowest[p]) {
                evidence_of(out, rate)->cut_from = measured;
                *rate = slowest[p];
            }
            slowest[p] = fmin(slowest[p], round_to_digits(measured, DIGITS));
        }
    }
}

static void add_flash(const struct calibration *c, struct sourced_device *out,
                      const double *slowest)
{
    assert(c->n_points > 0);
    const double assumed_gbps = 1; /* between an SD card and a good SSD */
    struct level *flash = &out->device.levels[out->device.n_levels++];
    double *rate = &flash->read_gbps.value[0], memory_gbps = slowest[0];
    snprintf(flash->name, sizeof flash->name, "flash");
    for (int p = 1; p < c->n_points; p++)
        memory_gbps = fmin(memory_gbps, slowest[p]);
    put(out, &flash->read_gbps, 1, 0, c->flash_gbps);
    if (c->flash_gbps.by.n == 0)
        put_noted(out, rate, fmin(assumed_gbps, memory_gbps), NUMBER_ASSUMED, c->flash_note);
    else if (c->flash_gbps.value > memory_gbps)
        put_noted(out, rate, memory_gbps, NUMBER_ESTIMATE,
                  "the storage test read faster than memory: cached below this machine");
}

static void note_levels(struct sourced_device *out)
{
    int dram = out->device.n_levels - 1;
    for (int i = 0; i <= dram; i++) {
        struct level *level = &out->device.levels[i];
        put_noted(out, &level->usable_frac, level->usable_frac,
                  i < dram ? NUMBER_MEASURED : NUMBER_ASSUMED,
                  i < dram
                      ? "where read bandwidth falls to the middle between this level and the next"
                      : "all of it");
        if (level->spill_frac > level->usable_frac)
            put_noted(out, &level->spill_frac, level->spill_frac, NUMBER_FITTED,
                      "to decode times of networks, with usable_frac");
        else
            level->spill_frac = NAN;
        if (level->reread_lost_frac > 0)
            put_noted(out, &level->reread_lost_frac, level->reread_lost_frac, NUMBER_FITTED,
                      "to decode times of networks that run each block twice in a row");
    }
}

static void note_errors(struct device *device, struct sourced_device *out)
{
    const char *note = "networks left out of the fit, each fifth in turn";
    if (device->error_median_frac > 0) {
        put_noted(out, &device->error_median_frac, device->error_median_frac, NUMBER_MEASURED,
                  note);
        put_noted(out, &device->error_p90_frac, device->error_p90_frac, NUMBER_MEASURED, note);
    } else {
        device->error_median_frac = device->error_p90_frac = NAN;
    }
}

/* The state of the machine that all timings of networks were brought to; none where a thread count
 * lacks it. */
static void put_sentinel(const struct calibration *c, struct sourced_device *out)
{
    struct device *device = &out->device;
    const struct evidence fitted = {.kind = NUMBER_FITTED, .n = c->n_trials};
    for (int p = 0; p < c->n_points; p++)
        if (!state_reference_at(&c->trial_report.state, c->threads[p]))
            return;
    for (int p = 0; p < c->n_points; p++) {
        const struct machine_state *state =
            state_reference_at(&c->trial_report.state, c->threads[p]);
        put(out, &device->sentinel_sum_ns, c->threads[p], p,
            (struct measured){state->sum_ns, fitted});
        put(out, &device->sentinel_read_gbps, c->threads[p], p,
            (struct measured){state->read_gbps, fitted});
        put(out, &device->sentinel_meet_ns, c->threads[p], p,
            (struct measured){state->meet_ns, fitted});
    }
}

/* With timings of networks most fixed costs are parts of their terms; without, the terms are
 * guesses from kernels. */
static void choose_terms(const struct calibration *c, struct sourced_device *out)
{
    struct device *device = &out->device;
    device->has_timings = c->n_trials > 0;
    if (device->has_timings) {
        device->attention_gbps.n = 0;
        for (int kind = 0; kind < N_OP_KINDS; kind++)
            if (kind != OP_MATMUL)
                device->op_ns[kind].n = 0;
        put_sentinel(c, out);
        return;
    }
    memset(device->timing_ns, 0, sizeof device->timing_ns);
    memset(device->cache_gbps, 0, sizeof device->cache_gbps);
    memset(device->matvec_step, 0, sizeof device->matvec_step);
}

void calibration_settle(const struct calibration *c, struct sourced_device *out)
{
    double slowest[MAX_THREAD_POINTS];
    struct device *device = &out->device;
    *out = c->sourced;
    snprintf(device->name, sizeof device->name, "%s", c->topology.cpu);
    snprintf(device->kind, sizeof device->kind, "generic");
    snprintf(device->unit, sizeof device->unit, "cpu");
    snprintf(device->runtime, sizeof device->runtime, "lathe");
    device->basis = BASIS_CALIBRATED;
    device->max_threads = c->threads[c->n_points - 1];
    if (device->default_threads == 0)
        device->default_threads = device->max_threads;
    note_errors(device, out);
    note_levels(out);
    cut_rates(c, out, slowest);
    add_flash(c, out, slowest);
    choose_terms(c, out);
    for (size_t i = 0; i < N_EVIDENCE; i++) {
        double *number = (double *)(void *)((char *)device + i * sizeof(double));
        if (out->evidence[i].is_given)
            *number = round_to_digits(*number, DIGITS);
    }
}

enum status calibration_machine(const struct calibration *calibration, int threads,
                                struct machine *out, struct err *err)
{
    struct sourced_device *settled = memory_new(1, sizeof *settled);
    if (settled == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    calibration_settle(calibration, settled);
    enum status status = machine_resolve(&settled->device, threads, out, err);
    memory_free(settled);
    return status;
}
