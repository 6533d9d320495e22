#include "plots/plot_validate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "plots/figure.h"

enum { MOST_GROUPS = 16 };

static bool is_shown(const struct plot_validate_row *row)
{
    return row->predicted_ns > 0 && isfinite(row->predicted_ns) && row->measured_ns > 0 &&
           isfinite(row->measured_ns);
}

static bool is_same_group(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static double error_frac(const struct plot_validate_row *row)
{
    return row->predicted_ns / row->measured_ns - 1;
}

/* A series a group, in order of appearance. Groups beyond the last go with the last. */
static struct series *series_of(struct figure *figure, const char *groups[MOST_GROUPS],
                                struct series *series[MOST_GROUPS], size_t *n, const char *group,
                                enum series_style style)
{
    for (size_t i = 0; i < *n; i++) {
        if (is_same_group(groups[i], group))
            return series[i];
    }
    if (*n == MOST_GROUPS)
        return series[*n - 1];
    groups[*n] = group;
    series[*n] = figure_series(figure, style, group, (int)*n);
    return series[(*n)++];
}

static void summarise(const struct plot_validate_row *rows, size_t n_rows, double *errors,
                      char *out, size_t size)
{
    size_t n = 0, within_5 = 0, within_10 = 0;
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_shown(&rows[i]))
            continue;
        double error = fabs(error_frac(&rows[i]));
        within_5 += error <= 0.05;
        within_10 += error <= 0.10;
        errors[n++] = error;
    }
    if (n == 0)
        snprintf(out, size, "no rows");
    else
        snprintf(out, size,
                 "%zu rows: median error %.1f %%, mean %.1f %%; %.0f %% of them within 5 %%, %.0f "
                 "%% within 10 %%",
                 n, 100 * stats_median(errors, n), 100 * stats_mean(errors, n),
                 100.0 * (double)within_5 / (double)n, 100.0 * (double)within_10 / (double)n);
}

static void add_diagonal(struct figure *figure, double low, double high)
{
    struct series *band = figure_series(figure, SERIES_BAND, "within 10 %", COLOUR_GREY);
    series_add_range(band, low, low, low * 0.9, low * 1.1);
    series_add_range(band, high, high, high * 0.9, high * 1.1);
    struct series *rule = figure_series(figure, SERIES_RULE, "exact", COLOUR_GREY);
    series_add(rule, low, low);
    series_add(rule, high, high);
    figure->x.min = figure->y.min = low;
    figure->x.max = figure->y.max = high;
}

enum status plot_validate(const struct plot_validate_row *rows, size_t n_rows, const char *phase,
                          const struct plot_options *options, struct err *err)
{
    const char *groups[MOST_GROUPS];
    struct series *series[MOST_GROUPS];
    size_t n_groups = 0;
    double low = INFINITY, high = 0;
    char title[96], summary[192], label[2][96];
    double *errors = memory_new(n_rows, sizeof *errors);
    struct page page = {0};
    enum status status =
        errors ? page_init(&page, 1, 1, err) : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    page.width = 640;
    page.height = 640;
    page.rows = 40;
    struct figure *figure = page.panels;
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_shown(&rows[i]))
            continue;
        low = fmin(low, fmin(rows[i].predicted_ns, rows[i].measured_ns) * 1e-6);
        high = fmax(high, fmax(rows[i].predicted_ns, rows[i].measured_ns) * 1e-6);
    }
    summarise(rows, n_rows, errors, summary, sizeof summary);
    snprintf(title, sizeof title, "Predicted against measured: %s", phase);
    plot_apply(&page, options, title, summary, NULL);
    snprintf(label[0], sizeof label[0], "measured %s (ms, log scale)", phase);
    snprintf(label[1], sizeof label[1], "predicted %s (ms, log scale)", phase);
    figure_axis(figure, &figure->x, label[0], true);
    figure_axis(figure, &figure->y, label[1], true);
    if (high > 0)
        add_diagonal(figure, low / 1.25, high * 1.25);
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_shown(&rows[i]))
            continue;
        struct series *points =
            series_of(figure, groups, series, &n_groups, rows[i].group, SERIES_POINTS);
        double x = rows[i].measured_ns * 1e-6, y = rows[i].predicted_ns * 1e-6;
        series_add(points, x, y);
        if (rows[i].name)
            figure_note(figure, x, y, rows[i].name, COLOUR_BLACK);
    }
