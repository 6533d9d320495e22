/* The figures that both `plot` and `report` draw. */
#ifndef LATHE_CLI_FIGURES_H
#define LATHE_CLI_FIGURES_H

#include <stdbool.h>

#include "base/quantity.h"
#include "cli/priced.h"
#include "cli/setting.h"
#include "plots/plot_options.h"

enum { MAX_FIGURE_MODELS = 24 };

/* Prices the MODELs of the command line from operand `first` on, or, when there are none, the
 * presets within the budget, MAX_FIGURE_MODELS at most. */
enum status price_marks(const struct args *args, int first, const struct setting *setting,
                        const struct budget *budget, struct priced_list *list, struct err *err);

/* A run's candidates with models marked: latency against depth, or the front of its objectives, for
 * which the marks' losses are worked out as the run has those of its candidates. */
enum status figure_run(struct store *store, int64_t run_id, bool depth, struct priced_list *marks,
                       const struct plot_options *options, struct err *err);
/* Errors of both: also STATUS_USAGE above MAX_FIGURE_MODELS. */
enum status figure_phases(const struct priced_list *list, const struct plot_options *options,
                          struct err *err);
enum status figure_breakdown(const struct priced_list *list, const struct plot_options *options,
                             struct err *err);

#endif
