/* Kind 'breakdown': where the time of one pass goes, as stacked bars. A row is a model, a panel a
 * way of dividing its time (by memory level, by operator role). Fixed costs are a part like the
 * others.
 */
#ifndef LATHE_PLOTS_PLOT_BREAKDOWN_H
#define LATHE_PLOTS_PLOT_BREAKDOWN_H

#include "plots/plot_options.h"

struct plot_division {
    const char *title;        /* "by memory level" */
    const char *const *parts; /* [n_parts], 1 .. 12: "DRAM", "SRAM", "compute", "fixed costs" */
    size_t n_parts;
    const double *ns; /* [n_models, n_parts], row-major, >= 0; NaN counts as 0 */
};

/* n_models 1 .. 24, n_divisions 1 .. 4. Parts of all divisions share one legend: a name that
 * occurs in two of them keeps its colour. Errors: of page_draw; STATUS_RANGE (the counts). */
enum status plot_breakdown(const char *const *models, size_t n_models,
                           const struct plot_division *divisions, size_t n_divisions,
                           const struct plot_options *options, struct err *err);

#endif
