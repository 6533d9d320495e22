/* The figures that the law of loss draws by itself: no run of a database is behind them. */
#ifndef LATHE_CLI_QUALITY_FIGURES_H
#define LATHE_CLI_QUALITY_FIGURES_H

#include "cli/options.h"
#include "plots/plot_options.h"

/* `plot deep-or-wide`: --budget, --device, and what the law is asked. Sets texts of `options` that end
 * with the call. Errors: STATUS_USAGE, those of depth_options_find, device_open and the drawing. */
enum status figure_deep_or_wide(const struct args *args, struct plot_options *options,
                                struct err *err);

/* `plot roadmap`: Table 10 of the paper, predicted and printed. */
enum status figure_roadmap(const struct args *args, struct plot_options *options, struct err *err);

#endif
