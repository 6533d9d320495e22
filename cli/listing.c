#include "cli/listing.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"

static void add_cell(struct listing *listing, struct listing_cell cell)
{
    if (listing->failed ||
        memory_grow((void **)&listing->cells, &listing->cells_capacity, listing->n_cells + 1,
                    sizeof *listing->cells, NULL) != STATUS_OK) {
        listing->failed = true;
        memory_free(cell.text);
        return;
    }
    listing->cells[listing->n_cells++] = cell;
}

/* How a unit is printed. A text is a text in any. */
static const struct {
    enum listing_kind kind;
    const char *unit;
} printed[N_UNITS] = {
    [UNIT_NONE] = {LISTING_INTEGER, NULL}, /* a real number: LISTING_NUMBER */
    [UNIT_ID] = {LISTING_LEFT_INTEGER, NULL},   [UNIT_BOOL] = {LISTING_BOOL, NULL},
    [UNIT_PARAMS] = {LISTING_COUNT, NULL},      [UNIT_FLOP] = {LISTING_COUNT, NULL},
    [UNIT_TOKENS] = {LISTING_INTEGER, NULL},    [UNIT_LENGTH] = {LISTING_INTEGER, "tokens"},
    [UNIT_NS] = {LISTING_TIME, NULL},           [UNIT_BYTES] = {LISTING_BYTES, NULL},
    [UNIT_PJ] = {LISTING_ENERGY, NULL},         [UNIT_TOKENS_PER_S] = {LISTING_NUMBER, "tok/s"},
    [UNIT_GBPS] = {LISTING_NUMBER, "GB/s"},     [UNIT_GFLOPS] = {LISTING_NUMBER, "GFLOP/s"},
    [UNIT_W] = {LISTING_NUMBER, "W"},           [UNIT_FRAC] = {LISTING_FRAC, NULL},
    [UNIT_PERCENT] = {LISTING_NUMBER, "%"},     [UNIT_NATS] = {LISTING_NUMBER, "nats"},
    [UNIT_POINTS] = {LISTING_NUMBER, "points"}, [UNIT_UTC] = {LISTING_TEXT, NULL},
};

static enum listing_kind kind_of(const struct field *field)
{
    if (field->type == FIELD_TEXT)
        return LISTING_TEXT;
    if (field->unit == UNIT_NONE && field->type == FIELD_REAL)
        return LISTING_NUMBER;
    return printed[field->unit].kind;
}

void listing_field(struct listing *listing, const struct field *field)
{
    const unsigned places = field->places;
    if (!(places & (IN_TABLE | IN_JSON)))
        return;
    assert(listing->n_cells == 0 && field->offset + 8 <= LISTING_RECORD_SIZE);
    if (listing->failed ||
        memory_grow((void **)&listing->columns, &listing->columns_capacity, listing->n_columns + 1,
                    sizeof *listing->columns, NULL) != STATUS_OK) {
        listing->failed = true;
        return;
    }
    const char *title = field->title != NULL ? field->title : field->name;
    listing->columns[listing->n_columns++] = (struct listing_column){
        .title = places & IN_TABLE ? title : NULL,
        .key = places & IN_JSON ? field->name : NULL,
        .unit = places & OF_A_TOKEN ? "/token" : printed[field->unit].unit,
        .kind = kind_of(field),
        .type = field->type,
        .offset = field->offset,
        .if_rows_differ = (places & IF_ROWS_DIFFER) != 0,
    };
}

void listing_field_array(struct listing *listing, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        listing_field(listing, &fields[i]);
}

void listing_fields(struct listing *listing, const struct fields *fields)
{
    listing_field_array(listing, fields->field, (size_t)fields->n);
}

void listing_pick(struct listing *listing, const struct fields *fields, const char *name,
                  unsigned places)
{
    const struct field *found = field_find(fields, name);
    assert(found != NULL);
    struct field field = *found;
    field.places = places;
    listing_field(listing, &field);
}

void *listing_record(struct listing *listing)
{
    for (size_t c = 0; c < listing->n_columns; c++)
        field_clear(
            &(struct field){.type = listing->columns[c].type, .offset = listing->columns[c].offset},
            listing->record.bytes);
    return listing->record.bytes;
}

