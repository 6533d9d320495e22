/* The columns of every table. See tables.h. */
#include "db/tables.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The struct decides the type, so the list cannot contradict it. */
#define TYPE_OF(field) \
    _Generic(field, int64_t : COLUMN_INT, double : COLUMN_REAL, const char * : COLUMN_TEXT)
#define FIELD(row, name, unit, meaning) \
    { \
#name, TYPE_OF(((struct row *)0)->name), offsetof(struct row, name), unit, meaning \
    }
#define NESTED(row, within, name, unit, meaning) \
    { \
#name, TYPE_OF(((struct row *)0)->within.name), offsetof(struct row, within.name), unit, \
            meaning \
    }
#define TABLE(name, row, columns, extra) \
    { \
        name, sizeof(struct row), (int)(sizeof(columns) / sizeof *(columns)), columns, extra \
    }

static const struct column run_columns[] = {
    FIELD(run_row, id, "", "1, 2, ..."),
    FIELD(run_row, verb, "", "search, measure, calibrate, ..."),
    FIELD(run_row, command, "", "the command line"),
    FIELD(run_row, version, "", "of lathe"),
    FIELD(run_row, space, "", "the design space, JSON"),
    FIELD(run_row, device_id, "", "device.id: the profile as it was"),
    FIELD(run_row, device, "", "name of the device profile"),
    FIELD(run_row, budget, "", "parameter budget as given"),
    FIELD(run_row, budget_min, "params", "least"),
    FIELD(run_row, budget_max, "params", "most"),
    FIELD(run_row, objectives, "", "what is minimised, comma separated"),
    FIELD(run_row, constraints, "", "what --where asked for"),
    FIELD(run_row, keep, "", "all, front or top:N"),
    FIELD(run_row, seed, "", "of the random generator"),
    FIELD(run_row, threads, "", "of the device, in the predictions"),
    FIELD(run_row, prompt, "tokens", "of the prefill"),
    FIELD(run_row, context, "tokens", "in the cache when decode is timed"),
    FIELD(run_row, total, "", "architectures in the space"),
    FIELD(run_row, position, "", "of them done and stored: where it resumes"),
    FIELD(run_row, n_candidates, "", "rows in candidate"),
    FIELD(run_row, started_at, "UTC", ""),
    FIELD(run_row, ended_at, "UTC", "NULL while it runs and after a kill"),
    FIELD(run_row, finished, "0/1", "1: all of it was done"),
};

static const struct column candidate_columns[] = {
    FIELD(candidate_row, run_id, "", "run.id"),
    FIELD(candidate_row, id, "", "rank in canonical order, unique within the run"),
    FIELD(candidate_row, n_layers, "", "distinct blocks"),
    FIELD(candidate_row, n_layers_effective, "", "executed blocks"),
    FIELD(candidate_row, sharing, "", "none, immediate, repeat-all, reverse"),
    FIELD(candidate_row, repeats, "", "executions of a block"),
    FIELD(candidate_row, share_ffn, "0/1", "one FFN for every block"),
    FIELD(candidate_row, d_model, "", "width"),
    FIELD(candidate_row, n_heads, "", "query heads"),
    FIELD(candidate_row, n_kv_heads, "", "key and value heads"),
    FIELD(candidate_row, d_head, "", "width of a head"),
    FIELD(candidate_row, d_ff, "", "hidden width of the FFN"),
    FIELD(candidate_row, vocab_size, "", "rows of the token table"),
    FIELD(candidate_row, tie_embeddings, "0/1", "the head reads the token table"),
    FIELD(candidate_row, ffn_kind, "", "relu, gelu, swiglu, geglu"),
    FIELD(candidate_row, dtype, "", "weight type of the blocks"),
    FIELD(candidate_row, head_dtype, "", "weight type of the head"),
    FIELD(candidate_row, kv_dtype, "", "type of the KV cache"),
    FIELD(candidate_row, params, "params", "all, shared and tied ones once"),
    FIELD(candidate_row, params_embedding, "params", "of the token table"),
    FIELD(candidate_row, params_blocks, "params", "of the distinct blocks"),
    FIELD(candidate_row, weight_bytes, "bytes", "as stored"),
    FIELD(candidate_row, kv_bytes_per_token, "bytes", "that a token adds to the KV cache"),
    FIELD(candidate_row, load_ns, "ns", "file to memory"),
    FIELD(candidate_row, init_ns, "ns", "repack, compile, allocate"),
    FIELD(candidate_row, prefill_ns, "ns", "pass over run.prompt tokens"),
    FIELD(candidate_row, ttft_cold_ns, "ns", "load + init + prefill"),
    FIELD(candidate_row, decode_ns, "ns", "one token after run.context tokens"),
    FIELD(candidate_row, decode_ns_low, "ns", "lower end of the prediction's interval"),
    FIELD(candidate_row, decode_ns_high, "ns", "upper end"),
    FIELD(candidate_row, decode_tok_s, "tokens/s", "1e9 / decode_ns"),
    FIELD(candidate_row, energy_pj_per_token, "pJ", "of one decoded token"),
    FIELD(candidate_row, peak_bytes, "bytes", "weights + KV cache + activations"),
    FIELD(candidate_row, fits_app_share, "0/1", "peak within what an app should use"),
    FIELD(candidate_row, flop_per_token, "flop", "of one decoded token"),
    FIELD(candidate_row, on_front, "0/1", "not dominated in run.objectives"),
};

