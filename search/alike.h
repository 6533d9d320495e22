/* Candidates that cannot be told apart, in decode or in loss.
 *
 * Two are alike when the intervals of their decode overlap, and their losses differ by less than the
 * half width of the difference or than 0.01 nats (quality_compare). That is not transitive: a listing
 * is cut into groups from its start, each row being held against the first of its group only, and the
 * first that can be told from it begins the next. So a group has one row that speaks for it, and its
 * other rows may well be told from each other.
 *
 * Of a device whose error nobody knows, and of networks without a loss, nothing is alike. */
#ifndef LATHE_SEARCH_ALIKE_H
#define LATHE_SEARCH_ALIKE_H

#include <stdbool.h>
#include <stddef.h>

#include "quality/law_interval.h"

/* What is compared of a row. */
struct alike_row {
    double decode_ns_low, decode_ns_high; /* NaN: unknown */
    bool has_loss;
    double vocab;                   /* losses of two are never compared */
    struct quality_prediction loss; /* all of one law, recipe and tokens */
};

struct alike_place {
    size_t group; /* 0, 1, ... */
    size_t first; /* row that the group begins with */
    double
        loss_better_probability; /* that the row's loss is below the first's; NaN: the first itself,
                                       or unknown */
};

/* rows: [n], in the order of the listing; places: [n], out. Returns the number of groups. */
size_t alike_group(const struct quality_law *law, const struct alike_row *rows, size_t n,
                   struct alike_place *places);

#endif
