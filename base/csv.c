/* CSV tables. See csv.h.
 *
 * The text is copied once and unquoted in place (a field never grows), so a table costs its bytes
 * plus a pointer a field. */
#include "base/csv.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    MAX_FILE_BYTES = 256 << 20,
};

struct csv {
    char *name;
    char *data;    /* the text; fields are terminated inside it */
    char **fields; /* header first, then row by row */
    size_t n_fields, fields_capacity;
    int *lines; /* [rows + 1], of the header and each row; below 0: an uneven one */
    size_t n_lines, lines_capacity;
    int n_columns;
    bool takes_uneven;
};

static enum status syntax_error(const struct csv *csv, int line, struct err *err,
                                const char *problem)
{
    return err_set(err, STATUS_INPUT, "%s: line %d: %s", csv->name, line, problem);
}

/* Reads the field at *at, unquotes it in place and leaves *at on what ended it (',', '\r', '\n' or
 * the final 0). *out_end is where the field's terminator belongs: written by the caller once the
 * delimiter has been read. */
static enum status read_field(const struct csv *csv, char **at, int *line, char **begin, char **end,
                              struct err *err)
{
    char *from = *at;
    *begin = from;
    if (*from != '"') {
        while (*from != ',' && *from != '\n' && *from != 0 && !(from[0] == '\r' && from[1] == '\n'))
            from++;
        *end = *at = from;
        return STATUS_OK;
    }
    const int opened_on = *line;
    char *to = from++;
    for (;; from++) {
        if (*from == 0)
            return syntax_error(csv, opened_on, err, "a quote is never closed");
        if (*from == '"') {
            if (from[1] != '"')
                break;
            from++;
        } else if (*from == '\n') {
            ++*line;
        }
        *to++ = *from;
    }
    from++;
    if (*from != ',' && *from != '\n' && *from != 0 && !(from[0] == '\r' && from[1] == '\n'))
        return syntax_error(csv, *line, err, "text after a closing quote");
    *end = to;
    *at = from;
    return STATUS_OK;
}

static enum status add_field(struct csv *csv, char *field, struct err *err)
{
    enum status status = memory_grow((void **)&csv->fields, &csv->fields_capacity,
                                     csv->n_fields + 1, sizeof *csv->fields, err);
    if (status == STATUS_OK)
        csv->fields[csv->n_fields++] = field;
    return status;
}

static enum status add_line(struct csv *csv, int line, struct err *err)
{
    enum status status = memory_grow((void **)&csv->lines, &csv->lines_capacity, csv->n_lines + 1,
                                     sizeof *csv->lines, err);
    if (status == STATUS_OK)
        csv->lines[csv->n_lines++] = line;
    return status;
}

static enum status check_header(const struct csv *csv, struct err *err)
{
    for (int i = 0; i < csv->n_columns; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(csv->fields[i], csv->fields[j]) == 0)
                return err_set(err, STATUS_INPUT, "%s: line %d: column '%s' is there twice",
                               csv->name, csv->lines[0], csv->fields[i]);
    return STATUS_OK;
}

/* Makes the last row, of n fields, as long as the header. */
static enum status even_out(struct csv *csv, int n, char *end_of_text, struct err *err)
{
    int line = csv->lines[csv->n_lines - 1];
    enum status status = STATUS_OK;
    if (!csv->takes_uneven)
        return err_set(err, STATUS_INPUT, "%s: line %d: %d fields, the header has %d", csv->name,
                       line, n, csv->n_columns);
    csv->lines[csv->n_lines - 1] = -line;
    for (; n > csv->n_columns; n--)
        csv->n_fields--;
    for (; n < csv->n_columns && status == STATUS_OK; n++)
        status = add_field(csv, end_of_text, err);
    return status;
}

