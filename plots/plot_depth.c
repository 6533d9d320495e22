#include "plots/plot_depth.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "plots/candidates.h"
#include "plots/figure.h"

enum {
    MOST_MODES = 7, /* colours that differ well */
    FEW_POINTS = 64 /* on one line: marks are drawn */
};

static const struct depth_point *fastest_of(const struct depth_point *points, size_t n)
{
    const struct depth_point *fastest = points;
    for (size_t i = 1; i < n; i++)
        if (points[i].decode_ns < fastest->decode_ns)
            fastest = &points[i];
    return fastest;
}

/* Across all depths: what cannot be told apart from the fastest. */
static void add_indistinct(struct figure *figure, const struct depth_point *points, size_t n,
                           const struct selection *selection)
{
    if (isnan(selection->interval_frac))
        return;
    double low = (double)points[0].n_layers_effective, high = low;
    double ns = fastest_of(points, n)->decode_ns;
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, (double)points[i].n_layers_effective);
        high = fmax(high, (double)points[i].n_layers_effective);
    }
    struct series *band = figure_series(
        figure, SERIES_BAND, "as fast as the fastest, as far as predictions can tell", COLOUR_GREY);
    double top = selection_indistinct_ns(selection, ns);
    series_add_range(band, low, ns * 1e-6, ns * 1e-6, top * 1e-6);
    series_add_range(band, high, ns * 1e-6, ns * 1e-6, top * 1e-6);
}

static void add_lines(struct figure *figure, const struct depth_point *points, size_t n)
{
    int colour = 0;
    const struct depth_point *fastest = fastest_of(points, n);
    for (size_t i = 0; i < n; colour++) {
        size_t end = i + 1;
        while (end < n && strcmp(points[end].mode, points[i].mode) == 0)
            end++;
        struct series *line =
            figure_series(figure, end - i > FEW_POINTS ? SERIES_LINE : SERIES_LINE_POINTS,
                          points[i].mode, colour);
        for (; i < end; i++)
            series_add(line, (double)points[i].n_layers_effective, points[i].decode_ns * 1e-6);
    }
    struct series *best = figure_series(figure, SERIES_POINTS, NULL, COLOUR_BLACK);
    char text[96];
    double x = (double)fastest->n_layers_effective, y = fastest->decode_ns * 1e-6;
    snprintf(text, sizeof text, "fastest: %" PRId64 " blocks of width %" PRId64 ", %.3g ms",
             fastest->n_layers_effective, fastest->d_model, y);
    series_add(best, x, y);
    figure_note(figure, x, y, text, COLOUR_BLACK);
}

enum status plot_depth(struct store *store, int64_t run_id, const struct plot_model *models,
                       size_t n_models, const struct plot_options *options, struct err *err)
{
    struct selection selection;
    struct depth_point *points = NULL;
    size_t n = 0;
    struct page page = {0};
    enum status status = candidates_select(store, run_id, true, &selection, err);
    if (status == STATUS_OK)
        status = candidates_depth(store, &selection, MOST_MODES, &points, &n, err);
    if (status == STATUS_OK)
        status = page_init(&page, 1, 1, err);
    if (status == STATUS_OK) {
        struct figure *figure = page.panels;
        plot_apply(&page, options, "Deep or wide: decode latency against depth, equal parameters",
                   selection.subtitle, selection.footnote);
        figure_axis(figure, &figure->x, "executed blocks (n_layers_effective, log scale)", true);
        figure_axis(figure, &figure->y,
                    "decode latency of the fastest candidate near a depth (ms per token)", false);
        add_indistinct(figure, points, n, &selection);
        add_lines(figure, points, n);
        struct series *marks = figure_series(figure, SERIES_POINTS,
                                             n_models > 0 ? "published model" : NULL, COLOUR_BLACK);
        if (marks)
            marks->hollow = true;
        for (size_t i = 0; i < n_models; i++) {
            series_add(marks, models[i].x, models[i].y * 1e-6);
            figure_note(figure, models[i].x, models[i].y * 1e-6, models[i].name, COLOUR_BLACK);
        }
    }
    memory_free(points);
    selection_release(&selection);
    return plot_finish(&page, status, options, err);
}
