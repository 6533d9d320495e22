/* Scores of layers by place, for the exact front (exact/exact_front.h): from a table, or from the
 * fitted ordering of stacks (quality/layer_score.h). Whole millionths; more is better. */
#ifndef LATHE_SEARCH_LAYER_SCORES_H
#define LATHE_SEARCH_LAYER_SCORES_H

#include <stdint.h>

#include "base/csv.h"
#include "base/status.h"
#include "model/stack_runs.h"
#include "quality/layer_score.h"
#include "search/space_frames.h"

/* A unit of a score. */
#define LAYER_SCORE_UNIT 1e-6

/* Heads and window that a layer's name leaves out: those of the first layers of the frame that have
 * them, no heads where the frame is one stack of many. */
struct stack_usual layer_scores_usual(const struct space_frame *frame);

/* A table with the columns place (0 = the first, or "all"), layer (a block as model/stack_runs.h
 * writes it, "F3/1536"; "-" is the empty place) and score (more is better) or loss (less is better:
 * what the network loses when this layer stands in this place, as Puzzle's replacement scores). A
 * row of a place goes before one of "all".
 * out: [n_places][n_classes + may_be_empty], as struct stack_problem takes it; memory_free. Errors:
 * STATUS_INPUT (a layer that the space does not have, a cell twice, a cell that is missing: named),
 * STATUS_RANGE, STATUS_NOMEM. */
enum status layer_scores_read(const struct csv *table, const struct space_frame *frame,
                              int64_t **out, struct err *err);

/* The ordering adds up over layers by their number, so that places must not be empty. Errors:
 * STATUS_UNSUPPORTED, STATUS_NOMEM. */
enum status layer_scores_of_law(const struct layer_score *law, const struct space_frame *frame,
                                int64_t **out, struct err *err);

#endif
