#include "cli/table.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"

void table_column(struct table *table, const char *title, const char *key, enum column_kind kind,
                  const char *unit)
{
    assert(table->n_cells == 0);
    if (table->failed ||
        memory_grow((void **)&table->columns, &table->columns_capacity, table->n_columns + 1,
                    sizeof *table->columns, NULL) != STATUS_OK) {
        table->failed = true;
        return;
    }
    table->columns[table->n_columns++] =
        (struct column){.title = title, .key = key, .unit = unit, .kind = kind};
}

static void add_cell(struct table *table, struct cell cell)
{
    if (table->failed || memory_grow((void **)&table->cells, &table->cells_capacity,
                                     table->n_cells + 1, sizeof *table->cells, NULL) != STATUS_OK) {
        table->failed = true;
        memory_free(cell.text);
        return;
    }
    table->cells[table->n_cells++] = cell;
}

void table_text(struct table *table, const char *text)
{
    char *copy = text != NULL ? memory_strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        table->failed = true;
    add_cell(table, (struct cell){.text = copy, .number = NAN});
}

void table_int(struct table *table, int64_t value)
{
    add_cell(table, (struct cell){.number = (double)value, .whole = value, .is_whole = true});
}

void table_number(struct table *table, double value)
{
    add_cell(table, (struct cell){.number = value});
}

void table_release(struct table *table)
{
    for (size_t i = 0; i < table->n_cells; i++)
        memory_free(table->cells[i].text);
    memory_free(table->cells);
    memory_free(table->columns);
    memset(table, 0, sizeof *table);
}

size_t table_rows(const struct table *table)
{
    return table->n_columns > 0 ? table->n_cells / table->n_columns : 0;
}

/* The unit one column is printed in, and the digits after the point. */
struct scale {
    double divisor;
    const char *unit;
    int decimals;
};

static const struct scale times[] = {
    {1,   "ns", 0},
    {1e3, "us", 0},
    {1e6, "ms", 0},
    {1e9, "s",  0}
};
static const struct scale sizes[] = {
    {1,   "B",  0},
    {1e3, "kB", 0},
    {1e6, "MB", 0},
    {1e9, "GB", 0}
};
static const struct scale counts[] = {
    {1,   "",  0},
    {1e3, "K", 0},
    {1e6, "M", 0},
    {1e9, "B", 0}
};
static const struct scale energies[] = {
    {1,    "pJ", 0},
    {1e3,  "nJ", 0},
    {1e6,  "uJ", 0},
    {1e9,  "mJ", 0},
    {1e12, "J",  0}
};

static struct scale largest_scale(const struct scale *scales, size_t n, double value)
{
    struct scale scale = scales[0];
    for (size_t i = 1; i < n; i++)
        if (value >= scales[i].divisor)
            scale = scales[i];
    return scale;
}

#define LARGEST_SCALE(scales, value) largest_scale(scales, sizeof scales / sizeof *scales, value)

static struct scale column_scale(const struct table *table, size_t column)
{
    double largest = 0, smallest = INFINITY;
    for (size_t i = column; i < table->n_cells; i += table->n_columns) {
        double value = fabs(table->cells[i].number);
        if (isfinite(value) && value > 0) {
            largest = fmax(largest, value);
            smallest = fmin(smallest, value);
        }
    }
    struct scale scale = {1, "", 0};
    switch (table->columns[column].kind) {
    case COLUMN_TIME:
        scale = LARGEST_SCALE(times, largest);
        break;
    case COLUMN_BYTES:
        scale = LARGEST_SCALE(sizes, largest);
        break;
    case COLUMN_COUNT:
        scale = LARGEST_SCALE(counts, largest);
        break;
    case COLUMN_ENERGY:
        scale = LARGEST_SCALE(energies, largest);
        break;
    case COLUMN_FRAC:
        scale = (struct scale){0.01, "%", 1};
        return scale;
    case COLUMN_NUMBER:
        break;
    default:
        return scale;
    }
    if (scale.divisor > 1 || table->columns[column].kind == COLUMN_NUMBER)
        for (double value = smallest / scale.divisor; value < 100 && scale.decimals < 3;
             value *= 10)
            scale.decimals++;
    return scale;
}

