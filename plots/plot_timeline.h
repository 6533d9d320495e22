/* Kind 'timeline': what each resource does over time, one row per resource, one panel per run. The
 * panels share the time axis, so that two models can be compared. */
#ifndef LATHE_PLOTS_PLOT_TIMELINE_H
#define LATHE_PLOTS_PLOT_TIMELINE_H

#include "plots/plot_options.h"

struct plot_span {
    int row;  /* index of the resource */
    int kind; /* index into the kinds: what it does there */
    double start_ns, end_ns;
};

struct plot_timeline_panel {
    const char *title;
    const struct plot_span *spans; /* any order; spans of a row should not overlap */
    size_t n_spans;
};

/* resources[n_resources] 1 .. 24 from top to bottom; kinds[n_kinds] 1 .. 12 with a colour each;
 * n_panels 1 .. 4. Neighbouring spans of a row and kind that are less than a third of a pixel apart
 * are drawn as one. Where that leaves too many for a picture of reasonable size, wider gaps are
 * closed as well; hand over fewer spans to see them. Errors: of page_draw; STATUS_RANGE (the
 * counts, or a span of an unknown row or kind). */
enum status plot_timeline(const char *const *resources, size_t n_resources,
                          const char *const *kinds, size_t n_kinds,
                          const struct plot_timeline_panel *panels, size_t n_panels,
                          const struct plot_options *options, struct err *err);

#endif
