/* What the tests of db/ share: a file of their own and made-up rows. */
#ifndef LATHE_TESTS_STORE_FIXTURE_H
#define LATHE_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stats.h"
#include "db/query.h"
#include "db/store.h"
#include "db/tables.h"
#include "tests/temporary_folder.h"

/* A directory that is made for the test and removed after it, and a store's path in it. */
struct fixture {
    char directory[TEMPORARY_MOST], path[TEMPORARY_MOST + 8];
};

static inline int fixture_make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    if (temporary_make(fixture->directory) != 0)
        return -1;
    snprintf(fixture->path, sizeof fixture->path, "%s/s.db", fixture->directory);
    *state = fixture;
    return 0;
}

static inline int fixture_remove(void **state)
{
    struct fixture *fixture = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[TEMPORARY_MOST + 16];
        snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
        unlink(name);
    }
    const int failed = rmdir(fixture->directory);
    free(fixture);
    return failed;
}

/* Fails the test with the error's message. */
#define must(call) \
    do { \
        struct err must_err = {{0}}; \
        const enum status must_status = (call); \
        if (must_status != STATUS_OK) \
            fail_msg("%s: status %d: %s", #call, must_status, must_err.message); \
    } while (0)

static inline struct store *fixture_open(const char *path, enum store_mode mode)
{
    struct store *store = NULL;
    must(store_open(path, mode, &store, &must_err));
    return store;
}

static inline int64_t fixture_begin(struct store *store)
{
    struct run_row run;
    row_clear(TABLE_RUN, &run);
    run.verb = "search";
    run.command = "lathe search --budget 125M --device iphone-13";
    run.space = "{\"d_model\": [512, 576]}";
    run.seed = 7;
    must(store_begin_run(store, &run, &must_err));
    return run.id;
}

/* Row `id`, every field following from it. */
static inline void fixture_candidate(int64_t id, struct candidate_row *row)
{
    static const char *const sharings[] = {"none", "immediate", "repeat-all", "reverse"};
    struct rng rng;
    rng_init(&rng, (uint64_t)id);
    record_clear(&candidate_fields, row);
    for (EACH_COLUMN(column, TABLE_CANDIDATE)) {
        char *field = (char *)row + column->offset;
        const int64_t integer = rng_between(&rng, 0, 1000000);
        const double real = rng_uniform(&rng) * 1e8;
        const char *text = sharings[rng_between(&rng, 0, 3)];
        if (column->type == FIELD_INT)
            memcpy(field, &integer, sizeof integer);
        if (column->type == FIELD_REAL)
            memcpy(field, &real, sizeof real);
        if (column->type == FIELD_TEXT)
            memcpy(field, &text, sizeof text);
    }
    row->id = id;
    row->on_front = 0;
    if (id % 3 == 0)
        row->price.energy_pj_per_token = (double)NAN;
}

/* Stores rows first .. first + n - 1 as one batch, position after it. */
static inline enum status fixture_put(struct store *store, int64_t run_id, int64_t first, size_t n,
                                      struct err *err)
{
    struct candidate_row *rows = calloc(n > 0 ? n : 1, sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < n; i++)
        fixture_candidate(first + (int64_t)i, &rows[i]);
    const enum status status =
        store_put_candidates(store, run_id, rows, n, first + (int64_t)n, err);
    free(rows);
    return status;
}

static inline void assert_same_row(enum table_id table, const void *a, const void *b)
{
    for (EACH_COLUMN(column, table)) {
        int same = 0;
        switch (column->type) {
        case FIELD_INT:
            same = field_int(column, a) == field_int(column, b);
            break;
        case FIELD_REAL: {
            const double x = field_real(column, a), y = field_real(column, b);
            same = x == y || (isnan(x) && isnan(y));
            break;
        }
        case FIELD_TEXT: {
            const char *x = field_text(column, a), *y = field_text(column, b);
            same = x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
            break;
        }
        }
        if (!same)
            fail_msg("column %s of %s differs", column->name, tables[table].fields->name);
    }
}

static inline struct run_row read_run(struct store *store, int64_t run_id)
{
    char where[32];
    struct rows rows = {0};
    snprintf(where, sizeof where, "id = %lld", (long long)run_id);
    must(query_rows(store, TABLE_RUN, where, NULL, &rows, &must_err));
    assert_int_equal(rows.n, 1);
    struct run_row run = *(const struct run_row *)rows.data;
    static char ended[32];
    snprintf(ended, sizeof ended, "%s", run.ended_at != NULL ? run.ended_at : "");
    run.ended_at = ended;
    rows_release(&rows);
    return run;
}

/* The rows of the run are exactly 0 .. n - 1 as fixture_candidate makes them. */
static inline void assert_rows(struct store *store, int64_t run_id, size_t n)
{
    const struct candidate_query query = {.run_id = run_id};
    struct rows rows = {0};
    must(query_candidates(store, &query, &rows, &must_err));
    assert_int_equal(rows.n, n);
    for (size_t i = 0; i < n; i++) {
        struct candidate_row want;
        fixture_candidate((int64_t)i, &want);
        want.run_id = run_id;
        assert_same_row(TABLE_CANDIDATE, &want, (const struct candidate_row *)rows.data + i);
    }
    rows_release(&rows);
    assert_int_equal(read_run(store, run_id).n_candidates, n);
}

/* A test that has a store's path of its own. */
#define with_file(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_remove)

#endif
