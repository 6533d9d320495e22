/* Kind 'phases': load, init, prefill and decode of chosen models. Each has a panel with an axis of
 * its own, since they lie orders of magnitude apart. */
#ifndef LATHE_PLOTS_PLOT_PHASES_H
#define LATHE_PLOTS_PLOT_PHASES_H

#include "plots/plot_options.h"

struct plot_phases_row {
    const char *model;
    double load_ns, init_ns, prefill_ns, decode_ns; /* NaN: unknown, no bar */
};

/* n_rows 1 .. 24, drawn from top to bottom. Errors: of page_draw; STATUS_RANGE (n_rows). */
enum status plot_phases(const struct plot_phases_row *rows, size_t n_rows,
                        const struct plot_options *options, struct err *err);

#endif
