/* Rows of named columns: an aligned table for people, or JSON for programs, from one description.
 *
 * A column has a title (NULL: only in JSON) and a key (NULL: only for people). Numbers are given in
 * the base unit (ns, bytes, pJ); a printed column picks one unit for all its rows and names it in
 * the header. NaN prints as "-" and as null. Failed allocations are reported by the print. */
#ifndef LATHE_CLI_LISTING_H
#define LATHE_CLI_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "base/status.h"

enum listing_kind {
    LISTING_TEXT,
    LISTING_LEFT_INTEGER, /* an integer that is a name, not an amount: printed as it is */
    LISTING_INTEGER,      /* exact, 124,635,456 */
    LISTING_COUNT,        /* 124.6 M */
    LISTING_BYTES,
    LISTING_TIME,   /* ns */
    LISTING_ENERGY, /* pJ */
    LISTING_NUMBER, /* four significant digits */
    LISTING_FRAC,   /* 0..1, printed in percent */
    LISTING_BOOL,
};

struct listing_cell {
    char *text;    /* owned; NULL unless text */
    double number; /* NaN: unknown */
    int64_t whole; /* the same, exact, when is_whole */
    bool is_whole;
};

struct listing_column {
    const char *title, *key, *unit;
    enum listing_kind kind;
};

/* Start with = {0}. */
struct listing {
    struct listing_column *columns;
    size_t n_columns, columns_capacity;
    struct listing_cell *cells; /* row after row */
    size_t n_cells, cells_capacity;
    bool failed;
};

/* Texts are borrowed. unit: for LISTING_NUMBER ("tok/s"), or appended to the chosen one ("/token");
 * NULL: none. */
void listing_column(struct listing *listing, const char *title, const char *key,
                    enum listing_kind kind, const char *unit);
/* Cells in order of columns, row after row. */
void listing_text(struct listing *listing, const char *text); /* copied; NULL: unknown */
void listing_int(struct listing *listing, int64_t value);
void listing_number(struct listing *listing, double value);
void listing_release(struct listing *listing);

size_t listing_rows(const struct listing *listing);

/* What a table for people says: row 0 titles, row 1 units, then the cells; columns with a title. */
struct rendering {
    size_t n_columns, n_rows; /* rows without the first two */
    char **texts;             /* [n_rows + 2, n_columns], row-major, owned */
};
/* Errors: STATUS_NOMEM. Release with rendering_release. */
enum status listing_render(const struct listing *listing, struct rendering *out, struct err *err);
void rendering_release(struct rendering *rendering);

/* Errors: STATUS_NOMEM. */
enum status listing_print(const struct listing *listing, FILE *stream, struct err *err);
/* Row `row` as one line per column: "parameters  124.6M". */
enum status listing_print_record(const struct listing *listing, size_t row, FILE *stream,
                                 struct err *err);
/* Adds row `row` to `object`. */
void listing_row_json(const struct listing *listing, size_t row, struct json_node *object);
/* Row `row` as one object. */
enum status listing_print_object(const struct listing *listing, size_t row, FILE *stream,
                                 struct err *err);
/* An array of all rows. */
enum status listing_print_json(const struct listing *listing, FILE *stream, struct err *err);

/* Prints and frees `root`. Errors: STATUS_NOMEM. */
enum status print_json(struct json_node *root, FILE *stream, struct err *err);

#endif
