/* Records as an aligned table for people, or as JSON for programs, from one description.
 *
 * A listing has the fields that it was given (contract/field.h) and takes records; a cell is found by
 * its field, so that a value stands under its own title and key. Fields that are IN_TABLE are
 * printed for people (IF_ROWS_DIFFER: unless all rows say the same), those that are IN_JSON for
 * programs. A printed column picks one unit for all
 * its rows and names it in the header. Unknown prints as "-" and as null. Failed allocations are
 * reported by the print. */
#ifndef LATHE_CLI_LISTING_H
#define LATHE_CLI_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "base/status.h"
#include "contract/field.h"

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
    enum field_type type;
    size_t offset;       /* in the record */
    bool if_rows_differ; /* IF_ROWS_DIFFER */
};

enum { LISTING_RECORD_SIZE = 1024 };

/* Start with = {0}. */
struct listing {
    struct listing_column *columns;
    size_t n_columns, columns_capacity;
    struct listing_cell *cells; /* row after row */
    size_t n_cells, cells_capacity;
    bool failed;
    union {
        char bytes[LISTING_RECORD_SIZE];
        int64_t whole;
        double real;
        const char *text;
    } record; /* the next one */
};

/* Rows of a verb's own table: both for people and programs, or for one of them. */
#define LISTED(record, member, unit, title) \
    FIELD_OF(struct record, member, unit, IN_TABLE | IN_JSON, title, "")
#define LISTED_AS(record, member, key, unit, title) \
    FIELD_NAMED(struct record, key, member, unit, IN_TABLE | IN_JSON, title, "")
#define LISTED_KEY(record, member, unit) FIELD_OF(struct record, member, unit, IN_JSON, NULL, "")
#define LISTED_PER_TOKEN(record, member, unit, title) \
    FIELD_OF(struct record, member, unit, IN_TABLE | IN_JSON | OF_A_TOKEN, title, "")
#define LISTED_TITLE(record, member, unit, title) \
    FIELD_OF(struct record, member, unit, IN_TABLE, title, "")

/* Appends a field as a column, if it is IN_TABLE or IN_JSON; names and titles are borrowed. All come
 * before the first record. */
void listing_field(struct listing *listing, const struct field *field);
/* All fields of a table, or of an array. */
void listing_fields(struct listing *listing, const struct fields *fields);
void listing_field_array(struct listing *listing, const struct field *fields, size_t n);
#define LISTING_FIELDS(listing, array) \
    listing_field_array(listing, array, sizeof(array) / sizeof *(array))
/* The one called `name`, in other places than its own. */
void listing_pick(struct listing *listing, const struct fields *fields, const char *name,
                  unsigned places);
/* The record to fill in next: every field of the listing unknown. Its size is at most
 * LISTING_RECORD_SIZE. */
void *listing_record(struct listing *listing);
/* Appends a record of the listing's fields, that of listing_record or another; it is copied. */
void listing_add(struct listing *listing, const void *record);

void listing_release(struct listing *listing);

size_t listing_rows(const struct listing *listing);

/* What a table for people says: row 0 titles, row 1 units, then the cells; columns for people. */
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
/* Adds one field of a record to `object`, as a listing would. */
void field_json(const struct field *field, const void *record, struct json_node *object);
/* Adds row `row` to `object`. */
void listing_row_json(const struct listing *listing, size_t row, struct json_node *object);
/* Adds every row to `array`. */
void listing_rows_json(const struct listing *listing, struct json_node *array);
/* Row `row` as one object. */
enum status listing_print_object(const struct listing *listing, size_t row, FILE *stream,
                                 struct err *err);
/* An array of all rows. */
enum status listing_print_json(const struct listing *listing, FILE *stream, struct err *err);
/* As --json or its absence has it: listing_print_json or listing_print. */
enum status listing_print_as(const struct listing *listing, bool json, FILE *stream,
                             struct err *err);

/* Prints and frees `root`. Errors: STATUS_NOMEM. */
enum status print_json(struct json_node *root, FILE *stream, struct err *err);

#endif
