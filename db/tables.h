/* The tables of the store and a plain struct for a row of each.
 *
 * One list of columns a table (tables.c) gives name, type, place in the struct, unit and meaning;
 * the schema, the inserts and the selects are all made from it, so that they cannot disagree. A
 * type follows from the field's: int64_t INTEGER, double REAL, const char * TEXT.
 *
 * Unknown is NULL in the database: NaN for a double, ROW_UNKNOWN for an int64_t, NULL for a text.
 * Texts are borrowed for the call when a row is written, and belong to the list when rows are read.
 * Columns are added by later versions, never renamed or given another meaning. */
#ifndef LATHE_DB_TABLES_H
#define LATHE_DB_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define ROW_UNKNOWN INT64_MIN

/* One command that stored something; a search can be resumed and repeated from this row. */
struct run_row {
    int64_t id;          /* set by store_begin_run, 1, 2, ... */
    const char *verb;    /* "search", "measure", "calibrate", ... */
    const char *command; /* the command line */
    const char *version; /* of lathe */
    const char *space;   /* the design space as JSON */
    int64_t device_id;   /* row of `device`: the profile as it was */
    const char *device;  /* its name */
    const char *budget;  /* as given: "125M+-2%" */
    int64_t budget_min, budget_max;
    const char *objectives;  /* what is minimised, comma separated */
    const char *constraints; /* of --where */
    const char *keep;        /* "all", "front", "top:100" */
    int64_t seed, threads, prompt, context;
    int64_t total;          /* architectures in the space, known beforehand */
    int64_t position;       /* of them done and stored: where a killed run resumes */
    int64_t n_candidates;   /* rows it has in `candidate`; kept by the store */
    const char *started_at; /* UTC; NULL: now */
    const char *ended_at;   /* NULL while it runs, and after it was killed */
    int64_t finished;       /* 1: all of it was done */
};

/* One architecture of one run. */
struct candidate_row {
    int64_t run_id; /* set by the store */
    int64_t id;     /* rank in the canonical order of the run's space, 0 .. 2^40 - 1 */
    int64_t n_layers, n_layers_effective;
    const char *sharing; /* "none", "immediate", "repeat-all", "reverse" */
    int64_t repeats, share_ffn;
    int64_t d_model, n_heads, n_kv_heads, d_head, d_ff, vocab_size, tie_embeddings;
    const char *ffn_kind, *dtype, *head_dtype, *kv_dtype;
    int64_t params, params_embedding, params_blocks;
    int64_t weight_bytes, kv_bytes_per_token;
    double load_ns, init_ns, prefill_ns, ttft_cold_ns;
    double decode_ns, decode_ns_low, decode_ns_high, decode_tok_s;
    double energy_pj_per_token;
    int64_t peak_bytes, fits_app_share;
    int64_t flop_per_token;
    int64_t on_front; /* 1: no other candidate of the run is better in every objective */
};

/* A device profile as it was when a run used it. */
struct device_row {
    int64_t id;
    const char *name, *title, *kind, *unit, *runtime, *basis;
    const char *profile;   /* the JSON text; the same name and text are stored once */
    const char *stored_at; /* NULL: now */
};

/* One kernel, shape, thread count and cache state, timed. */
struct kernel_timing_row {
    int64_t id, run_id, device_id;
    const char *device;
    const char *kernel, *operation, *dtype, *isa;
    int64_t threads;
    int64_t d_out, d_in, n_tokens, context;
    int64_t working_set_bytes;
    const char *cache_state; /* "cold", "hot" or the level the bytes were in */
    double min_ns, median_ns, mad_ns;
    int64_t n_samples;
    const char *ended_by; /* "spread" or "budget" */
    int64_t flop, bytes;  /* of one call */
    const char *compiler, *flags, *source_commit;
    const char *measured_at;
};

/* What was predicted or measured: a model on a device under a workload. */
struct subject {
    const char *model;
    int64_t device_id;
    const char *device, *runtime, *dtype, *head_dtype, *kv_dtype;
    int64_t threads, prompt, context;
    int64_t n_layers, n_layers_effective;
    const char *sharing;
    int64_t d_model, n_heads, n_kv_heads, d_head, d_ff, vocab_size, tie_embeddings;
    int64_t params, params_blocks, weight_bytes, kv_bytes_per_token;
};

struct prediction_row {
    int64_t id, run_id;
    struct subject subject;
    const char *clock; /* "estimate" or "simulate" */
    double load_ns, init_ns, prefill_ns, ttft_cold_ns;
    double decode_ns, decode_ns_low, decode_ns_high, decode_tok_s;
    double energy_pj_per_token;
    int64_t peak_bytes, fits_app_share;
    const char *basis; /* "datasheet", "calibrated", "fitted" */
    double error_median_frac, error_p90_frac;
    const char *predicted_at;
};

/* Medians of a network that ran, each with its median absolute deviation and sample count. */
struct measurement_row {
    int64_t id, run_id;
    struct subject subject;
    double load_ns, load_ns_mad;
    int64_t load_ns_n;
    double init_ns, init_ns_mad;
    int64_t init_ns_n;
    double prefill_ns, prefill_ns_mad;
    int64_t prefill_ns_n;
    double ttft_cold_ns, ttft_cold_ns_mad;
    int64_t ttft_cold_ns_n;
    double decode_ns, decode_ns_mad;
    int64_t decode_ns_n;
    double decode_tok_s;
    double energy_pj_per_token, energy_pj_per_token_mad;
    int64_t energy_pj_per_token_n;
    int64_t peak_bytes;
    const char *cache_state; /* of the weights: "cold", "warm" */
    double noise_frac, steal_frac;
    double sentinel_before_gbps, sentinel_after_gbps;
    const char *version, *compiler, *flags, *source_commit;
    const char *measured_at;
};

/* A published value of a model: accuracy on a benchmark, a latency, a size. */
struct published_row {
    int64_t id;
    const char *model;
    const char *metric; /* "arc_e", "avg", "decode_ns", ... */
    double value;
    const char *unit;       /* "percent", "ns", ... */
    const char *conditions; /* what it depends on ("iPhone 13, fp16"); NULL is stored as "" */
    const char *source;     /* never NULL */
};

enum table_id {
    TABLE_RUN,
    TABLE_CANDIDATE,
    TABLE_DEVICE,
    TABLE_KERNEL_TIMING,
    TABLE_PREDICTION,
    TABLE_MEASUREMENT,
    TABLE_PUBLISHED,
    N_TABLES,
};

enum column_type {
    COLUMN_INT,
    COLUMN_REAL,
    COLUMN_TEXT,
};

struct column {
    const char *name;
    enum column_type type;
    size_t offset;       /* in the row's struct */
    const char *unit;    /* "ns", "bytes", ..., "" for names and plain counts */
    const char *meaning; /* a few words; stands beside the column in the schema */
};

struct table {
    const char *name;
    size_t row_size;
    int n_columns;
    const struct column *columns;
    const char *extra; /* further SQL in the table's definition, "" = none */
};

extern const struct table tables[N_TABLES];

/* A row of the table with every field unknown. `row`: the table's struct. */
void row_clear(enum table_id table, void *row);

/* The column of the table with this name, or NULL. */
const struct column *table_column(enum table_id table, const char *name);

/* Field of a row by its column, whose type must be the one asked for. */
int64_t row_int(const void *row, const struct column *column);
double row_real(const void *row, const struct column *column);
const char *row_text(const void *row, const struct column *column);

#endif