static void add_text(struct listing *listing, const char *text)
{
    char *copy = text != NULL ? memory_strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        listing->failed = true;
    add_cell(listing, (struct listing_cell){.text = copy, .number = NAN});
}

static void add_int(struct listing *listing, int64_t value)
{
    if (value == UNKNOWN_INT)
        add_cell(listing, (struct listing_cell){.number = NAN});
    else
        add_cell(listing,
                 (struct listing_cell){.number = (double)value, .whole = value, .is_whole = true});
}

void listing_add(struct listing *listing, const void *record)
{
    for (size_t c = 0; c < listing->n_columns && !listing->failed; c++) {
        const struct listing_column *column = &listing->columns[c];
        const struct field field = {.type = column->type, .offset = column->offset};
        switch (column->type) {
        case FIELD_TEXT:
            add_text(listing, field_text(&field, record));
            break;
        case FIELD_REAL:
            add_cell(listing, (struct listing_cell){.number = field_real(&field, record)});
            break;
        case FIELD_INT:
            add_int(listing, field_int(&field, record));
            break;
        }
    }
}

void listing_release(struct listing *listing)
{
    for (size_t i = 0; i < listing->n_cells; i++)
        memory_free(listing->cells[i].text);
    memory_free(listing->cells);
    memory_free(listing->columns);
    memset(listing, 0, sizeof *listing);
}

size_t listing_rows(const struct listing *listing)
{
    return listing->n_columns > 0 ? listing->n_cells / listing->n_columns : 0;
}

/* The unit one column is printed in, and the digits after the point. */
struct unit_scale {
    double divisor;
    const char *unit;
    int decimals;
};

static const struct unit_scale times[] = {
    {1, "ns", 0}, {1e3, "us", 0}, {1e6, "ms", 0}, {1e9, "s", 0}};
static const struct unit_scale sizes[] = {
    {1, "B", 0}, {1e3, "kB", 0}, {1e6, "MB", 0}, {1e9, "GB", 0}};
static const struct unit_scale counts[] = {{1, "", 0}, {1e3, "K", 0}, {1e6, "M", 0}, {1e9, "B", 0}};
static const struct unit_scale energies[] = {
    {1, "pJ", 0}, {1e3, "nJ", 0}, {1e6, "uJ", 0}, {1e9, "mJ", 0}, {1e12, "J", 0}};

static struct unit_scale largest_scale(const struct unit_scale *scales, size_t n, double value)
{
    struct unit_scale scale = scales[0];
    for (size_t i = 1; i < n; i++)
        if (value >= scales[i].divisor)
            scale = scales[i];
    return scale;
}

#define LARGEST_SCALE(scales, value) largest_scale(scales, sizeof scales / sizeof *scales, value)

