/* Ranges of a pass's bytes within which what a block costs does not change, or only where a cache
 * fades out.
 *
 * A cost steps where a reuse distance passes the end of a cache, and bends where a cache fades out.
 * Distances are the bytes of the pass, but for some bytes that follow from the block's class
 * (docs/method.md), so that the ends of the ranges are known before any stack is. Ranges are found
 * constant by their two ends: costs never fall as distances grow. */
#ifndef LATHE_EXACT_PASS_REGIONS_H
#define LATHE_EXACT_PASS_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exact/stack_costs.h"

struct byte_range {
    int64_t low, high;
};
struct pass_region {
    struct byte_range pass, whole; /* struct stack_place */
    /* Blocks cost here what they cost at its upper end, and nothing less beyond it. Else what
     * they cost has to be asked for each number of bytes. */
    bool is_constant;
};
struct pass_regions {
    int n;
    struct pass_region *region; /* owned */
};

/* Of the stacks whose pass, whole and caches (all but one of each block) lie in these ranges.
 * Errors: STATUS_NOMEM. */
enum status pass_regions_find(const struct stack_costs *costs, enum phase phase,
                              struct byte_range pass, struct byte_range whole,
                              struct byte_range more_kv, struct pass_regions *out, struct err *err);
void pass_regions_release(struct pass_regions *regions);

/* Times are kept as whole picoseconds, energies as whole femtojoules, so that sums do not depend on
 * their order. An energy that is not known is more than any that is. */
int64_t exact_ps(double ns);
int64_t exact_fj(double pj);

#endif
