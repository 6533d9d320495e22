/* The columns of every table. See tables.h. */
#include "db/tables.h"

#define COLUMN(record, name, unit, meaning) \
    FIELD_OF(struct record, name, unit, IN_STORE, NULL, meaning)

static const struct field run_columns[] = {
    COLUMN(run_row, id, UNIT_NONE, "1, 2, ..."),
    COLUMN(run_row, verb, UNIT_NONE, "search, measure, calibrate, ..."),
    COLUMN(run_row, command, UNIT_NONE, "the command line"),
    COLUMN(run_row, version, UNIT_NONE, "of lathe"),
    COLUMN(run_row, space, UNIT_NONE, "the design space, JSON"),
    COLUMN(run_row, device_id, UNIT_NONE, "device.id: the profile as it was"),
    COLUMN(run_row, device, UNIT_NONE, "name of the device profile"),
    COLUMN(run_row, budget, UNIT_NONE, "parameter budget as given"),
    COLUMN(run_row, budget_min, UNIT_PARAMS, "least"),
    COLUMN(run_row, budget_max, UNIT_PARAMS, "most"),
    COLUMN(run_row, objectives, UNIT_NONE, "what is minimised, comma separated"),
    COLUMN(run_row, constraints, UNIT_NONE, "what --where asked for"),
    COLUMN(run_row, keep, UNIT_NONE, "all, front or top:N"),
    COLUMN(run_row, method, UNIT_NONE, "enumerated, exact, within or heuristic"),
    COLUMN(run_row, eps, UNIT_NONE, "nothing that is missing is better by 1 + eps"),
    COLUMN(run_row, scores, UNIT_NONE, "table of layers' scores, CSV; NULL: none, or the law's"),
    COLUMN(run_row, seed, UNIT_NONE, "of the random generator"),
    COLUMN(run_row, threads, UNIT_NONE, "of the device, in the predictions"),
    COLUMN(run_row, prompt, UNIT_TOKENS, "of the prefill"),
    COLUMN(run_row, context, UNIT_TOKENS, "in the cache when decode is timed"),
    COLUMN(run_row, law_id, UNIT_NONE, "law.id: the law of loss as it was"),
    COLUMN(run_row, recipe, UNIT_NONE, "of the law; NULL: like the paper's"),
    COLUMN(run_row, train_tokens, UNIT_TOKENS, "for which losses are compared"),
    COLUMN(run_row, reference, UNIT_NONE, "what losses are held against"),
    COLUMN(run_row, reference_shapes, UNIT_NONE, "its shape, one a vocabulary, JSON"),
    COLUMN(run_row, total, UNIT_NONE, "architectures in the space"),
    COLUMN(run_row, position, UNIT_NONE, "of them done and stored: where it resumes"),
    COLUMN(run_row, shard, UNIT_NONE, "which part of the search, 1 to n_shards; NULL: all of it"),
    COLUMN(run_row, n_shards, UNIT_NONE, "parts that the search is shared out in"),
    COLUMN(run_row, parts, UNIT_NONE, "of lathe-mpi: ids done, each range with its end, JSON"),
    COLUMN(run_row, n_candidates, UNIT_NONE, "rows in candidate"),
    COLUMN(run_row, started_at, UNIT_UTC, ""),
    COLUMN(run_row, ended_at, UNIT_UTC, "NULL while it runs and after a kill"),
    COLUMN(run_row, finished, UNIT_BOOL, "1: all of it was done"),
};

static const struct field device_columns[] = {
    COLUMN(device_row, id, UNIT_NONE, ""),
    COLUMN(device_row, name, UNIT_NONE, "what --device takes"),
    COLUMN(device_row, title, UNIT_NONE, "in full"),
    COLUMN(device_row, kind, UNIT_NONE, "phone, board, laptop, desktop, generic"),
    COLUMN(device_row, unit, UNIT_NONE, "cpu, gpu, npu"),
    COLUMN(device_row, runtime, UNIT_NONE, "software that the fixed costs belong to"),
    COLUMN(device_row, basis, UNIT_NONE, "datasheet, calibrated, fitted"),
    COLUMN(device_row, profile, UNIT_NONE, "the whole profile, JSON"),
    COLUMN(device_row, stored_at, UNIT_UTC, ""),
};

