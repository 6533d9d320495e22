/* A profile at one thread count, with every default filled in. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "device/device.h"

double by_threads_at(const struct by_threads *numbers, int threads, double absent)
{
    int n = numbers->n;
    if (n == 0)
        return absent;
    if (threads <= numbers->threads[0])
        return numbers->value[0];
    for (int i = 1; i < n; i++) {
        if (threads > numbers->threads[i])
            continue;
        double share = (double)(threads - numbers->threads[i - 1]) /
                       (numbers->threads[i] - numbers->threads[i - 1]);
        /* in this form exact at a listed count, where levels are compared with each other */
        return (1 - share) * numbers->value[i - 1] + share * numbers->value[i];
    }
    return numbers->value[n - 1];
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

void machine_level_spill(struct machine_level *level, int64_t bytes)
{
    double ratio = (double)bytes / (double)level->capacity_bytes;
    for (int i = 0; i < N_SPILL; i++)
        level->spill_bytes[i] =
            ratio > 1
                ? llround((double)level->capacity_bytes * pow(ratio, (double)i / (N_SPILL - 1)))
                : 0;
}

static void resolve_level(const struct level *level, int threads, struct machine_level *out)
{
    memcpy(out->name, level->name, sizeof out->name);
    double capacity = (double)level->capacity_bytes * level->usable_frac;
    out->capacity_bytes = (int64_t)(level->per_thread ? capacity * threads : capacity);
    double spill = isnan(level->spill_frac) ? 0 : level->spill_frac / level->usable_frac;
    machine_level_spill(out, (int64_t)((double)out->capacity_bytes * spill));
    out->reread_lost_frac = level->reread_lost_frac;
    double read_gbps = by_threads_at(&level->read_gbps, threads, NAN);
    out->read_gbps = level->efficiency_frac * read_gbps;
    out->write_gbps =
        level->efficiency_frac * by_threads_at(&level->write_gbps, threads, read_gbps);
    out->latency_ns = level->latency_ns;
    out->energy_pj_per_byte = level->energy_pj_per_byte;
    out->turnaround_ns = level->turnaround_ns;
    out->policy = level->policy;
    out->ports = level->ports;
    out->page_bytes = level->page_bytes;
    out->queue_depth = level->queue_depth;
}

/* A type without a peak of its own is computed in f16, or else f32, after unpacking. f32 itself
 * never takes the peak of a narrower type unless there is nothing else. */
static double peak_of(const struct device *device, enum dtype dtype, int threads)
{
    const enum dtype order[] = {dtype, dtype == DTYPE_F32 ? DTYPE_F32 : DTYPE_F16, DTYPE_F32,
                                DTYPE_F16};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (device->peak_gflops[order[i]].n > 0)
            return by_threads_at(&device->peak_gflops[order[i]], threads, NAN);
    return NAN;
}

static void resolve_timings(const struct device *device, int threads, struct machine *out)
{
    out->has_timings = device->has_timings;
    out->timed_d_in = device->timed_d_in;
    out->timed_context = device->timed_context;
    out->timed_tokens = device->timed_tokens;
    for (int term = 0; term < N_TIMING_TERMS; term++)
        out->timing_ns[term] = by_threads_at(&device->timing_ns[term], threads, 0);
    for (int type = 0; type < N_DTYPES; type++) {
        out->is_timed[type] = device->has_timings && device->timing_ns[TIMING_ROW + type].n > 0;
        out->matvec_step[type] = device->matvec_step[type];
    }
}

static enum status check_essentials(const struct device *device, int threads, struct err *err)
{
    if (threads < 0 || threads > device->max_threads)
        return err_set(err, STATUS_RANGE, "device '%s' has %d threads, not %d", device->id,
                       device->max_threads, threads);
    if (device->n_levels < 2)
        return err_set(err, STATUS_INPUT, "device '%s' lacks 'levels'", device->id);
    for (int i = 0; i < device->n_levels; i++)
        if (device->levels[i].read_gbps.n == 0)
            return err_set(err, STATUS_INPUT, "device '%s' lacks 'read_gbps' of level '%s'",
                           device->id, device->levels[i].name);
    if (device->peak_gflops[DTYPE_F16].n == 0 && device->peak_gflops[DTYPE_F32].n == 0)
        return err_set(err, STATUS_INPUT, "device '%s' lacks 'peak_gflops' of f16 or f32",
                       device->id);
    return STATUS_OK;
}

enum status machine_resolve(const struct device *device, int threads, struct machine *out,
                            struct err *err)
{
    enum status status = check_essentials(device, threads, err);
    if (status != STATUS_OK)
        return status;
    if (threads == 0)
        threads = device->default_threads;

    *out = (struct machine){
        .threads = threads,
        .basis = device->basis,
        .error_median_frac = device->error_median_frac,
        .error_p90_frac = device->error_p90_frac,
        .n_levels = device->n_levels,
        .dram = device->n_levels - 2,
        .flash = device->n_levels - 1,
        .layer_ns = by_threads_at(&device->layer_ns, threads, 0),
        .pass_ns = by_threads_at(&device->pass_ns, threads, 0),
        .attention_gflops = by_threads_at(&device->attention_gflops, threads, 0),
        .head_gbps = by_threads_at(&device->head_gbps, threads, 0),
        .overlap_frac = device->overlap_frac,
        .load_fixed_ns = device->load_fixed_ns,
        .load_gbps = device->load_gbps,
        .load_layer_ns = device->load_layer_ns,
        .init_fixed_ns = device->init_fixed_ns,
        .init_gbps = isnan(device->init_gbps) ? INFINITY : device->init_gbps,
        .init_layer_ns = device->init_layer_ns,
        .init_block_sq_ns = device->init_block_sq_ns,
        .energy_pj_per_flop = device->energy_pj_per_flop,
        .battery_j = device->battery_j,
    };
    memcpy(out->device, device->id, sizeof out->device);
    resolve_timings(device, threads, out);
    for (int i = 0; i < device->n_levels; i++)
        resolve_level(&device->levels[i], threads, &out->levels[i]);
    if (isnan(out->load_gbps))
        out->load_gbps = out->levels[out->flash].read_gbps;
    out->app_share_bytes =
        (int64_t)(device->app_share_frac * (double)device->levels[out->dram].capacity_bytes);

    double attention_gbps = by_threads_at(&device->attention_gbps, threads, INFINITY);
    for (int i = 0; i < device->n_levels; i++) {
        out->kv_gbps[i] = by_threads_at(&device->cache_gbps[i], threads,
                                        smaller(out->levels[i].read_gbps, attention_gbps));
    }
    for (int type = 0; type < N_DTYPES; type++) {
        out->peak_gflops[type] = peak_of(device, (enum dtype)type, threads);
        for (int i = 0; i < device->n_levels; i++)
            out->weight_gbps[type][i] =
                by_threads_at(&device->matvec_gbps[type][i], threads,
                              out->levels[i].read_gbps * device->stream_frac[type]);
    }
    for (int kind = 0; kind < N_OP_KINDS; kind++)
        out->op_ns[kind] = by_threads_at(&device->op_ns[kind], threads, 0);
    return STATUS_OK;
}
