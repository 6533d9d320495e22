/* What all cases of a problem (exact/exact_front.h) have in common: its checks, the costs of its
 * classes and the ranges of what stacks add up to. */
#ifndef LATHE_EXACT_STACK_WORK_H
#define LATHE_EXACT_STACK_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exact/exact_front.h"
#include "exact/pass_regions.h"
#include "exact/stack_costs.h"

struct stack_work {
    const struct stack_problem *problem;
    struct stack_costs costs;
    int n_choices;         /* classes, and the empty place as the last one if there is one */
    enum layer_kind *kind; /* [n_choices]; owned */
    bool is_used[N_STACK_QUANTITIES];    /* an objective or limited */
    bool uses_phase[2];                  /* by enum phase */
    struct byte_range pass[2], whole[2]; /* of the stacks of the problem */
    struct byte_range more_kv[2];        /* of all caches of each block but one */
    struct byte_range apart;             /* pass of decode less pass of prefill */
    struct byte_range params;            /* of the blocks */
    int64_t unit;          /* parameters of blocks are about multiples of it; 0: of nothing much */
    struct byte_range odd; /* what is left of them, of a whole stack, is less than the unit */
    int64_t *best_score;   /* [n_places]; owned; NULL: no scores */
    bool is_uneven;        /* uniform stacks are not looked for */
};
/* Errors: STATUS_INPUT, STATUS_RANGE, STATUS_NOMEM. Points inside itself. */
enum status stack_work_start(const struct stack_problem *problem, struct stack_work *out,
                             struct err *err);
void stack_work_end(struct stack_work *work);

#endif
