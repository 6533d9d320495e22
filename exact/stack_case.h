/* One case of a problem (exact/exact_front.h): what is left is a sum over blocks. */
#ifndef LATHE_EXACT_STACK_CASE_H
#define LATHE_EXACT_STACK_CASE_H

#include "base/status.h"
#include "exact/exact_front.h"
#include "exact/pass_regions.h"
#include "exact/stack_dp.h"
#include "exact/stack_work.h"

/* Stacks whose passes lie in these regions (where their phase is used) and whose blocks' widest
 * activations take at most so many bytes. */
struct stack_case {
    struct pass_region region[2];
    int64_t widest_bytes;
};
/* Calls found for the stacks of the case that nothing of the case beats: their choices, and the
 * objectives, the score negative. Errors: found's, those of stack_dp_run. */
enum status stack_case_run(const struct stack_work *work, const struct stack_case *of,
                           stack_dp_found *found, void *user, struct err *err);

#endif
