#include "plots/plot_timeline.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "plots/figure.h"

enum { MOST_RESOURCES = 24, MOST_KINDS = 12, MOST_PANELS = 4, MOST_BOXES = 560 };

static int compare_spans(const void *a, const void *b)
{
    const struct plot_span *s = a, *t = b;
    if (s->row != t->row)
        return s->row < t->row ? -1 : 1;
    if (s->kind != t->kind)
        return s->kind < t->kind ? -1 : 1;
    return (s->start_ns > t->start_ns) - (s->start_ns < t->start_ns);
}

/* From span i (sorted) all that follow closer than gap_ns in its row and kind; returns the next. */
static size_t run_from(const struct plot_span *spans, size_t n, size_t i, double gap_ns,
                       struct plot_span *run)
{
    *run = spans[i++];
    while (i < n && spans[i].row == run->row && spans[i].kind == run->kind &&
           spans[i].start_ns - run->end_ns < gap_ns)
        run->end_ns = fmax(run->end_ns, spans[i++].end_ns);
    return i;
}

/* A gap that leaves at most `most` boxes, starting from one too small to see. */
static double choose_gap(const struct plot_span *spans, size_t n, double gap_ns, size_t most)
{
    for (int i = 0; i < 64; i++, gap_ns *= 1.5) {
        struct plot_span run;
        size_t n_boxes = 0;
        for (size_t at = 0; at < n; n_boxes++)
            at = run_from(spans, n, at, gap_ns, &run);
        if (n_boxes <= most)
            break;
    }
    return gap_ns;
}

static enum status add_panel(struct figure *figure, const struct plot_timeline_panel *panel,
                             const char *const *resources, size_t n_resources,
                             const char *const *kinds, size_t n_kinds, double scale,
                             double pixel_ns, size_t most_boxes, struct err *err)
{
    struct series *bars[MOST_KINDS];
    struct plot_span *spans = memory_new(panel->n_spans, sizeof *spans), run;
    if (!spans)
        return err_set(err, STATUS_NOMEM, "out of memory");
    memory_copy(spans, panel->spans, panel->n_spans, sizeof *spans);
    qsort(spans, panel->n_spans, sizeof *spans, compare_spans);
    for (size_t i = 0; i < n_resources; i++)
        figure_category(figure, &figure->y, resources[i]);
    for (size_t i = 0; i < n_kinds; i++)
        bars[i] = figure_series(figure, SERIES_BOXES, kinds[i], (int)i);
    double gap_ns = choose_gap(spans, panel->n_spans, pixel_ns / 3, most_boxes);
    for (size_t i = 0; i < panel->n_spans;) {
        i = run_from(spans, panel->n_spans, i, gap_ns, &run);
        series_add_box(bars[run.kind], run.start_ns * scale, run.end_ns * scale, run.row - 0.36,
                       run.row + 0.36);
    }
    memory_free(spans);
    return STATUS_OK;
}

enum status plot_timeline(const char *const *resources, size_t n_resources,
                          const char *const *kinds, size_t n_kinds,
                          const struct plot_timeline_panel *panels, size_t n_panels,
                          const struct plot_options *options, struct err *err)
{
    if (n_resources < 1 || n_resources > MOST_RESOURCES || n_kinds < 1 || n_kinds > MOST_KINDS ||
        n_panels < 1 || n_panels > MOST_PANELS)
        return err_set(err, STATUS_RANGE,
                       "cannot draw 'timeline' of %zu resources, %zu kinds and %zu panels: at most "
                       "%d, %d and %d",
                       n_resources, n_kinds, n_panels, MOST_RESOURCES, MOST_KINDS, MOST_PANELS);
    double start = INFINITY, end = -INFINITY;
    for (size_t p = 0; p < n_panels; p++) {
        for (size_t i = 0; i < panels[p].n_spans; i++) {
            const struct plot_span *span = &panels[p].spans[i];
            if (span->row < 0 || (size_t)span->row >= n_resources || span->kind < 0 ||
                (size_t)span->kind >= n_kinds || !(span->start_ns <= span->end_ns))
                return err_set(err, STATUS_RANGE,
                               "cannot draw 'timeline': span %zu of '%s' has no row, kind or "
                               "duration",
                               i, panels[p].title);
            start = fmin(start, span->start_ns);
            end = fmax(end, span->end_ns);
        }
    }
    struct page page = {0};
    enum status status = page_init(&page, (int)n_panels, 1, err);
    page.width = 960;
    page.height = 120 + (int)n_panels * (40 + 26 * (int)n_resources);
    page.columns = 120;
    page.rows = 6 + (int)n_panels * (3 + 2 * (int)n_resources);
    if (status == STATUS_OK)
        plot_apply(&page, options, "Who does what when", NULL, NULL);
    bool micro = end - start < 2e6;
    double pixel_ns = (end - start) / page.width;
    for (size_t p = 0; p < n_panels && status == STATUS_OK; p++) {
        struct figure *figure = &page.panels[p];
        bool last = p == n_panels - 1;
        double scale = micro ? 1e-3 : 1e-6;
        figure_title(figure, panels[p].title);
        figure_axis(figure, &figure->x, !last ? NULL : micro ? "time (µs)" : "time (ms)", false);
        figure->x.hide_labels = !last;
        figure->x.min = start * scale;
        figure->x.max = end * scale;
        status = add_panel(figure, &panels[p], resources, n_resources, kinds, n_kinds, scale,
                           pixel_ns, MOST_BOXES / n_panels, err);
    }
    return plot_finish(&page, status, options, err);
}
