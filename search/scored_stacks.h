/* A table of whole stacks with the score of each, as somebody trained or measured them: what a
 * predictor is where it can only say what it has. The front is of the table's stacks that the space
 * has, inside budget, rules and limits.
 *
 * Columns: stack (model/stack_runs.h: "12F3/1536 8W1/768"; as lathe lists it), score (the more the
 * better) or loss (the less the better), and where a space has several of one, d_model, d_head,
 * vocab_size or tie_embeddings (0 or 1) to say which network of the space a row is of. */
#ifndef LATHE_SEARCH_SCORED_STACKS_H
#define LATHE_SEARCH_SCORED_STACKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/csv.h"
#include "base/status.h"
#include "exact/exact_front.h"
#include "search/space_frames.h"

struct scored_stacks {
    const struct csv *table; /* borrowed */
    int stack, value;        /* columns */
    double sign;
    bool *is_taken;  /* [rows]: a network of the space has it; owned */
    size_t n_taken;  /* of the rows */
    size_t n_priced; /* of these, inside budget and rules */
};
/* Errors: STATUS_INPUT (a column is missing), STATUS_NOMEM. */
enum status scored_stacks_start(const struct csv *table, struct scored_stacks *out,
                                struct err *err);
void scored_stacks_end(struct scored_stacks *stacks);

/* The text of the first row that no frame so far has; NULL: all are taken. */
const char *scored_stacks_left(const struct scored_stacks *stacks);

/* The front of those rows that are stacks of the frame, whose problem this is. Errors: STATUS_INPUT
 * (a number that is none, a row that two frames have),
 * STATUS_NOT_FOUND (no row is a stack of it inside budget, rules and limits), STATUS_INTERRUPTED,
 * STATUS_NOMEM. */
enum status scored_stacks_front(struct scored_stacks *stacks, const struct space_frame *frame,
                                const struct stack_problem *problem, struct stack_front *out,
                                struct err *err);

#endif
