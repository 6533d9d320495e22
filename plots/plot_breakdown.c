#include "plots/plot_breakdown.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plots/figure.h"

enum { MOST_MODELS = 24, MOST_DIVISIONS = 4, MOST_PARTS = 12 };

static int colour_before(const struct page *page, int panel, const char *part)
{
    for (int p = 0; p < panel; p++) {
        for (size_t i = 0; i < page->panels[p].n_series; i++) {
            const struct series *series = &page->panels[p].series[i];
            if (series->title && strcmp(series->title, part) == 0)
                return series->colour;
        }
    }
    return COLOUR_GREY;
}

/* A part that an earlier panel has keeps its colour; the others take the colours left over. */
static void choose_colours(const struct page *page, int panel, const struct plot_division *division,
                           int colours[MOST_PARTS])
{
    bool taken[2 * MOST_PARTS + 1] = {false};
    int next = 0;
    for (size_t i = 0; i < division->n_parts; i++) {
        colours[i] = colour_before(page, panel, division->parts[i]);
        if (colours[i] != COLOUR_GREY)
            taken[colours[i]] = true;
    }
    for (size_t i = 0; i < division->n_parts; i++) {
        if (colours[i] != COLOUR_GREY)
            continue;
        while (taken[next])
            next++;
        colours[i] = next++;
    }
}

static double part_ns(const struct plot_division *division, size_t model, size_t part)
{
    double ns = division->ns[model * division->n_parts + part];
    return isnan(ns) ? 0 : ns;
}

static void add_panel(struct page *page, int index, const char *const *models, size_t n_models,
                      const struct plot_division *division, double longest_ns)
{
    struct figure *figure = &page->panels[index];
    double scale = longest_ns >= 1e5 ? 1e-6 : 1e-3;
    bool last = index == page->n_panels - 1;
    int colours[MOST_PARTS];
    choose_colours(page, index, division, colours);
    figure_title(figure, division->title);
    figure_axis(figure, &figure->x, !last ? NULL : longest_ns >= 1e5 ? "ms" : "µs", false);
    figure->x.hide_labels = !last;
    figure->x.min = 0;
    figure->x.max = longest_ns > 0 ? longest_ns * scale * 1.1 : 1;
    for (size_t i = 0; i < n_models; i++)
        figure_category(figure, &figure->y, models[i]);
    for (size_t part = 0; part < division->n_parts; part++) {
        struct series *bars =
            figure_series(figure, SERIES_BOXES, division->parts[part], colours[part]);
        for (size_t i = 0; i < n_models; i++) {
            double before = 0, width = part_ns(division, i, part) * scale, row = (double)i;
            for (size_t j = 0; j < part; j++)
                before += part_ns(division, i, j) * scale;
            if (width > 0)
                series_add_box(bars, before, before + width, row - 0.34, row + 0.34);
        }
    }
    for (size_t i = 0; i < n_models; i++) {
        double total = 0;
        char text[32];
        for (size_t j = 0; j < division->n_parts; j++)
            total += part_ns(division, i, j) * scale;
        snprintf(text, sizeof text, total >= 100 ? "%.0f" : total >= 10 ? "%.1f" : "%.2f", total);
        figure_note_at_bar(figure, total, (double)i, text);
    }
}

enum status plot_breakdown(const char *const *models, size_t n_models,
                           const struct plot_division *divisions, size_t n_divisions,
                           const struct plot_options *options, struct err *err)
{
    if (n_models < 1 || n_models > MOST_MODELS || n_divisions < 1 || n_divisions > MOST_DIVISIONS)
        return err_set(err, STATUS_RANGE,
                       "cannot draw 'breakdown' of %zu models in %zu divisions: expected 1 to %d "
                       "and 1 to %d",
                       n_models, n_divisions, MOST_MODELS, MOST_DIVISIONS);
    double longest = 0;
    for (size_t d = 0; d < n_divisions; d++) {
        if (divisions[d].n_parts < 1 || divisions[d].n_parts > MOST_PARTS)
            return err_set(err, STATUS_RANGE,
                           "cannot draw 'breakdown' of %zu parts: expected 1 to %d",
                           divisions[d].n_parts, MOST_PARTS);
        for (size_t i = 0; i < n_models; i++) {
            double total = 0;
            for (size_t j = 0; j < divisions[d].n_parts; j++)
                total += part_ns(&divisions[d], i, j);
            longest = fmax(longest, total);
        }
    }
    struct page page = {0};
    enum status status = page_init(&page, (int)n_divisions, 1, err);
    page.width = 860;
    page.legend_by_panel = true;
    page.height = 130 + (int)n_divisions * (60 + 26 * (int)n_models);
    page.columns = 110;
    page.rows = 6 + (int)n_divisions * (5 + 2 * (int)n_models);
    if (status == STATUS_OK) {
        plot_apply(&page, options, "Where the time of one decoded token goes", NULL, NULL);
        for (size_t d = 0; d < n_divisions; d++)
            add_panel(&page, (int)d, models, n_models, &divisions[d], longest);
    }
    return plot_finish(&page, status, options, err);
}
