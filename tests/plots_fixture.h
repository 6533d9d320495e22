/* A run of candidates that are awkward on purpose, in a database, and its figures. */
#ifndef LATHE_TESTS_PLOTS_FIXTURE_H
#define LATHE_TESTS_PLOTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/stats.h"
#include "db/store.h"
#include "device/interval.h"
#include "plots/candidates.h"
#include "plots/plot_depth.h"
#include "plots/plot_front.h"
#include "tests/temporary_folder.h"

#define AWKWARD "it's_a {model}@\\n^2 \"5%\" & <b> `x` \xc2\xb5"

static char folder[TEMPORARY_MOST], database[TEMPORARY_MOST + 8];
enum { N_ROWS = 3000 };
#define INTERVAL_FRAC 0.05

static inline void fill(struct candidate_row *rows)
{
    static const char *const modes[] = {"none", "immediate", "repeat_all", "reverse"};
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < N_ROWS; i++) {
        int64_t layers = rng_between(&rng, 2, 60), mode = rng_between(&rng, 0, 3);
        double blocks = 60e6 + 60e6 * rng_uniform(&rng);
        struct candidate_row *row = &rows[i];
        record_clear(&candidate_fields, row);
        row->id = i;
        row->n_layers = layers;
        row->n_layers_effective = layers * (mode ? 2 : 1);
        row->sharing = modes[mode];
        row->repeats = mode ? 2 : 1;
        row->share_ffn = 0;
        row->d_model = 64 * rng_between(&rng, 4, 20);
        row->vocab_size = 32000;
        row->tie_embeddings = rng_between(&rng, 0, 1);
        row->dtype = "f16";
        row->params_blocks = (int64_t)blocks;
        row->price.decode_ns = blocks * 0.1 * (1 + rng_uniform(&rng)) + 13e3 * (double)layers;
        row->loss.loss_delta_nats = 3e6 / blocks + 0.01 * rng_uniform(&rng);
        if (i % 3 == 0) {
            row->loss.loss_delta_low_nats = row->loss.loss_delta_nats - 0.02;
            row->loss.loss_delta_high_nats = row->loss.loss_delta_nats + 0.02;
        }
        row->price.decode_ns_low = interval_low(row->price.decode_ns, INTERVAL_FRAC);
        row->price.decode_ns_high = interval_high(row->price.decode_ns, INTERVAL_FRAC);
    }
}

static inline int make_database(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct candidate_row *rows = memory_new(N_ROWS, sizeof *rows);
    struct run_row run;
    row_clear(TABLE_RUN, &run);
    run.verb = "search";
    run.command = "lathe search";
    run.version = "0";
    run.device = AWKWARD;
    run.budget = "125M+-2%";
    run.prompt = 128;
    run.context = 128;
    if (!rows || temporary_make(folder) != 0)
        return -1;
    snprintf(database, sizeof database, "%s/x.db", folder);
    fill(rows);
    bool done = store_open(database, STORE_WRITE, &store, NULL) == STATUS_OK &&
                store_begin_run(store, &run, NULL) == STATUS_OK &&
                store_put_candidates(store, run.id, rows, N_ROWS, N_ROWS, NULL) == STATUS_OK &&
                store_finish_run(store, run.id, NULL) == STATUS_OK;
    store_close(store);
    memory_free(rows);
    return done ? 0 : -1;
}

static inline int remove_database(void **state)
{
    (void)state;
    static const char *const files[] = {"x.db-wal", "x.db-shm", "x.db"};
    for (int i = 0; i < 3; i++)
        unlink(temporary_path(folder, files[i]));
    return rmdir(folder); /* fails where a test left a file behind */
}

/* The figure `kind`, "depth" or "front", of the run. */
static inline enum status plot_run(const char *kind, const struct plot_options *options,
                                   struct err *err)
{
    const struct plot_model models[] = {{AWKWARD, 30, 12e6}, {"OPT-125M", 12, 9e6}};
    struct candidate_row known, unknown;
    const struct plot_mark marks[] = {{AWKWARD, &known}, {"OPT-125M", &unknown}};
    record_clear(&candidate_fields, &known);
    record_clear(&candidate_fields, &unknown);
    known.params_blocks = 106000000;
    known.price.decode_ns = unknown.price.decode_ns = 12e6;
    struct store *store = NULL;
    enum status status = store_open(database, STORE_READ, &store, err);
    if (status == STATUS_OK && strcmp(kind, "depth") == 0)
        status = plot_depth(store, 0, models, 2, options, err);
    else if (status == STATUS_OK)
        status = plot_front(store, 0, marks, 2, options, err);
    store_close(store);
    return status;
}

#endif
