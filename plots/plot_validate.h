/* Kind 'validate': predicted against measured time, with the diagonal and the band of 10 %. */
#ifndef LATHE_PLOTS_PLOT_VALIDATE_H
#define LATHE_PLOTS_PLOT_VALIDATE_H

#include "plots/plot_options.h"

struct plot_validate_row {
    const char *group;   /* rows of a group share colour and shape: "q8_0, 1 thread"; NULL: one */
    double predicted_ns; /* > 0 */
    double measured_ns;  /* > 0 */
    double measured_mad_ns; /* NaN: no bar */
    double depth;           /* n_layers_effective, for plot_error_by_depth; else unused */
    const char *name;       /* NULL: not named */
};

/* Rows whose times are not positive numbers are left out. At most 16 groups. `phase` is "decode",
 * "prefill". Errors: of page_draw; STATUS_NOMEM. */
enum status plot_validate(const struct plot_validate_row *rows, size_t n_rows, const char *phase,
                          const struct plot_options *options, struct err *err);

/* Kind 'error': how far off the prediction is (predicted / measured - 1, in percent) against depth,
 * from the same rows. */
enum status plot_error_by_depth(const struct plot_validate_row *rows, size_t n_rows,
                                const char *phase, const struct plot_options *options,
                                struct err *err);

/* Kind 'contest': the same models' latency against depth, with a line for each clock (measured,
 * lathe, baselines). */
struct plot_clock {
    const char *name;
    const double *ns; /* [n]; NaN: missing */
};
enum status plot_contest(const double *depth, size_t n, const struct plot_clock *clocks,
                         size_t n_clocks, const struct plot_options *options, struct err *err);

#endif
