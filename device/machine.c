/* A profile at one thread count, with every default filled in. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "device/machine.h"
#include "device/profile_fields.h"

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

/* One number of a row at a thread count, to where the machine has it. */
static void resolve_number(const struct profile_field *row, const char *from, int threads, char *to)
{
    switch (row->kind) {
    case KEY_BY_THREADS:
        *(double *)(void *)to =
            by_threads_at((const struct by_threads *)(const void *)from, threads, row->absent);
        break;
    default:
        memcpy(to, from, profile_field_stride(row));
        break;
    }
}

static size_t machine_stride(const struct profile_field *row)
{
    return row->kind == KEY_BY_THREADS ? sizeof(double) : profile_field_stride(row);
}

/* All rows that say where the machine has their numbers. from: a struct device or level. */
static void resolve_rows(const struct profile_field *rows, const char *from, int threads,
                         int n_levels, char *to)
{
    for (const struct profile_field *row = rows; row->key != NULL; row++) {
        bool is_there = row->machine_offset != KEY_NOWHERE;
        for (int i = 0; row->kind == KEY_LEVELS && i < n_levels; i++)
            resolve_rows(row->members, from + row->offset + (size_t)i * sizeof(struct level),
                         threads, 0,
                         to + row->machine_offset + (size_t)i * sizeof(struct machine_level));
        for (int i = 0; row->kind != KEY_LEVELS && is_there && i < profile_field_count(row); i++)
            resolve_number(row, from + row->offset + (size_t)i * profile_field_stride(row), threads,
                           to + row->machine_offset + (size_t)i * machine_stride(row));
        if (row->kind == KEY_OBJECT)
            resolve_rows(row->members, from, threads, n_levels, to);
    }
}

/* What a level's rows do not say: sizes and rates take several of them. */
static void resolve_level(const struct level *level, int threads, struct machine_level *out)
{
    memcpy(out->name, level->name, sizeof out->name);
    double capacity = (double)level->capacity_bytes * level->usable_frac;
    out->capacity_bytes = (int64_t)(level->per_thread ? capacity * threads : capacity);
    double spill = isnan(level->spill_frac) ? 0 : level->spill_frac / level->usable_frac;
    machine_level_spill(out, (int64_t)((double)out->capacity_bytes * spill));
    double read_gbps = by_threads_at(&level->read_gbps, threads, NAN);
    out->read_gbps = level->efficiency_frac * read_gbps;
    out->write_gbps =
        level->efficiency_frac * by_threads_at(&level->write_gbps, threads, read_gbps);
}

/* A type without a peak of its own or of a relative is computed in f16, or else f32, after unpacking. f32 itself
 * never takes the peak of a narrower type unless there is nothing else. */
static double peak_of(const struct device *device, enum dtype dtype, int threads)
{
    while (device->peak_gflops[dtype].n == 0 && dtype_relative(dtype) != dtype)
        dtype = dtype_relative(dtype);
    const enum dtype order[] = {dtype, dtype == DTYPE_F32 ? DTYPE_F32 : DTYPE_F16, DTYPE_F32,
                                DTYPE_F16};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (device->peak_gflops[order[i]].n > 0)
            return by_threads_at(&device->peak_gflops[order[i]], threads, NAN);
    return NAN;
}

static bool has_rate(const struct device *device, enum dtype dtype)
{
    bool has = !isnan(device->stream_frac[dtype]);
    for (int i = 0; i < device->n_levels; i++)
        has = has || device->matvec_gbps[dtype][i].n > 0;
    return has;
}

/* The type itself where it has rates or no relative has. */
static enum dtype type_with_rate(const struct device *device, enum dtype dtype)
{
    enum dtype at = dtype;
    while (!has_rate(device, at) && dtype_relative(at) != at)
        at = dtype_relative(at);
    return has_rate(device, at) ? at : dtype;
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

    *out = (struct machine){.threads = threads,
                            .n_levels = device->n_levels,
                            .dram = device->n_levels - 2,
                            .flash = device->n_levels - 1};
    resolve_rows(profile_fields, (const char *)device, threads, device->n_levels, (char *)out);
    memcpy(out->device, device->id, sizeof out->device);
    if (isnan(out->init_gbps))
        out->init_gbps = INFINITY;
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
        out->is_timed[type] = device->has_timings && device->timing_ns[TIMING_ROW + type].n > 0;
        out->peak_gflops[type] = peak_of(device, (enum dtype)type, threads);
        enum dtype rated = type_with_rate(device, (enum dtype)type);
        double frac = isnan(device->stream_frac[rated]) ? 1 : device->stream_frac[rated];
        out->rated_as[type] = rated;
        for (int i = 0; i < device->n_levels; i++)
            out->weight_gbps[type][i] = by_threads_at(&device->matvec_gbps[rated][i], threads,
                                                      out->levels[i].read_gbps * frac);
    }
    return STATUS_OK;
}
