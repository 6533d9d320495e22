/* The tables of the store and a plain struct for a row of each.
 *
 * One list of fields a table (here and in contract/) gives name, type, place in the struct, unit and
 * meaning; the schema, the inserts and the selects are all made from it, so that they cannot
 * disagree.
 *
 * Unknown is NULL in the database. Texts are borrowed for the call when a row is written, and belong
 * to the list when rows are read. Columns are added by later versions, never renamed or given
 * another meaning. */
#ifndef LATHE_DB_TABLES_H
#define LATHE_DB_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "contract/candidate_fields.h"
#include "contract/measurement_fields.h"
#include "contract/prediction_fields.h"

#define ROW_UNKNOWN UNKNOWN_INT

/* One command that stored something; a search can be resumed and repeated from this row. */
struct run_row {
    const struct fields *fields;
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
    const char *method;      /* "enumerated", "exact", "within" (1 + eps), "heuristic" */
    double eps;              /* unknown where all was enumerated, or nothing is proved */
    const char *scores;      /* the table of scores, CSV; NULL: none, or those of the law */
    int64_t seed, threads, prompt, context;
    int64_t law_id;               /* row of `law`; unknown: no losses were compared */
    const char *recipe;           /* of the law; NULL: one like the paper's */
    int64_t train_tokens;         /* for which networks are compared */
    const char *reference;        /* what they are held against, in words */
    const char *reference_shapes; /* JSON, one a vocabulary (search/loss_scale.h) */
    int64_t total;                /* architectures in the space, known beforehand */
    int64_t position;             /* of them done and stored: where a killed run resumes */
    int64_t shard, n_shards;      /* part 1 .. n_shards of the search; unknown: all of it */
    const char *parts;            /* of lathe-mpi: ids that are done, JSON (base/ranges.h) */
    int64_t n_candidates;         /* rows it has in `candidate`; kept by the store */
    const char *started_at;       /* UTC; NULL: now */
    const char *ended_at;         /* NULL while it runs, and after it was killed */
    int64_t finished;             /* 1: all of it was done */
};

/* A device profile as it was when a run used it. */
struct device_row {
    const struct fields *fields;
    int64_t id;
    const char *name, *title, *kind, *unit, *runtime, *basis;
    const char *profile;   /* the JSON text; the same name and text are stored once */
    const char *stored_at; /* NULL: now */
};

/* A law of loss as it was when a run used it. */
struct law_row {
    const struct fields *fields;
    int64_t id;
    const char *name;
    const char *law;       /* the JSON text; the same name and text are stored once */
    const char *stored_at; /* NULL: now */
};

/* One kernel, shape, thread count and cache state, timed. */
struct kernel_timing_row {
    const struct fields *fields;
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

/* A published value of a model: accuracy on a benchmark, a latency, a size. */
struct published_row {
    const struct fields *fields;
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
    TABLE_LAW,
    N_TABLES,
};

struct table {
    const struct fields *fields; /* those IN_STORE are its columns */
    const char *extra;           /* further SQL in the table's definition, "" = none */
};

extern const struct table tables[N_TABLES];

/* A row of the table with every field unknown. `row`: the table's struct. */
void row_clear(enum table_id table, void *row);

/* The columns of the table in order: the first after NULL, NULL after the last. */
static inline const struct field *next_column(enum table_id table, const struct field *before)
{
    const struct fields *fields = tables[table].fields;
    const struct field *end = fields->field + fields->n;
    const struct field *next = before != NULL ? before + 1 : fields->field;
    while (next < end && !(next->places & IN_STORE))
        next++;
    return next < end ? next : NULL;
}

/* for (EACH_COLUMN(column, TABLE_RUN)) */
#define EACH_COLUMN(column, table) \
    const struct field *column = NULL; \
    (column = next_column(table, column)) != NULL;

#endif