static enum status read_rows(struct csv *csv, struct err *err)
{
    enum status status = STATUS_OK;
    char *at = csv->data, *const end_of_text = at + strlen(at);
    int line = 1;
    if (strncmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    while (*at != 0) {
        if (*at == '\n' || (at[0] == '\r' && at[1] == '\n')) {
            at += *at == '\r' ? 2 : 1;
            line++;
            continue;
        }
        const int row_line = line;
        int n = 0;
        bool more = true;
        while (more) {
            char *begin = NULL, *end = NULL;
            if ((status = read_field(csv, &at, &line, &begin, &end, err)) != STATUS_OK ||
                (status = add_field(csv, begin, err)) != STATUS_OK)
                return status;
            n++;
            more = *at == ',';
            if (*at == '\r')
                at++;
            if (*at == '\n')
                line++;
            if (*at != 0)
                at++;
            *end = 0;
        }
        if ((status = add_line(csv, row_line, err)) != STATUS_OK)
            return status;
        if (csv->n_lines == 1) {
            csv->n_columns = n;
            if ((status = check_header(csv, err)) != STATUS_OK)
                return status;
        } else if (n != csv->n_columns &&
                   (status = even_out(csv, n, end_of_text, err)) != STATUS_OK) {
            return status;
        }
    }
    if (csv->n_lines == 0)
        return err_set(err, STATUS_INPUT, "%s: expected a header line, the file is empty",
                       csv->name);
    return STATUS_OK;
}

static enum status parse(const char *name, const char *text, int64_t length, bool takes_uneven,
                         struct csv **out, struct err *err)
{
    assert(length >= 0);
    enum status status = STATUS_OK;
    struct csv *csv = memory_new(1, sizeof *csv);
    if (csv == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    csv->takes_uneven = takes_uneven;
    csv->name = memory_strdup(name);
    csv->data = length <= MAX_FILE_BYTES ? memory_new((size_t)length + 1, 1) : NULL;
    if (length > MAX_FILE_BYTES) {
        status = err_set(err, STATUS_RANGE, "%s: longer than 256 MiB", name);
        goto out;
    }
    if (csv->name == NULL || csv->data == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    memcpy(csv->data, text, (size_t)length);
    const char *zero = memchr(csv->data, 0, (size_t)length);
    if (zero != NULL) {
        status = err_set(err, STATUS_INPUT, "%s: byte %lld is zero: this is no text", name,
                         (long long)(zero - csv->data));
        goto out;
    }
    status = read_rows(csv, err);
out:
    if (status == STATUS_OK)
        *out = csv;
    else
        csv_close(csv);
    return status;
}

enum status csv_parse(const char *name, const char *text, int64_t length, struct csv **out,
                      struct err *err)
{
    return parse(name, text, length, false, out, err);
}

static enum status open_file(const char *path, bool takes_uneven, struct csv **out, struct err *err)
{
    char *data = NULL;
    int64_t length = 0;
    enum status status = file_read(path, MAX_FILE_BYTES, &data, &length, err);
    if (status == STATUS_OK)
        status = parse(path, data, length, takes_uneven, out, err);
    memory_free(data);
    return status;
}

enum status csv_open(const char *path, struct csv **out, struct err *err)
{
    return open_file(path, false, out, err);
}

enum status csv_open_uneven(const char *path, struct csv **out, struct err *err)
{
    return open_file(path, true, out, err);
}

void csv_close(struct csv *csv)
{
    if (csv == NULL)
        return;
    memory_free(csv->lines);
    memory_free(csv->fields);
    memory_free(csv->data);
    memory_free(csv->name);
    memory_free(csv);
}

int csv_n_rows(const struct csv *csv)
{
    return (int)csv->n_lines - 1;
}

int csv_n_columns(const struct csv *csv)
{
    return csv->n_columns;
}

const char *csv_column_name(const struct csv *csv, int column)
{
    assert(column >= 0 && column < csv->n_columns);
    return csv->fields[column];
}

int csv_find_column(const struct csv *csv, const char *name)
{
    for (int i = 0; i < csv->n_columns; i++)
        if (strcmp(csv->fields[i], name) == 0)
            return i;
    return -1;
}

enum status csv_column(const struct csv *csv, const char *name, int *column, struct err *err)
{
    const int found = csv_find_column(csv, name);
    if (found >= 0) {
        *column = found;
        return STATUS_OK;
    }
    const char *nearest =
        text_nearest(name, (const char *const *)csv->fields, (size_t)csv->n_columns);
    if (nearest != NULL)
        return err_set(err, STATUS_INPUT, "%s: line %d: no column '%s': did you mean '%s'?",
                       csv->name, csv->lines[0], name, nearest);
    return err_set(err, STATUS_INPUT, "%s: line %d: no column '%s'", csv->name, csv->lines[0],
                   name);
}

int csv_line(const struct csv *csv, int row)
{
    assert(row >= 0 && row < csv_n_rows(csv));
    return abs(csv->lines[row + 1]);
}

bool csv_is_uneven(const struct csv *csv, int row)
{
    assert(row >= 0 && row < csv_n_rows(csv));
    return csv->lines[row + 1] < 0;
}

const char *csv_text(const struct csv *csv, int row, int column)
{
    assert(row >= 0 && row < csv_n_rows(csv));
    assert(column >= 0 && column < csv->n_columns);
    return csv->fields[((size_t)row + 1) * (size_t)csv->n_columns + (size_t)column];
}

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

bool csv_is_empty(const struct csv *csv, int row, int column)
{
    return *skip_blanks(csv_text(csv, row, column)) == 0;
}

enum status csv_error(const struct csv *csv, int row, int column, struct err *err,
                      const char *format, ...)
{
    char message[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (column < 0)
        return err_set(err, STATUS_INPUT, "%s: line %d: %s", csv->name, csv_line(csv, row),
                       message);
    return err_set(err, STATUS_INPUT, "%s: line %d: %s: %s", csv->name, csv_line(csv, row),
                   csv_column_name(csv, column), message);
}

enum status csv_int(const struct csv *csv, int row, int column, int64_t min, int64_t max,
                    int64_t *out, struct err *err)
{
    const char *text = skip_blanks(csv_text(csv, row, column));
    if (*text == 0)
        return csv_error(csv, row, column, err, "expected an integer, the field is empty");
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *skip_blanks(end) != 0)
        return csv_error(csv, row, column, err, "expected an integer, got '%.40s'", text);
    if (errno == ERANGE || value < min || value > max) {
        csv_error(csv, row, column, err, "%.40s is outside %lld .. %lld", text, (long long)min,
                  (long long)max);
        return STATUS_RANGE;
    }
    *out = value;
    return STATUS_OK;
}

enum status csv_number(const struct csv *csv, int row, int column, double min, double max,
                       double *out, struct err *err)
{
    const char *text = skip_blanks(csv_text(csv, row, column));
    if (*text == 0)
        return csv_error(csv, row, column, err, "expected a number, the field is empty");
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *skip_blanks(end) != 0 || !isfinite(value))
        return csv_error(csv, row, column, err, "expected a number, got '%.40s'", text);
    if (value < min || value > max) {
        csv_error(csv, row, column, err, "%.40s is outside %g .. %g", text, min, max);
        return STATUS_RANGE;
    }
    *out = value;
    return STATUS_OK;
}

enum status csv_number_or_nan(const struct csv *csv, int row, int column, double min, double max,
                              double *out, struct err *err)
{
    if (csv_is_empty(csv, row, column)) {
        *out = (double)NAN;
        return STATUS_OK;
    }
    return csv_number(csv, row, column, min, max, out, err);
}