static const struct field kernel_timing_columns[] = {
    COLUMN(kernel_timing_row, id, UNIT_NONE, ""),
    COLUMN(kernel_timing_row, run_id, UNIT_NONE, "run.id"),
    COLUMN(kernel_timing_row, device_id, UNIT_NONE, "device.id"),
    COLUMN(kernel_timing_row, device, UNIT_NONE, "name of the device profile"),
    COLUMN(kernel_timing_row, kernel, UNIT_NONE, "row of the kernel table"),
    COLUMN(kernel_timing_row, operation, UNIT_NONE, "matvec, matmul, attention, read, ..."),
    COLUMN(kernel_timing_row, dtype, UNIT_NONE, "of the weights or cache"),
    COLUMN(kernel_timing_row, isa, UNIT_NONE, "instruction set"),
    COLUMN(kernel_timing_row, threads, UNIT_NONE, ""),
    COLUMN(kernel_timing_row, d_out, UNIT_NONE, "rows of the matrix"),
    COLUMN(kernel_timing_row, d_in, UNIT_NONE, "columns of the matrix"),
    COLUMN(kernel_timing_row, n_tokens, UNIT_TOKENS, "at once"),
    COLUMN(kernel_timing_row, context, UNIT_TOKENS, "of attention"),
    COLUMN(kernel_timing_row, working_set_bytes, UNIT_BYTES, "touched between two uses"),
    COLUMN(kernel_timing_row, cache_state, UNIT_NONE, "cold, hot or a level's name"),
    COLUMN(kernel_timing_row, min_ns, UNIT_NS, "of one call"),
    COLUMN(kernel_timing_row, median_ns, UNIT_NS, "of one call"),
    COLUMN(kernel_timing_row, mad_ns, UNIT_NS, "median absolute deviation"),
    COLUMN(kernel_timing_row, n_samples, UNIT_NONE, ""),
    COLUMN(kernel_timing_row, ended_by, UNIT_NONE, "spread or budget"),
    COLUMN(kernel_timing_row, flop, UNIT_FLOP, "of one call"),
    COLUMN(kernel_timing_row, bytes, UNIT_BYTES, "read by one call"),
    COLUMN(kernel_timing_row, compiler, UNIT_NONE, ""),
    COLUMN(kernel_timing_row, flags, UNIT_NONE, "of the compiler"),
    COLUMN(kernel_timing_row, source_commit, UNIT_NONE, "of lathe"),
    COLUMN(kernel_timing_row, measured_at, UNIT_UTC, ""),
};

static const struct field published_columns[] = {
    COLUMN(published_row, id, UNIT_NONE, ""),
    COLUMN(published_row, model, UNIT_NONE, "name, as of the presets"),
    COLUMN(published_row, metric, UNIT_NONE, "benchmark or quantity"),
    COLUMN(published_row, value, UNIT_NONE, "in unit"),
    COLUMN(published_row, unit, UNIT_NONE, "percent, ns, ..."),
    COLUMN(published_row, conditions, UNIT_NONE, "device, type, shots, ..."),
    COLUMN(published_row, source, UNIT_NONE, "where it was published"),
};

static const struct field law_columns[] = {
    COLUMN(law_row, id, UNIT_NONE, ""),
    COLUMN(law_row, name, UNIT_NONE, "in words"),
    COLUMN(law_row, law, UNIT_NONE, "the whole law, JSON"),
    COLUMN(law_row, stored_at, UNIT_UTC, ""),
};

#define TABLE_OF(name, rows) \
    static const struct fields name##_fields = FIELDS_OF(#name, struct name##_row, rows)
TABLE_OF(run, run_columns);
TABLE_OF(device, device_columns);
TABLE_OF(kernel_timing, kernel_timing_columns);
TABLE_OF(published, published_columns);
TABLE_OF(law, law_columns);

const struct table tables[N_TABLES] = {
    [TABLE_RUN] = {&run_fields, ""},
    [TABLE_CANDIDATE] = {&candidate_fields,
                         "key INTEGER PRIMARY KEY"
                         " -- run_id << 40 | id: a run's rows are one range of it"},
    [TABLE_DEVICE] = {&device_fields, ""},
    [TABLE_KERNEL_TIMING] = {&kernel_timing_fields, ""},
    [TABLE_PREDICTION] = {&prediction_fields, ""},
    [TABLE_MEASUREMENT] = {&measurement_fields, ""},
    [TABLE_PUBLISHED] = {&published_fields,
                         "UNIQUE (model, metric, conditions, source) ON CONFLICT REPLACE"},
    [TABLE_LAW] = {&law_fields, ""},
};

void row_clear(enum table_id table, void *row)
{
    record_clear(tables[table].fields, row);
}
