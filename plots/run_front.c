#include "plots/run_front.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "db/query.h"
#include "search/metric.h"

/* In a callback of query_each: the cell of that name. */
#define CELL(name) cell_named(name, n, names, cells)

char *field_axis_words(const struct field_axis *axis, char *buffer, size_t size)
{
    const char *title = axis->field->title != NULL ? axis->field->title : axis->field->name;
    if (axis->field->unit != UNIT_PARAMS)
        snprintf(buffer, size, "%s", title);
    else
        snprintf(buffer, size, "parameters%s%s", strcmp(title, "params") == 0 ? "" : " ",
                 strcmp(title, "params") == 0 ? "" : title);
    return buffer;
}

char *field_axis_label(const struct field_axis *axis, char *buffer, size_t size)
{
    char words[64];
    snprintf(buffer, size, "%s (%s%s%s%s%s)", field_axis_words(axis, words, sizeof words),
             axis->unit, axis->unit[0] != '\0' ? (axis->log ? ", " : "") : "",
             axis->log ? "log scale" : "",
             axis->sign != 0 && (axis->log || axis->unit[0] != '\0') ? "; " : "",
             axis->sign > 0   ? "less is better"
             : axis->sign < 0 ? "more is better"
                              : "");
    size_t length = strlen(buffer);
    if (length > 3 && strcmp(buffer + length - 3, " ()") == 0)
        buffer[length - 3] = '\0';
    return buffer;
}

double field_axis_value(const struct field_axis *axis, const struct candidate_row *row)
{
    if (axis->field->type == FIELD_REAL)
        return field_real(axis->field, row);
    int64_t value = field_int(axis->field, row);
    return value == UNKNOWN_INT ? NAN : (double)value;
}

/* Unit and scale for values up to `most`. */
static void scale_axis(struct field_axis *axis, double low, double high)
{
    static const struct {
        enum unit unit;
        double most, scale;
        const char *name;
    } scales[] = {
        {UNIT_NS, 1e6, 1e-3, "us"},           {UNIT_NS, 1e10, 1e-6, "ms"},
        {UNIT_NS, INFINITY, 1e-9, "s"},       {UNIT_BYTES, 1e5, 1e-3, "kB"},
        {UNIT_BYTES, 1e11, 1e-6, "MB"},       {UNIT_BYTES, INFINITY, 1e-9, "GB"},
        {UNIT_PJ, INFINITY, 1e-9, "mJ"},      {UNIT_PARAMS, INFINITY, 1e-6, "millions"},
        {UNIT_FLOP, INFINITY, 1e-9, "GFLOP"},
    };
    axis->scale = 1;
    snprintf(axis->unit, sizeof axis->unit, "%s", unit_name(axis->field->unit));
    for (size_t i = sizeof scales / sizeof *scales; i-- > 0;)
        if (scales[i].unit == axis->field->unit && high < scales[i].most) {
            axis->scale = scales[i].scale;
            snprintf(axis->unit, sizeof axis->unit, "%s", scales[i].name);
        }
    axis->log = low > 0 && (axis->field->unit == UNIT_NS || axis->sign == 0);
}

/* "decode_ns_low" beside decode_ns, "loss_delta_low_nats" beside loss_delta_nats. */
static void find_end(const struct field *field, const char *end, char *out, size_t size)
{
    const char *last = strrchr(field->name, '_');
    int stem = last != NULL ? (int)(last - field->name) : (int)strlen(field->name);
    snprintf(out, size, "%s_%s", field->name, end);
    if (field_find(&candidate_fields, out) != NULL)
        return;
    snprintf(out, size, "%.*s_%s%s", stem, field->name, end, last != NULL ? last : "");
    if (field_find(&candidate_fields, out) == NULL)
        out[0] = '\0';
}

static struct field_axis axis_of(const struct field *field, int sign)
{
    struct field_axis axis = {.field = field, .sign = sign, .scale = 1};
    find_end(field, "low", axis.low, sizeof axis.low);
    find_end(field, "high", axis.high, sizeof axis.high);
    return axis;
}

static struct field_axis axis_named(const char *name, int sign)
{
    return axis_of(field_find(&candidate_fields, name), sign);
}