static const struct column device_columns[] = {
    FIELD(device_row, id, "", ""),
    FIELD(device_row, name, "", "what --device takes"),
    FIELD(device_row, title, "", "in full"),
    FIELD(device_row, kind, "", "phone, board, laptop, desktop, generic"),
    FIELD(device_row, unit, "", "cpu, gpu, npu"),
    FIELD(device_row, runtime, "", "software that the fixed costs belong to"),
    FIELD(device_row, basis, "", "datasheet, calibrated, fitted"),
    FIELD(device_row, profile, "", "the whole profile, JSON"),
    FIELD(device_row, stored_at, "UTC", ""),
};

static const struct column kernel_timing_columns[] = {
    FIELD(kernel_timing_row, id, "", ""),
    FIELD(kernel_timing_row, run_id, "", "run.id"),
    FIELD(kernel_timing_row, device_id, "", "device.id"),
    FIELD(kernel_timing_row, device, "", "name of the device profile"),
    FIELD(kernel_timing_row, kernel, "", "row of the kernel table"),
    FIELD(kernel_timing_row, operation, "", "matvec, matmul, attention, read, ..."),
    FIELD(kernel_timing_row, dtype, "", "of the weights or cache"),
    FIELD(kernel_timing_row, isa, "", "instruction set"),
    FIELD(kernel_timing_row, threads, "", ""),
    FIELD(kernel_timing_row, d_out, "", "rows of the matrix"),
    FIELD(kernel_timing_row, d_in, "", "columns of the matrix"),
    FIELD(kernel_timing_row, n_tokens, "tokens", "at once"),
    FIELD(kernel_timing_row, context, "tokens", "of attention"),
    FIELD(kernel_timing_row, working_set_bytes, "bytes", "touched between two uses"),
    FIELD(kernel_timing_row, cache_state, "", "cold, hot or a level's name"),
    FIELD(kernel_timing_row, min_ns, "ns", "of one call"),
    FIELD(kernel_timing_row, median_ns, "ns", "of one call"),
    FIELD(kernel_timing_row, mad_ns, "ns", "median absolute deviation"),
    FIELD(kernel_timing_row, n_samples, "", ""),
    FIELD(kernel_timing_row, ended_by, "", "spread or budget"),
    FIELD(kernel_timing_row, flop, "flop", "of one call"),
    FIELD(kernel_timing_row, bytes, "bytes", "read by one call"),
    FIELD(kernel_timing_row, compiler, "", ""),
    FIELD(kernel_timing_row, flags, "", "of the compiler"),
    FIELD(kernel_timing_row, source_commit, "", "of lathe"),
    FIELD(kernel_timing_row, measured_at, "UTC", ""),
};