static char *grouped(int64_t value, char *buffer, size_t size)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
    size_t n = 0;
    for (int i = 0; i < length && n + 2 < size; i++) {
        buffer[n++] = digits[i];
        if (digits[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0)
            buffer[n++] = ',';
    }
    buffer[n] = 0;
    return buffer;
}

static const char *cell_text(const struct cell *cell, enum column_kind kind,
                             const struct scale *scale, char *buffer, size_t size)
{
    if (cell->text != NULL)
        return cell->text;
    if (isnan(cell->number))
        return "-";
    if (kind == COLUMN_BOOL)
        return cell->number > 0 ? "yes" : "no";
    if (kind == COLUMN_INTEGER && cell->is_whole)
        return grouped(cell->whole, buffer, size);
    if (kind == COLUMN_LEFT_INTEGER || (kind == COLUMN_NUMBER && cell->is_whole))
        snprintf(buffer, size, "%lld", (long long)cell->whole);
    else
        snprintf(buffer, size, "%.*f", scale->decimals, cell->number / scale->divisor);
    return buffer;
}

static int width_of(const char *text)
{
    int width = 0;
    for (; *text != 0; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static bool is_left(enum column_kind kind)
{
    return kind == COLUMN_TEXT || kind == COLUMN_BOOL || kind == COLUMN_LEFT_INTEGER;
}

struct layout {
    struct scale scale;
    char unit[32];
    int width;
};

static void add_padded(struct text *line, const char *text, int width, bool left)
{
    int pad = width - width_of(text);
    text_addf(line, "%*s%s%*s", left ? 0 : pad, "", text, left ? pad : 0, "");
}

static void print_line(struct text *line)
{
    while (line->length > 0 && line->data[line->length - 1] == ' ')
        line->data[--line->length] = 0;
    puts(line->length > 0 ? line->data : "");
    line->length = 0;
    if (line->data != NULL)
        line->data[0] = 0;
}

static bool lay_out(const struct table *table, struct layout *layout)
{
    bool units = false;
    char buffer[64];
    for (size_t c = 0; c < table->n_columns; c++) {
        const struct column *column = &table->columns[c];
        if (column->title == NULL)
            continue;
        layout[c].scale = column_scale(table, c);
        snprintf(layout[c].unit, sizeof layout[c].unit, "%s%s", layout[c].scale.unit,
                 column->unit != NULL ? column->unit : "");
        int title = width_of(column->title), unit = width_of(layout[c].unit);
        layout[c].width = title > unit ? title : unit;
        units = units || unit > 0;
        for (size_t i = c; i < table->n_cells; i += table->n_columns) {
            int width = width_of(
                cell_text(&table->cells[i], column->kind, &layout[c].scale, buffer, sizeof buffer));
            if (width > layout[c].width)
                layout[c].width = width;
        }
    }
    return units;
}

enum status table_print(const struct table *table, struct err *err)
{
    struct layout *layout = memory_new(table->n_columns, sizeof *layout);
    struct text line = {0};
    enum status status = STATUS_NOMEM;
    char buffer[64];
    if (layout == NULL || table->failed)
        goto out;
    bool units = lay_out(table, layout);
    /* Rows -2 and -1 are the header's titles and units. */
    for (int64_t row = -2; row < (int64_t)table_rows(table); row++) {
        if (row == -1 && !units)
            continue;
        bool first = true;
        for (size_t c = 0; c < table->n_columns; c++) {
            const struct column *column = &table->columns[c];
            if (column->title == NULL)
                continue;
            const char *text =
                row == -2   ? column->title
                : row == -1 ? layout[c].unit
                            : cell_text(&table->cells[(size_t)row * table->n_columns + c],
                                        column->kind, &layout[c].scale, buffer, sizeof buffer);
            text_add(&line, first ? "" : "  ");
            add_padded(&line, text, layout[c].width, is_left(column->kind));
            first = false;
        }
        if (line.failed)
            goto out;
        print_line(&line);
    }
    status = STATUS_OK;
out:
    text_release(&line);
    memory_free(layout);
    return status == STATUS_OK ? STATUS_OK : err_set(err, status, "out of memory");
}

static const char *record_value(const struct column *column, const struct cell *cell, char *buffer,
                                size_t size)
{
    static const struct scale plain = {1, "", 0};
    if (cell->text == NULL && !isnan(cell->number)) {
        switch (column->kind) {
        case COLUMN_TIME:
            return format_time_ns(cell->number, buffer, size);
        case COLUMN_BYTES:
            return format_bytes(cell->number, buffer, size);
        case COLUMN_ENERGY:
            return format_energy_pj(cell->number, buffer, size);
        case COLUMN_COUNT:
            return format_count((int64_t)cell->number, buffer, size);
        case COLUMN_FRAC:
            snprintf(buffer, size, "%.1f %%", cell->number * 100);
            return buffer;
        case COLUMN_NUMBER:
            if (!cell->is_whole) {
                snprintf(buffer, size, "%.4g", cell->number);
                return buffer;
            }
            break;
        default:
            break;
        }
    }
    return cell_text(cell, column->kind, &plain, buffer, size);
}

enum status table_print_record(const struct table *table, size_t row, struct err *err)
{
    if (table->failed)
        return err_set(err, STATUS_NOMEM, "out of memory");
    assert(row < table_rows(table));
    int width = 0;
    for (size_t c = 0; c < table->n_columns; c++)
        if (table->columns[c].title != NULL && width_of(table->columns[c].title) > width)
            width = width_of(table->columns[c].title);
    for (size_t c = 0; c < table->n_columns; c++) {
        const struct column *column = &table->columns[c];
        if (column->title == NULL)
            continue;
        char buffer[64];
        const char *value =
            record_value(column, &table->cells[row * table->n_columns + c], buffer, sizeof buffer);
        bool unit = column->unit != NULL && strcmp(value, "-") != 0;
        bool joined = unit && (column->unit[0] == '/' || column->unit[0] == ' ');
        printf("%-*s  %s%s%s\n", width, column->title, value, unit && !joined ? " " : "",
               unit ? column->unit : "");
    }
    return STATUS_OK;
}

void table_row_json(const struct table *table, size_t row, struct json_node *object)
{
    for (size_t c = 0; c < table->n_columns && !table->failed; c++) {
        const struct column *column = &table->columns[c];
        const struct cell *cell = &table->cells[row * table->n_columns + c];
        if (column->key == NULL)
            continue;
        if (cell->text != NULL)
            json_add_string(object, column->key, cell->text);
        else if (isnan(cell->number))
            json_add_null(object, column->key);
        else if (column->kind == COLUMN_BOOL)
            json_add_bool(object, column->key, cell->number > 0);
        else if (cell->is_whole)
            json_add_int(object, column->key, cell->whole);
        else
            json_add_number(object, column->key, cell->number);
    }
}

enum status table_print_object(const struct table *table, size_t row, struct err *err)
{
    struct json_node *root = json_new_object();
    table_row_json(table, row, root);
    if (table->failed) {
        json_free(root);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    return print_json(root, err);
}

enum status table_print_json(const struct table *table, struct err *err)
{
    struct json_node *root = json_new_array();
    for (size_t row = 0; row < table_rows(table); row++)
        table_row_json(table, row, json_add_object(root, NULL));
    if (table->failed) {
        json_free(root);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    return print_json(root, err);
}

enum status print_json(struct json_node *root, struct err *err)
{
    char *text = json_print(root);
    json_free(root);
    if (text == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    fputs(text, stdout);
    memory_free(text);
    return STATUS_OK;
}