static struct unit_scale column_scale(const struct listing *listing, size_t column)
{
    double largest = 0, smallest = INFINITY;
    for (size_t i = column; i < listing->n_cells; i += listing->n_columns) {
        double value = fabs(listing->cells[i].number);
        if (isfinite(value) && value > 0) {
            largest = fmax(largest, value);
            smallest = fmin(smallest, value);
        }
    }
    struct unit_scale scale = {1, "", 0};
    switch (listing->columns[column].kind) {
    case LISTING_TIME:
        scale = LARGEST_SCALE(times, largest);
        break;
    case LISTING_BYTES:
        scale = LARGEST_SCALE(sizes, largest);
        break;
    case LISTING_COUNT:
        scale = LARGEST_SCALE(counts, largest);
        break;
    case LISTING_ENERGY:
        scale = LARGEST_SCALE(energies, largest);
        break;
    case LISTING_FRAC:
        scale = (struct unit_scale){0.01, "%", 1};
        return scale;
    case LISTING_NUMBER:
        break;
    default:
        return scale;
    }
    enum listing_kind kind = listing->columns[column].kind;
    double enough = kind == LISTING_COUNT ? 1000 : 100;
    if (scale.divisor > 1 || kind == LISTING_NUMBER)
        for (double value = smallest / scale.divisor; value < enough && scale.decimals < 3;
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

static const char *cell_text(const struct listing_cell *cell, enum listing_kind kind,
                             const struct unit_scale *scale, char *buffer, size_t size)
{
    if (cell->text != NULL)
        return cell->text;
    if (isnan(cell->number))
        return "-";
    if (kind == LISTING_BOOL)
        return cell->number > 0 ? "yes" : "no";
    if (kind == LISTING_INTEGER && cell->is_whole)
        return grouped(cell->whole, buffer, size);
    if (kind == LISTING_LEFT_INTEGER || (kind == LISTING_NUMBER && cell->is_whole))
        snprintf(buffer, size, "%lld", (long long)cell->whole);
    else
        snprintf(buffer, size, "%.*f", scale->decimals, cell->number / scale->divisor);
    return buffer;
}

static int width_of(const char *text)
{
    return text_width(text, strlen(text));
}

static bool is_left(enum listing_kind kind)
{
    return kind == LISTING_TEXT || kind == LISTING_BOOL || kind == LISTING_LEFT_INTEGER;
}

static bool same_cell(const struct listing_cell *a, const struct listing_cell *b)
{
    if (a->text != NULL || b->text != NULL)
        return a->text != NULL && b->text != NULL && strcmp(a->text, b->text) == 0;
    return a->number == b->number || (isnan(a->number) && isnan(b->number));
}

static bool rows_differ(const struct listing *listing, size_t c)
{
    for (size_t i = c + listing->n_columns; i < listing->n_cells; i += listing->n_columns)
        if (!same_cell(&listing->cells[i], &listing->cells[c]))
            return true;
    return false;
}

/* Has a table the column? */
static bool is_shown(const struct listing *listing, size_t c)
{
    const struct listing_column *column = &listing->columns[c];
    return column->title != NULL &&
           (!column->if_rows_differ || listing_rows(listing) < 2 || rows_differ(listing, c));
}

enum status listing_render(const struct listing *listing, struct rendering *out, struct err *err)
{
    struct rendering rendering = {.n_rows = listing_rows(listing)};
    size_t *shown = memory_new(listing->n_columns, sizeof *shown);
    struct unit_scale *scales = memory_new(listing->n_columns, sizeof *scales);
    char buffer[64];
    bool whole = !listing->failed && shown != NULL && scales != NULL;
    for (size_t c = 0; c < listing->n_columns && whole; c++)
        if (is_shown(listing, c)) {
            scales[rendering.n_columns] = column_scale(listing, c);
            shown[rendering.n_columns++] = c;
        }
    rendering.texts =
        memory_new((rendering.n_rows + 2) * rendering.n_columns, sizeof *rendering.texts);
    whole = whole && rendering.texts != NULL;
    for (size_t i = 0; i < (rendering.n_rows + 2) * rendering.n_columns && whole; i++) {
        size_t row = i / rendering.n_columns, c = i % rendering.n_columns;
        const struct listing_column *column = &listing->columns[shown[c]];
        const char *text = column->title;
        if (row == 1) {
            snprintf(buffer, sizeof buffer, "%s%s", scales[c].unit,
                     column->unit != NULL ? column->unit : "");
            text = buffer;
        } else if (row > 1) {
            text = cell_text(&listing->cells[(row - 2) * listing->n_columns + shown[c]],
                             column->kind, &scales[c], buffer, sizeof buffer);
        }
        rendering.texts[i] = memory_strdup(text);
        whole = rendering.texts[i] != NULL;
    }
    memory_free(shown);
    memory_free(scales);
    if (!whole) {
        rendering_release(&rendering);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    *out = rendering;
    return STATUS_OK;
}

void rendering_release(struct rendering *rendering)
{
    for (size_t i = 0;
         rendering->texts != NULL && i < (rendering->n_rows + 2) * rendering->n_columns; i++)
        memory_free(rendering->texts[i]);
    memory_free(rendering->texts);
    rendering->texts = NULL;
}

static void add_padded(struct text *line, const char *text, int width, bool left)
{
    int pad = width - width_of(text);
    text_addf(line, "%*s%s%*s", left ? 0 : pad, "", text, left ? pad : 0, "");
}

/* Without the blanks at its end; empties it. */
static void print_line(struct text *line, FILE *stream)
{
    while (line->length > 0 && line->data[line->length - 1] == ' ')
        line->length--;
    fprintf(stream, "%.*s\n", (int)line->length, line->length > 0 ? line->data : "");
    line->length = 0;
}

/* The kind of the c-th column that is shown. */
static enum listing_kind shown_kind(const struct listing *listing, size_t c)
{
    for (size_t i = 0;; i++)
        if (is_shown(listing, i) && c-- == 0)
            return listing->columns[i].kind;
}

static int column_width(const struct rendering *rendering, size_t c)
{
    int width = 0;
    for (size_t row = 0; row < rendering->n_rows + 2; row++) {
        int w = width_of(rendering->texts[row * rendering->n_columns + c]);
        width = w > width ? w : width;
    }
    return width;
}

enum status listing_print(const struct listing *listing, FILE *stream, struct err *err)
{
    struct rendering rendering;
    struct text line = {0};
    enum status status = listing_render(listing, &rendering, err);
    if (status != STATUS_OK)
        return status;
    size_t n = rendering.n_columns;
    int *widths = memory_new(n, sizeof *widths);
    if (widths == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    bool units = false;
    for (size_t c = 0; c < n; c++) {
        widths[c] = column_width(&rendering, c);
        units = units || *rendering.texts[n + c] != 0;
    }
    for (size_t row = 0; row < rendering.n_rows + 2; row++) {
        if (row == 1 && !units)
            continue;
        for (size_t c = 0; c < n; c++) {
            text_add(&line, c > 0 ? "  " : "");
            add_padded(&line, rendering.texts[row * n + c], widths[c],
                       is_left(shown_kind(listing, c)));
        }
        if (line.failed) {
            status = err_set(err, STATUS_NOMEM, "out of memory");
            break;
        }
        print_line(&line, stream);
    }
out:
    text_release(&line);
    memory_free(widths);
    rendering_release(&rendering);
    return status;
}

static const char *record_value(const struct listing_column *column,
                                const struct listing_cell *cell, char *buffer, size_t size)
{
    static const struct unit_scale plain = {1, "", 0};
    if (cell->text == NULL && !isnan(cell->number)) {
        switch (column->kind) {
        case LISTING_TIME:
            return format_time_ns(cell->number, buffer, size);
        case LISTING_BYTES:
            return format_bytes(cell->number, buffer, size);
        case LISTING_ENERGY:
            return format_energy_pj(cell->number, buffer, size);
        case LISTING_COUNT:
            return format_count((int64_t)cell->number, buffer, size);
        case LISTING_FRAC:
            snprintf(buffer, size, "%.1f %%", cell->number * 100);
            return buffer;
        case LISTING_NUMBER:
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

enum status listing_print_record(const struct listing *listing, size_t row, FILE *stream,
                                 struct err *err)
{
    if (listing->failed)
        return err_set(err, STATUS_NOMEM, "out of memory");
    assert(row < listing_rows(listing));
    int width = 0;
    for (size_t c = 0; c < listing->n_columns; c++)
        if (listing->columns[c].title != NULL && width_of(listing->columns[c].title) > width)
            width = width_of(listing->columns[c].title);
    for (size_t c = 0; c < listing->n_columns; c++) {
        const struct listing_column *column = &listing->columns[c];
        if (column->title == NULL)
            continue;
        char buffer[64];
        const char *value = record_value(column, &listing->cells[row * listing->n_columns + c],
                                         buffer, sizeof buffer);
        bool unit = column->unit != NULL && strcmp(value, "-") != 0;
        bool joined = unit && (column->unit[0] == '/' || column->unit[0] == ' ');
        fprintf(stream, "%-*s  %s%s%s\n", width, column->title, value, unit && !joined ? " " : "",
                unit ? column->unit : "");
    }
    return STATUS_OK;
}
