/* Kind 'sweep': decode time against the size of a buffer, with a line for each network or schedule.
 */
#ifndef LATHE_PLOTS_PLOT_SWEEP_H
#define LATHE_PLOTS_PLOT_SWEEP_H

#include <stddef.h>

#include "plots/plot_options.h"

struct plot_sweep_line {
    const char *name;
    const double *decode_ns; /* [n_sizes] */
};

/* sizes_mb[n_sizes] ascending, in 10^6 bytes; n_lines 1 .. 16. Errors: of page_draw; STATUS_RANGE
 * (n_lines). */
enum status plot_sweep(const double *sizes_mb, size_t n_sizes, const struct plot_sweep_line *lines,
                       size_t n_lines, const struct plot_options *options, struct err *err);

#endif
