#include "plots/plot_front.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plots/candidates.h"
#include "plots/figure.h"

enum { NAMED_ON_FRONT = 5 };

static void add_front(struct figure *figure, const struct candidates_front *found)
{
    struct series *cloud =
        figure_series(figure, SERIES_CLOUD, "candidates (thinned out)", COLOUR_GREY);
    double low = found->cloud[0].params_blocks, high = low;
    for (size_t i = 1; i < found->n_cloud; i++) {
        low = fmin(low, found->cloud[i].params_blocks);
        high = fmax(high, found->cloud[i].params_blocks);
    }
    if (low < high) /* no need to start at 0 */
        figure->x.min = fmax(0, low - 0.04 * (high - low)) * 1e-6;
    for (size_t i = 0; i < found->n_cloud; i++)
        series_add(cloud, found->cloud[i].params_blocks * 1e-6, found->cloud[i].decode_ns * 1e-6);
    struct series *line =
        figure_series(figure, found->n_front > 40 ? SERIES_LINE : SERIES_LINE_POINTS,
                      "front (executed blocks x width)", COLOUR_BLUE);
    for (size_t i = 0; i < found->n_front; i++)
        series_add(line, found->front[i].params_blocks * 1e-6, found->front[i].decode_ns * 1e-6);
}

/* What lies between the front and the slowest that cannot be told apart from it. */
static void add_indistinct(struct figure *figure, const struct candidates_front *found,
                           const struct selection *selection)
{
    if (isnan(selection->interval_frac))
        return;
    struct series *band = figure_series(
        figure, SERIES_BAND, "as fast as the front, as far as predictions can tell", COLOUR_BLUE);
    for (size_t i = 0; i < found->n_front; i++) {
        double ns = found->front[i].decode_ns;
        series_add_range(band, found->front[i].params_blocks * 1e-6, ns * 1e-6, ns * 1e-6,
                         selection_indistinct_ns(selection, ns) * 1e-6);
    }
}

static void name_some(struct figure *figure, const struct candidates_front *found)
{
    size_t named = found->n_front < NAMED_ON_FRONT ? found->n_front : NAMED_ON_FRONT;
    for (size_t i = 0; i < named; i++) {
        size_t at = named == 1 ? 0 : i * (found->n_front - 1) / (named - 1);
        const struct front_point *point = &found->front[at];
        char text[64];
        snprintf(text, sizeof text, "%" PRId64 " x %" PRId64 "%s", point->n_layers_effective,
                 point->d_model, strcmp(point->sharing, "none") == 0 ? "" : " shared");
        figure_note(figure, point->params_blocks * 1e-6, point->decode_ns * 1e-6, text,
                    COLOUR_BLUE);
    }
}

enum status plot_front(struct store *store, int64_t run_id, const struct plot_model *models,
                       size_t n_models, const struct plot_options *options, struct err *err)
{
    struct selection selection;
    struct candidates_front found = {0};
    struct page page = {0};
    enum status status = candidates_select(store, run_id, false, &selection, err);
    if (status == STATUS_OK)
        status = candidates_front(store, &selection, &found, err);
    if (status == STATUS_OK)
        status = page_init(&page, 1, 1, err);
    if (status == STATUS_OK) {
        struct figure *figure = page.panels;
        page.height = 540;
        plot_apply(&page, options, "The front: decode latency against parameters in blocks",
                   selection.subtitle, selection.footnote);
        figure_axis(figure, &figure->x,
                    "quality stand-in: parameters in blocks (millions; more is better)", false);
        figure_axis(figure, &figure->y, "decode latency (ms per token, log scale; less is better)",
                    true);
        add_indistinct(figure, &found, &selection);
        add_front(figure, &found);
        struct series *marks = figure_series(
            figure, SERIES_POINTS, n_models > 0 ? "published model" : NULL, COLOUR_VERMILLION);
        for (size_t i = 0; i < n_models; i++) {
            series_add(marks, models[i].x * 1e-6, models[i].y * 1e-6);
            figure_note(figure, models[i].x * 1e-6, models[i].y * 1e-6, models[i].name,
                        COLOUR_VERMILLION);
        }
        name_some(figure, &found);
    }
    candidates_release(&found);
    selection_release(&selection);
    return plot_finish(&page, status, options, err);
}
