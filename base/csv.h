/* CSV tables: one header line, then rows of as many fields (RFC 4180).
 *
 * Fields are separated by commas and may be quoted; a quoted field may hold commas, doubled quotes
 * and line ends. Lines end in LF or CRLF, a byte order mark and empty lines are skipped. Refused:
 * a row with more or fewer fields than the header, a column named twice, a quote that never closes,
 * text after a closing quote, a zero byte. A value that cannot be read names file, line and column:
 * "models.csv: line 7: params: expected an integer, got '12x'". */
#ifndef LATHE_BASE_CSV_H
#define LATHE_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct csv; /* the whole table, in memory */

/* Reads a file of at most 256 MiB. Errors: STATUS_IO, STATUS_INPUT, STATUS_RANGE, STATUS_NOMEM.
 * Release with csv_close. */
enum status csv_open(const char *path, struct csv **out, struct err *err);
/* `name` is how errors call the text; `length` bytes, copied. */
enum status csv_parse(const char *name, const char *text, int64_t length, struct csv **out,
                      struct err *err);
/* csv_open, but a row with more or fewer fields than the header stays, cut or filled with empty
 * fields, for a caller that names it and goes on. */
enum status csv_open_uneven(const char *path, struct csv **out, struct err *err);
void csv_close(struct csv *csv); /* NULL allowed */

int csv_n_rows(const struct csv *csv); /* without the header */
int csv_n_columns(const struct csv *csv);
const char *csv_column_name(const struct csv *csv, int column);
/* Index of the column with this name, or -1. */
int csv_find_column(const struct csv *csv, const char *name);
/* The same, where the column must be there. Errors: STATUS_INPUT, with the nearest name. */
enum status csv_column(const struct csv *csv, const char *name, int *column, struct err *err);

/* Line of the file that row 0 .. csv_n_rows - 1 starts on, 1 = the header's when it is first. */
int csv_line(const struct csv *csv, int row);
/* Whether the row had more or fewer fields than the header. */
bool csv_is_uneven(const struct csv *csv, int row);
/* The field, unquoted, "" when empty; belongs to the table. */
const char *csv_text(const struct csv *csv, int row, int column);
bool csv_is_empty(const struct csv *csv, int row, int column); /* nothing, or only blanks */

/* Typed access; blanks around a value are ignored. Errors: STATUS_INPUT (empty, or another kind of
 * value), STATUS_RANGE (outside min .. max). Numbers are finite. */
enum status csv_int(const struct csv *csv, int row, int column, int64_t min, int64_t max,
                    int64_t *out, struct err *err);
enum status csv_number(const struct csv *csv, int row, int column, double min, double max,
                       double *out, struct err *err);
/* NaN where the field is empty: not known. */
enum status csv_number_or_nan(const struct csv *csv, int row, int column, double min, double max,
                              double *out, struct err *err);

/* "<file>: line <line>: <column>: " and a message of the caller's own; column -1 leaves its part
 * out. Returns STATUS_INPUT. */
enum status csv_error(const struct csv *csv, int row, int column, struct err *err,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
