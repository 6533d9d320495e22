#include "plots/plot_front.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/quantity.h"
#include "db/query.h"
#include "plots/candidates.h"
#include "plots/figure.h"
#include "plots/run_front.h"
#include "quality/law_interval.h"

enum { NAMED_ON_FRONT = 5 };

/* In a callback of query_each: the cell of that name. */
#define CELL(name) cell_named(name, n, names, cells)

struct drawing {
    struct selection selection;
    struct front_axes axes;
    struct run_front found;
    struct figure *figure;
};

static double x_of(const struct drawing *d, const struct front_point *point)
{
    return point->x * d->axes.x.scale;
}

static double y_of(const struct drawing *d, const struct front_point *point)
{
    return point->y * d->axes.y.scale;
}

static void add_front(const struct drawing *d)
{
    const struct run_front *found = &d->found;
    struct figure *figure = d->figure;
    struct series *cloud =
        figure_series(figure, SERIES_CLOUD, "candidates (thinned out)", COLOUR_GREY);
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < found->n_cloud; i++) {
        const struct front_point *point = &found->cloud[i];
        low = fmin(low, x_of(d, point));
        high = fmax(high, x_of(d, point));
        series_add(cloud, x_of(d, point), y_of(d, point));
    }
    if (low < high && low >= 0 && !d->axes.x.log) /* no need to start at 0 */
        figure->x.min = fmax(0, low - 0.04 * (high - low));
    bool alone = d->axes.n_objectives == 1;
    struct series *line = figure_series(figure,
                                        alone                 ? SERIES_POINTS
                                        : found->n_front > 40 ? SERIES_LINE
                                                              : SERIES_LINE_POINTS,
                                        alone ? "the best (executed blocks x width)"
                                              : "front (executed blocks x width)",
                                        COLOUR_BLUE);
    for (size_t i = 0; i < found->n_front; i++)
        series_add(line, x_of(d, &found->front[i]), y_of(d, &found->front[i]));
}

/* The law's interval along the front, or what lies between it and the slowest that cannot be told
 * apart from it. */
static void add_interval(const struct drawing *d)
{
    const struct field_axis *y = &d->axes.y;
    bool is_decode = strcmp(y->field->name, "decode_ns") == 0;
    struct series *band = figure_series(
        d->figure, SERIES_BAND,
        is_decode ? "as fast as the front, as far as predictions can tell" : "90 % interval",
        COLOUR_BLUE);
    for (size_t i = 0; i < d->found.n_front; i++) {
        const struct front_point *point = &d->found.front[i];
        double low = is_decode ? point->y : point->y_low;
        double high = is_decode ? selection_indistinct_ns(&d->selection, point->y) : point->y_high;
        if (isfinite(low) && isfinite(high))
            series_add_range(band, x_of(d, point), y_of(d, point), low * y->scale, high * y->scale);
    }
}

static void name_some(const struct drawing *d)
{
    const struct run_front *found = &d->found;
    size_t named = found->n_front < NAMED_ON_FRONT ? found->n_front : NAMED_ON_FRONT;
    for (size_t i = 0; i < named; i++) {
        size_t at = named == 1 ? 0 : i * (found->n_front - 1) / (named - 1);
        const struct front_point *point = &found->front[at];
        char text[64];
        snprintf(text, sizeof text, "%" PRId64 " x %" PRId64 "%s", point->n_layers_effective,
                 point->d_model, strcmp(point->sharing, "none") == 0 ? "" : " shared");
        figure_note(d->figure, x_of(d, point), y_of(d, point), text, COLOUR_BLUE);
    }
}

/* Names of those without a place are added to `absent`. */
static void add_marks(const struct drawing *d, const struct plot_mark *marks, size_t n_marks,
                      struct text *absent)
{
    struct series *series = figure_series(
        d->figure, SERIES_POINTS, n_marks > 0 ? "published model" : NULL, COLOUR_VERMILLION);
    for (size_t i = 0; i < n_marks; i++) {
        double x = field_axis_value(&d->axes.x, marks[i].row) * d->axes.x.scale;
        double y = field_axis_value(&d->axes.y, marks[i].row) * d->axes.y.scale;
        if (!isfinite(x) || !isfinite(y) || (d->axes.x.log && x <= 0) ||
            (d->axes.y.log && y <= 0)) {
            text_addf(absent, "%s%s", absent->data != NULL ? ", " : "", marks[i].name);
            continue;
        }
        series_add(series, x, y);
        figure_note(d->figure, x, y, marks[i].name, COLOUR_VERMILLION);
    }
}

static bool is_loss(const struct field_axis *axis)
{
    return axis->field->unit == UNIT_NATS;
}

/* "From 13.1 ms of decode on the loss is within 0.01 nats of the best" where the front is one of
 * loss, else what is held against what. */
