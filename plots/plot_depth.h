/* Kind 'depth': decode latency against depth at equal parameters. For each sharing mode it shows
 * the fastest candidate near each number of executed blocks. */
#ifndef LATHE_PLOTS_PLOT_DEPTH_H
#define LATHE_PLOTS_PLOT_DEPTH_H

#include <stddef.h>
#include <stdint.h>

#include "db/store.h"
#include "plots/plot_options.h"

/* run_id 0: the latest search. models[n_models], marked and named: x is n_layers_effective, y
 * decode_ns on the run's device. Errors: of page_draw; STATUS_NOT_FOUND (no run or no candidates).
 */
enum status plot_depth(struct store *store, int64_t run_id, const struct plot_model *models,
                       size_t n_models, const struct plot_options *options, struct err *err);

#endif
