/* Reading the store: candidates by condition and order, rows of any table, any SELECT. */
#ifndef LATHE_DB_QUERY_H
#define LATHE_DB_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "db/store.h"
#include "db/tables.h"

/* Rows of one table. Start with `= {0}`; release with rows_release.
 *   const struct candidate_row *row = rows.data;   for TABLE_CANDIDATE, and so on
 * The texts in the rows belong to the list. */
struct rows {
    enum table_id table;
    size_t n;
    void *data; /* [n] of the table's struct */
    size_t data_capacity;
    char **texts;
    size_t n_texts, texts_capacity;
};
void rows_release(struct rows *rows);

/* Which candidates, in which order. Conditions and order may use every column of `candidate` and
 * those of the view candidate_units (decode_ms, peak_mb, params_m, ...). */
struct candidate_query {
    int64_t run_id;    /* 0: the latest search */
    int64_t first_id;  /* those before it are left out */
    const char *where; /* an SQL expression, "decode_ms < 20 AND sharing = 'none'"; NULL: all */
    bool front_only;
    const char *order_by; /* a column; unknown values last, ties by id; NULL: by id */
    bool descending;
    int64_t limit; /* rows at most; 0: all */
};

/* Errors: STATUS_NOT_FOUND (no such run, no run at all), STATUS_USAGE (the condition or the column
 * is wrong: names the unknown column and the nearest one), STATUS_IO, STATUS_NOMEM. */
enum status query_candidates(struct store *store, const struct candidate_query *query,
                             struct rows *out, struct err *err);
/* One candidate; run_id 0 is the latest search. Errors: STATUS_NOT_FOUND. */
enum status query_candidate(struct store *store, int64_t run_id, int64_t id, struct rows *out,
                            struct err *err);
/* "3:1042" (run and id) or "latest:1042" (run 0). Errors: STATUS_USAGE when it is no reference. */
enum status query_parse_reference(const char *text, int64_t *run_id, int64_t *id, struct err *err);

/* 0 becomes the id of the latest search; others are checked to be there. Errors:
 * STATUS_NOT_FOUND. */
enum status query_run_id(struct store *store, int64_t run_id, int64_t *out, struct err *err);

/* Rows of any table, as written. where and order_by: SQL of the program's own, NULL: none. */
enum status query_rows(struct store *store, enum table_id table, const char *where,
                       const char *order_by, struct rows *out, struct err *err);

/* Any SELECT, row by row. */
enum cell_type {
    CELL_NULL,
    CELL_INT,
    CELL_REAL,
    CELL_TEXT,
};
struct cell {
    enum cell_type type;
    int64_t integer;
    double real;      /* also set for an integer; NaN for NULL and text */
    const char *text; /* NULL unless a text; valid during the call */
};
/* Called for each row; `names` and `cells` are [n]. Anything but STATUS_OK ends the query and is
 * returned (with err as the callback left it). */
typedef enum status query_row_fn(void *context, int n, const char *const *names,
                                 const struct cell *cells, struct err *err);
/* Errors: STATUS_USAGE (the text is no single SELECT, with SQLite's reason), STATUS_IO, those of
 * the callback. */
enum status query_each(struct store *store, const char *sql, query_row_fn *row, void *context,
                       struct err *err);
/* The cell under a name that the program's own SELECT gave (AS name); asserts that it is there. So
 * that a column which is added or moved cannot put a number under another's title. */
const struct cell *cell_named(const char *name, int n, const char *const *names,
                              const struct cell *cells);

#endif