#define SUBJECT(row) \
    NESTED(row, subject, model, "", "name of the network"), \
        NESTED(row, subject, device_id, "", "device.id"), \
        NESTED(row, subject, device, "", "name of the device profile"), \
        NESTED(row, subject, runtime, "", "what runs the network"), \
        NESTED(row, subject, dtype, "", "weight type of the blocks"), \
        NESTED(row, subject, head_dtype, "", "weight type of the head"), \
        NESTED(row, subject, kv_dtype, "", "type of the KV cache"), \
        NESTED(row, subject, threads, "", ""), \
        NESTED(row, subject, prompt, "tokens", "of the prefill"), \
        NESTED(row, subject, context, "tokens", "in the cache when decode is timed"), \
        NESTED(row, subject, n_layers, "", "distinct blocks"), \
        NESTED(row, subject, n_layers_effective, "", "executed blocks"), \
        NESTED(row, subject, sharing, "", "as in candidate"), \
        NESTED(row, subject, d_model, "", ""), NESTED(row, subject, n_heads, "", ""), \
        NESTED(row, subject, n_kv_heads, "", ""), NESTED(row, subject, d_head, "", ""), \
        NESTED(row, subject, d_ff, "", ""), NESTED(row, subject, vocab_size, "", ""), \
        NESTED(row, subject, tie_embeddings, "0/1", ""), \
        NESTED(row, subject, params, "params", "all, shared and tied ones once"), \
        NESTED(row, subject, params_blocks, "params", "of the distinct blocks"), \
        NESTED(row, subject, weight_bytes, "bytes", "as stored"), \
        NESTED(row, subject, kv_bytes_per_token, "bytes", "that a token adds")

static const struct column prediction_columns[] = {
    FIELD(prediction_row, id, "", ""),
    FIELD(prediction_row, run_id, "", "run.id"),
    SUBJECT(prediction_row),
    FIELD(prediction_row, clock, "", "estimate or simulate"),
    FIELD(prediction_row, load_ns, "ns", "file to memory"),
    FIELD(prediction_row, init_ns, "ns", "repack, compile, allocate"),
    FIELD(prediction_row, prefill_ns, "ns", "pass over prompt tokens"),
    FIELD(prediction_row, ttft_cold_ns, "ns", "load + init + prefill"),
    FIELD(prediction_row, decode_ns, "ns", "one token after context tokens"),
    FIELD(prediction_row, decode_ns_low, "ns", "lower end of the interval"),
    FIELD(prediction_row, decode_ns_high, "ns", "upper end"),
    FIELD(prediction_row, decode_tok_s, "tokens/s", "1e9 / decode_ns"),
    FIELD(prediction_row, energy_pj_per_token, "pJ", "of one decoded token"),
    FIELD(prediction_row, peak_bytes, "bytes", "weights + KV cache + activations"),
    FIELD(prediction_row, fits_app_share, "0/1", "peak within what an app should use"),
    FIELD(prediction_row, basis, "", "datasheet, calibrated, fitted"),
    FIELD(prediction_row, error_median_frac, "", "of this basis so far, 0..1"),
    FIELD(prediction_row, error_p90_frac, "", "of this basis so far, 0..1"),
    FIELD(prediction_row, predicted_at, "UTC", ""),
};