static void say_title(const struct drawing *d, struct text *title)
{
    const struct front_axes *axes = &d->axes;
    const struct run_front *found = &d->found;
    char x[64], y[64];
    field_axis_words(&axes->x, x, sizeof x);
    field_axis_words(&axes->y, y, sizeof y);
    const struct front_point *best = &found->front[found->n_front - 1];
    if (axes->n_objectives == 1) {
        text_addf(title, "%s against %s: the best is %.4g%s%s, %" PRId64 " x %" PRId64, y, x,
                  y_of(d, best), axes->y.unit[0] != '\0' ? " " : "", axes->y.unit,
                  best->n_layers_effective, best->d_model);
        return;
    }
    if (!is_loss(&axes->y)) {
        text_addf(title, "The front: %s against %s", y, x);
        return;
    }
    size_t enough = 0;
    while (found->front[enough].y > best->y + QUALITY_NOISE_NATS)
        enough++;
    text_addf(title, "From %.3g%s%s of %s on, the loss is within 0.01 nats of the best",
              x_of(d, &found->front[enough]), axes->x.unit[0] != '\0' ? " " : "", axes->x.unit, x);
}

/* What losses are compared by: they are no figures without it. */
static enum status read_loss(void *context, int n, const char *const *names,
                             const struct cell *cells, struct err *err)
{
    struct text *footnote = context;
    char count[32] = "unknown";
    const struct cell *tokens = CELL("train_tokens"), *recipe = CELL("recipe"),
                      *reference = CELL("reference");
    (void)err;
    if (tokens->type == CELL_INT)
        format_count_short(tokens->integer, count, sizeof count);
    text_addf(footnote, ". Loss: above %s, at %s training tokens, recipe %s",
              reference->type == CELL_TEXT ? reference->text : "the reference", count,
              recipe->type == CELL_TEXT ? recipe->text : "like the paper's");
    return STATUS_OK;
}

static enum status say_loss(struct store *store, const struct drawing *d, struct text *footnote,
                            struct err *err)
{
    char sql[96];
    if (!is_loss(&d->axes.x) && !is_loss(&d->axes.y))
        return STATUS_OK;
    snprintf(sql, sizeof sql, "SELECT train_tokens, recipe, reference FROM run WHERE id = %" PRId64,
             d->selection.run_id);
    return query_each(store, sql, read_loss, footnote, err);
}

static void say_footnote(const struct drawing *d, const struct text *absent, struct text *footnote)
{
    text_add(footnote, d->selection.footnote);
    if (d->axes.n_objectives > 2)
        text_addf(footnote, "; of %d objectives the first two are shown", d->axes.n_objectives);
    if (absent->data != NULL)
        text_addf(footnote, ". Models without a place here (another vocabulary, or unknown): %s",
                  absent->data);
}

/* Where slow candidates would take most of a picture of loss, it ends half the front's own width
 * beyond the front, or at the last model. */
static void cut(const struct drawing *d, struct text *footnote)
{
    const struct run_front *found = &d->found;
    if (!is_loss(&d->axes.y) || d->axes.x.sign <= 0 || !d->axes.x.log)
        return;
    double first = x_of(d, &found->front[0]), last = x_of(d, &found->front[found->n_front - 1]);
    double end = last * sqrt(last / first), farthest = last;
    for (size_t i = 0; i < d->figure->n_series; i++)
        for (size_t j = 0; j < d->figure->series[i].n; j++)
            if (d->figure->series[i].style == SERIES_POINTS)
                end = fmax(end, 1.1 * d->figure->series[i].data[j].x);
            else
                farthest = fmax(farthest, d->figure->series[i].data[j].x);
    if (farthest <= end)
        return;
    d->figure->x.max = end;
    text_addf(footnote, ". Candidates beyond %.3g %s are not shown", end, d->axes.x.unit);
}

static enum status draw(struct store *store, const struct drawing *d, const struct plot_mark *marks,
                        size_t n_marks, struct page *page, const struct plot_options *options,
                        struct err *err)
{
    char x[160], y[160];
    struct text title = {0}, footnote = {0}, absent = {0};
    page->height = 540;
    figure_axis(d->figure, &d->figure->x, field_axis_label(&d->axes.x, x, sizeof x), d->axes.x.log);
    figure_axis(d->figure, &d->figure->y, field_axis_label(&d->axes.y, y, sizeof y), d->axes.y.log);
    add_interval(d);
    add_front(d);
    add_marks(d, marks, n_marks, &absent);
    name_some(d);
    say_title(d, &title);
    say_footnote(d, &absent, &footnote);
    cut(d, &footnote);
    enum status status = say_loss(store, d, &footnote, err);
    plot_apply(page, options, title.data, d->selection.subtitle, footnote.data);
    page->failed = page->failed || title.failed || footnote.failed || absent.failed;
    text_release(&title);
    text_release(&footnote);
    text_release(&absent);
    return status;
}

enum status plot_front(struct store *store, int64_t run_id, const struct plot_mark *marks,
                       size_t n_marks, const struct plot_options *options, struct err *err)
{
    struct drawing d = {0};
    struct page page = {0};
    enum status status = candidates_select(store, run_id, false, &d.selection, err);
    if (status == STATUS_OK)
        status = front_axes_of_run(store, d.selection.run_id, &d.axes, err);
    if (status == STATUS_OK)
        status = run_front_read(store, &d.selection, &d.axes, &d.found, err);
    if (status == STATUS_OK)
        status = page_init(&page, 1, 1, err);
    if (status == STATUS_OK) {
        d.figure = page.panels;
        status = draw(store, &d, marks, n_marks, &page, options, err);
    }
    run_front_release(&d.found);
    selection_release(&d.selection);
    return plot_finish(&page, status, options, err);
}
