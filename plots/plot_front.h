/* Kind 'front': decode latency against parameters in blocks. These stand in for quality, which is
 * not predicted: blocks are what learns, embeddings cost memory and add little. All candidates are
 * a cloud, the best of them a line; published models have their names. */
#ifndef LATHE_PLOTS_PLOT_FRONT_H
#define LATHE_PLOTS_PLOT_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "db/store.h"
#include "plots/plot_options.h"

/* run_id 0: the latest search. models[n_models]: x is params_blocks, y decode_ns on the run's
 * device. Errors: of page_draw; STATUS_NOT_FOUND (no run or no candidates). */
enum status plot_front(struct store *store, int64_t run_id, const struct plot_model *models,
                       size_t n_models, const struct plot_options *options, struct err *err);

#endif