#define MEASURED(name, unit, meaning) \
    FIELD(measurement_row, name, unit, "median: " meaning), \
        FIELD(measurement_row, name##_mad, unit, "median absolute deviation"), \
        FIELD(measurement_row, name##_n, "", "samples")

static const struct column measurement_columns[] = {
    FIELD(measurement_row, id, "", ""),
    FIELD(measurement_row, run_id, "", "run.id"),
    SUBJECT(measurement_row),
    MEASURED(load_ns, "ns", "file to memory"),
    MEASURED(init_ns, "ns", "repack, allocate"),
    MEASURED(prefill_ns, "ns", "pass over prompt tokens"),
    MEASURED(ttft_cold_ns, "ns", "load + init + prefill"),
    MEASURED(decode_ns, "ns", "one token after context tokens"),
    FIELD(measurement_row, decode_tok_s, "tokens/s", "1e9 / decode_ns"),
    MEASURED(energy_pj_per_token, "pJ", "of one decoded token"),
    FIELD(measurement_row, peak_bytes, "bytes", "resident at most"),
    FIELD(measurement_row, cache_state, "", "cold or warm weights"),
    FIELD(measurement_row, noise_frac, "", "spread of equal runs, 0..1"),
    FIELD(measurement_row, steal_frac, "", "CPU time that other guests took, 0..1"),
    FIELD(measurement_row, sentinel_before_gbps, "bytes/ns", "read bandwidth before"),
    FIELD(measurement_row, sentinel_after_gbps, "bytes/ns", "read bandwidth after"),
    FIELD(measurement_row, version, "", "of the runtime"),
    FIELD(measurement_row, compiler, "", ""),
    FIELD(measurement_row, flags, "", "of the compiler"),
    FIELD(measurement_row, source_commit, "", "of lathe"),
    FIELD(measurement_row, measured_at, "UTC", ""),
};

static const struct column published_columns[] = {
    FIELD(published_row, id, "", ""),
    FIELD(published_row, model, "", "name, as of the presets"),
    FIELD(published_row, metric, "", "benchmark or quantity"),
    FIELD(published_row, value, "", "in unit"),
    FIELD(published_row, unit, "", "percent, ns, ..."),
    FIELD(published_row, conditions, "", "device, type, shots, ..."),
    FIELD(published_row, source, "", "where it was published"),
};

const struct table tables[N_TABLES] = {
    [TABLE_RUN] = TABLE("run", run_row, run_columns, ""),
    [TABLE_CANDIDATE] =
        TABLE("candidate", candidate_row, candidate_columns,
              "key INTEGER PRIMARY KEY -- run_id << 40 | id: a run's rows are one range of it"),
    [TABLE_DEVICE] = TABLE("device", device_row, device_columns, ""),
    [TABLE_KERNEL_TIMING] = TABLE("kernel_timing", kernel_timing_row, kernel_timing_columns, ""),
    [TABLE_PREDICTION] = TABLE("prediction", prediction_row, prediction_columns, ""),
    [TABLE_MEASUREMENT] = TABLE("measurement", measurement_row, measurement_columns, ""),
    [TABLE_PUBLISHED] = TABLE("published", published_row, published_columns,
                              "UNIQUE (model, metric, conditions, source) ON CONFLICT REPLACE"),
};

const struct column *table_column(enum table_id table, const char *name)
{
    for (int i = 0; i < tables[table].n_columns; i++)
        if (strcmp(tables[table].columns[i].name, name) == 0)
            return &tables[table].columns[i];
    return NULL;
}

int64_t row_int(const void *row, const struct column *column)
{
    assert(column->type == COLUMN_INT);
    int64_t value;
    memcpy(&value, (const char *)row + column->offset, sizeof value);
    return value;
}

double row_real(const void *row, const struct column *column)
{
    assert(column->type == COLUMN_REAL);
    double value;
    memcpy(&value, (const char *)row + column->offset, sizeof value);
    return value;
}

const char *row_text(const void *row, const struct column *column)
{
    assert(column->type == COLUMN_TEXT);
    const char *value;
    memcpy(&value, (const char *)row + column->offset, sizeof value);
    return value;
}

void row_clear(enum table_id table, void *row)
{
    static const int64_t unknown = ROW_UNKNOWN;
    static const double nan = (double)NAN;
    memset(row, 0, tables[table].row_size);
    for (int i = 0; i < tables[table].n_columns; i++) {
        const struct column *column = &tables[table].columns[i];
        if (column->type == COLUMN_INT)
            memcpy((char *)row + column->offset, &unknown, sizeof unknown);
        if (column->type == COLUMN_REAL)
            memcpy((char *)row + column->offset, &nan, sizeof nan);
    }
}