/* "decode_ns,max:params_blocks", as a search stored them. */
static enum status parse_objectives(const char *text, struct objectives *out, struct err *err)
{
    enum status status = STATUS_OK;
    out->n = 0;
    while (*text != '\0' && status == STATUS_OK) {
        char one[128];
        size_t n = strcspn(text, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, text);
        status = objectives_add(out, one, err);
        text += n + (text[n] == ',');
    }
    return status == STATUS_OK ? status : err_prefix(err, STATUS_INPUT, "the run's objectives: ");
}

static enum status read_objectives(void *context, int n, const char *const *names,
                                   const struct cell *cells, struct err *err)
{
    const struct cell *cell = CELL("objectives");
    return parse_objectives(cell->type == CELL_TEXT ? cell->text : "", context, err);
}

/* Those that can be drawn, each once. */
static void axes_of_objectives(const struct objectives *objectives, struct front_axes *out)
{
    struct field_axis axes[MAX_OBJECTIVES];
    int n = 0;
    for (int i = 0; i < objectives->n; i++) {
        const struct metric *metric = &objectives->metric[i];
        bool known = metric->kind == METRIC_CHOICE;
        for (int k = 0; k < n; k++)
            known = known || axes[k].field == metric->field;
        if (!known)
            axes[n++] = axis_of(metric->field, objectives->sign[i] < 0 ? -1 : 1);
    }
    out->n_objectives = n;
    if (n == 0) {
        out->y = axis_named("decode_ns", 1);
        out->x = axis_named("params_blocks", -1);
    } else if (n == 1) {
        out->y = axes[0];
        bool is_depth = strcmp(axes[0].field->name, "n_layers_effective") == 0;
        out->x = axis_named(is_depth ? "decode_ns" : "n_layers_effective", 0);
    } else {
        bool swap = axes[1].field->unit == UNIT_NATS && axes[0].field->unit != UNIT_NATS;
        out->y = axes[swap ? 1 : 0];
        out->x = axes[swap ? 0 : 1];
    }
}

enum status front_axes_of_run(struct store *store, int64_t run_id, struct front_axes *out,
                              struct err *err)
{
    char sql[96];
    struct objectives objectives = {0};
    snprintf(sql, sizeof sql, "SELECT objectives FROM run WHERE id = %" PRId64, run_id);
    enum status status = query_each(store, sql, read_objectives, &objectives, err);
    if (status == STATUS_OK)
        axes_of_objectives(&objectives, out);
    return status;
}

struct front_reader {
    const struct front_axes *axes;
    struct run_front *out;
    int64_t n;
    double x_low, x_high, y_low, y_high;
    bool taken[CLOUD_CELLS];
};

static enum status read_bounds(void *context, int n, const char *const *names,
                               const struct cell *cells, struct err *err)
{
    struct front_reader *reader = context;
    (void)err;
    reader->n = CELL("n")->integer;
    reader->x_low = CELL("x_low")->real;
    reader->x_high = CELL("x_high")->real;
    reader->y_low = CELL("y_low")->real;
    reader->y_high = CELL("y_high")->real;
    return STATUS_OK;
}

static enum status append(struct front_point **points, size_t *n, size_t *capacity,
                          const struct front_point *point, struct err *err)
{
    void *array = *points;
    enum status status = memory_grow(&array, capacity, *n + 1, sizeof *point, err);
    if (status != STATUS_OK)
        return status;
    *points = array;
    (*points)[(*n)++] = *point;
    return STATUS_OK;
}

/* Of one objective the depth is no merit: all are as good along x. */
static double cost_x(const struct front_axes *axes, const struct front_point *point)
{
    return axes->x.sign * point->x;
}

static double cost_y(const struct front_axes *axes, const struct front_point *point)
{
    return axes->y.sign * point->y;
}

/* The front is kept by rising cost along x, hence by falling cost along y. */
static enum status offer_to_front(const struct front_axes *axes, struct run_front *out,
                                  const struct front_point *point, struct err *err)
{
    size_t low = 0, high = out->n_front; /* first that costs more along x */
    double x = cost_x(axes, point), y = cost_y(axes, point);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cost_x(axes, &out->front[middle]) <= x)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && cost_y(axes, &out->front[low - 1]) <= y)
        return STATUS_OK;
    size_t first = low, end = low;
    if (first > 0 && cost_x(axes, &out->front[first - 1]) == x)
        first--;
    while (end < out->n_front && cost_y(axes, &out->front[end]) >= y)
        end++;
    enum status status = append(&out->front, &out->n_front, &out->front_capacity, point, err);
    if (status != STATUS_OK)
        return status;
    size_t tail = out->n_front - 1 - end;
    memmove(&out->front[first + 1], &out->front[end], tail * sizeof *point);
    out->front[first] = *point;
    out->n_front = first + 1 + tail;
    return STATUS_OK;
}