out:
    memory_free(errors);
    return plot_finish(&page, status, options, err);
}

enum status plot_error_by_depth(const struct plot_validate_row *rows, size_t n_rows,
                                const char *phase, const struct plot_options *options,
                                struct err *err)
{
    const char *groups[MOST_GROUPS];
    struct series *series[MOST_GROUPS];
    size_t n_groups = 0;
    double low = INFINITY, high = -INFINITY, worst = 0.12;
    char title[96], summary[192];
    double *errors = memory_new(n_rows, sizeof *errors);
    struct page page = {0};
    enum status status =
        errors ? page_init(&page, 1, 1, err) : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    struct figure *figure = page.panels;
    summarise(rows, n_rows, errors, summary, sizeof summary);
    snprintf(title, sizeof title, "Error of the prediction by depth: %s", phase);
    plot_apply(&page, options, title, summary, NULL);
    figure_axis(figure, &figure->x, "executed blocks (n_layers_effective)", false);
    figure_axis(figure, &figure->y, "predicted / measured - 1 (%)", false);
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_shown(&rows[i]) || !(rows[i].depth > 0))
            continue;
        low = fmin(low, rows[i].depth);
        high = fmax(high, rows[i].depth);
        worst = fmax(worst, fabs(error_frac(&rows[i])));
        series_add(series_of(figure, groups, series, &n_groups, rows[i].group, SERIES_POINTS),
                   rows[i].depth, 100 * error_frac(&rows[i]));
    }
    if (low <= high) {
        double left = fmax(0, low - 2), right = high + 2;
        struct series *band = figure_series(figure, SERIES_BAND, "within 10 %", COLOUR_GREY);
        series_add_range(band, left, 0, -10, 10);
        series_add_range(band, right, 0, -10, 10);
        struct series *rule = figure_series(figure, SERIES_RULE, "exact", COLOUR_GREY);
        series_add(rule, left, 0);
        series_add(rule, right, 0);
        figure->x.min = left;
        figure->x.max = right;
        figure->y.max = 110 * worst;
        figure->y.min = -110 * worst;
    }
out:
    memory_free(errors);
    return plot_finish(&page, status, options, err);
}

enum status plot_contest(const double *depth, size_t n, const struct plot_clock *clocks,
                         size_t n_clocks, const struct plot_options *options, struct err *err)
{
    struct page page = {0};
    enum status status = page_init(&page, 1, 1, err);
    if (status == STATUS_OK) {
        struct figure *figure = page.panels;
        plot_apply(&page, options, "Deep against wide at equal parameters", NULL, NULL);
        figure_axis(figure, &figure->x, "executed blocks (n_layers_effective)", false);
        figure_axis(figure, &figure->y, "decode latency (ms per token)", false);
        for (size_t c = 0; c < n_clocks; c++) {
            struct series *line = figure_series(figure, SERIES_LINE_POINTS, clocks[c].name, (int)c);
            size_t last = n;
            for (size_t i = 0; i < n; i++) {
                if (!isfinite(clocks[c].ns[i]) || !isfinite(depth[i]))
                    continue;
                series_add(line, depth[i], clocks[c].ns[i] * 1e-6);
                last = last == n || depth[i] >= depth[last] ? i : last;
            }
            if (last < n)
                figure_note_at_end(figure, depth[last], clocks[c].ns[last] * 1e-6, clocks[c].name,
                                   (int)c);
        }
    }
    return plot_finish(&page, status, options, err);
}
