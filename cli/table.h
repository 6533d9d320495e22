/* Rows of named columns: an aligned table for people, or JSON for programs, from one description.
 *
 * A column has a title (NULL: only in JSON) and a key (NULL: only for people). Numbers are given in
 * the base unit (ns, bytes, pJ); a printed column picks one unit for all its rows and names it in
 * the header. NaN prints as "-" and as null. Failed allocations are reported by the print. */
#ifndef LATHE_CLI_TABLE_H
#define LATHE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_LEFT_INTEGER, /* an integer that is a name, not an amount: printed as it is */
    COLUMN_INTEGER,      /* exact, 124,635,456 */
    COLUMN_COUNT,        /* 124.6 M */
    COLUMN_BYTES,
    COLUMN_TIME,   /* ns */
    COLUMN_ENERGY, /* pJ */
    COLUMN_NUMBER, /* four significant digits */
    COLUMN_FRAC,   /* 0..1, printed in percent */
    COLUMN_BOOL,
};

struct cell {
    char *text;    /* owned; NULL unless text */
    double number; /* NaN: unknown */
    int64_t whole; /* the same, exact, when is_whole */
    bool is_whole;
};

struct column {
    const char *title, *key, *unit;
    enum column_kind kind;
};

/* Start with = {0}. */
struct table {
    struct column *columns;
    size_t n_columns, columns_capacity;
    struct cell *cells; /* row after row */
    size_t n_cells, cells_capacity;
    bool failed;
};

/* Texts are borrowed. unit: for COLUMN_NUMBER ("tok/s"), or appended to the chosen one ("/token");
 * NULL: none. */
void table_column(struct table *table, const char *title, const char *key, enum column_kind kind,
                  const char *unit);
/* Cells in order of columns, row after row. */
void table_text(struct table *table, const char *text); /* copied; NULL: unknown */
void table_int(struct table *table, int64_t value);
void table_number(struct table *table, double value);
void table_release(struct table *table);

size_t table_rows(const struct table *table);

/* To standard output. Errors: STATUS_NOMEM. */
enum status table_print(const struct table *table, struct err *err);
/* Row `row` as one line per column: "parameters  124.6M". */
enum status table_print_record(const struct table *table, size_t row, struct err *err);
/* Adds row `row` to `object`. */
void table_row_json(const struct table *table, size_t row, struct json_node *object);
/* Row `row` as one object. */
enum status table_print_object(const struct table *table, size_t row, struct err *err);
/* An array of all rows. */
enum status table_print_json(const struct table *table, struct err *err);

/* Prints and frees `root`. Errors: STATUS_NOMEM. */
enum status print_json(struct json_node *root, struct err *err);

#endif
