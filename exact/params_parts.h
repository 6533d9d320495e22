/* The budget of a problem (exact/exact_front.h) as ranges of sums.
 *
 * Parameters are counted in units where nothing else decides about the budget: far fewer keys. What is
 * odd about norms matters only within a unit of the budget's ends, where they are counted one by one. */
#ifndef LATHE_EXACT_PARAMS_PARTS_H
#define LATHE_EXACT_PARAMS_PARTS_H

#include "exact/stack_work.h"

/* Stacks by their parameters: the sums of params / unit in a range. */
struct params_part {
    int64_t unit; /* 0: whatever their parameters */
    struct byte_range range;
};

/* Every stack within the budget is in one of the parts. Returns how many there are. */
enum { MAX_PARAMS_PARTS = 3 };
int params_parts(const struct stack_work *work, struct params_part parts[MAX_PARAMS_PARTS]);

#endif