static int cell_index(double value, double low, double high, int n)
{
    if (!(high > low))
        return 0;
    int index = (int)((value - low) / (high - low) * n);
    return index < 0 ? 0 : index >= n ? n - 1 : index;
}

static int index_on(const struct field_axis *axis, double value, double low, double high, int n)
{
    return axis->log ? cell_index(log(value), log(low), log(high), n)
                     : cell_index(value, low, high, n);
}

static enum status read_front(void *context, int n, const char *const *names,
                              const struct cell *cells, struct err *err)
{
    struct front_reader *reader = context;
    const struct front_axes *axes = reader->axes;
    struct run_front *out = reader->out;
    const struct cell *sharing = CELL("sharing");
    struct front_point point = {
        .x = CELL("x")->real,
        .y = CELL("y")->real,
        .y_low = CELL("y_low")->real,
        .y_high = CELL("y_high")->real,
        .n_layers_effective = CELL("n_layers_effective")->integer,
        .d_model = CELL("d_model")->integer,
    };
    snprintf(point.sharing, sizeof point.sharing, "%s",
             sharing->type == CELL_TEXT ? sharing->text : "");
    int x = index_on(&axes->x, point.x, reader->x_low, reader->x_high, CLOUD_ACROSS);
    int y = index_on(&axes->y, point.y, reader->y_low, reader->y_high, CLOUD_UP);
    bool *taken = &reader->taken[y * CLOUD_ACROSS + x];
    enum status status = STATUS_OK;
    if (!*taken)
        status = append(&out->cloud, &out->n_cloud, &out->cloud_capacity, &point, err);
    *taken = true;
    return status == STATUS_OK ? offer_to_front(axes, out, &point, err) : status;
}

static enum status read_both(struct store *store, const struct selection *selection,
                             struct front_axes *axes, struct front_reader *reader, struct err *err)
{
    struct text bounds = {0}, select = {0}, condition = {0};
    const char *x = axes->x.field->name, *y = axes->y.field->name;
    text_addf(&condition, "%s AND %s IS NOT NULL AND %s IS NOT NULL", selection->condition.data, x,
              y);
    text_addf(&bounds,
              "count(*) AS n, min(%s) AS x_low, max(%s) AS x_high, min(%s) AS y_low, "
              "max(%s) AS y_high",
              x, x, y, y);
    text_addf(&select,
              "%s AS x, %s AS y, %s AS y_low, %s AS y_high, n_layers_effective, d_model, sharing",
              x, y, axes->y.low[0] != '\0' ? axes->y.low : "NULL",
              axes->y.high[0] != '\0' ? axes->y.high : "NULL");
    enum status status =
        bounds.failed || select.failed ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    if (status == STATUS_OK)
        status = candidates_each(store, bounds.data, &condition, "", read_bounds, reader, err);
    if (status == STATUS_OK && reader->n == 0)
        status = err_set(err, STATUS_NOT_FOUND,
                         "run %" PRId64 " has no candidate with both %s and %s to draw",
                         selection->run_id, x, y);
    if (status == STATUS_OK) {
        scale_axis(&axes->x, reader->x_low, reader->x_high);
        scale_axis(&axes->y, reader->y_low, reader->y_high);
        status = candidates_each(store, select.data, &condition, "", read_front, reader, err);
    }
    text_release(&bounds);
    text_release(&select);
    text_release(&condition);
    return status;
}

enum status run_front_read(struct store *store, const struct selection *selection,
                           struct front_axes *axes, struct run_front *out, struct err *err)
{
    *out = (struct run_front){0};
    struct front_reader *reader = memory_new(1, sizeof *reader);
    if (!reader)
        return err_set(err, STATUS_NOMEM, "out of memory");
    reader->out = out;
    reader->axes = axes;
    enum status status = read_both(store, selection, axes, reader, err);
    memory_free(reader);
    if (status != STATUS_OK)
        run_front_release(out);
    return status;
}

void run_front_release(struct run_front *front)
{
    memory_free(front->cloud);
    memory_free(front->front);
    *front = (struct run_front){0};
}
