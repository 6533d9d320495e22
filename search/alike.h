/* Candidates that cannot be told apart, in decode or in loss, and those that are outdone.
 *
 * Two are alike when the intervals of their decode overlap, and their losses differ by less than the
 * half width of the difference or than 0.01 nats (quality_compare). That is not transitive: a listing
 * is cut into groups from its start, each row being held against the first of its group only, and the
 * first that can be told from it begins the next. So a group has one row that speaks for it, and its
 * other rows may well be told from each other.
 *
 * Rows that decode like the fastest of them, as far as anyone can tell, are a step; the next begins
 * with the fastest that is left. A row is outdone when the lowest loss of its step is lower beyond
 * doubt: its decode overlaps with that of the row that outdoes it, too, since it lies between the
 * fastest's and that. Each step keeps its lowest loss, so a list without the outdone begins as fast as
 * can be told, and holds for every row that it leaves out one that is as fast and better. Rows of two
 * steps are never held against each other: a chain of small steps, each worth its time, would leave
 * the slow end alone.
 *
 * Of a device whose error nobody knows, and of networks without a loss, nothing is alike and nothing
 * is outdone. */
#ifndef LATHE_SEARCH_ALIKE_H
#define LATHE_SEARCH_ALIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quality/law_interval.h"

#define ALIKE_NONE SIZE_MAX

/* What is compared of a row. */
struct alike_row {
    double decode_ns_low, decode_ns_high; /* NaN: unknown */
    bool has_loss;
    double vocab;                   /* losses of two are never compared */
    struct quality_prediction loss; /* all of one law, recipe and tokens */
};

struct alike_place {
    size_t group; /* 0, 1, ...; ALIKE_NONE: left out */
    size_t first; /* row that the group begins with; ALIKE_NONE: left out */
    double
        loss_better_probability; /* that the row's loss is below the first's; NaN: the first itself,
                                       or unknown */
};

/* rows: [n], in the order of the listing; outdone_by: [n], of alike_outdone: those that are outdone are
 * left out (NULL: none); places: [n], out. Returns the number of groups. */
size_t alike_group(const struct quality_law *law, const struct alike_row *rows, size_t n,
                   const size_t *outdone_by, struct alike_place *places);

/* by: [n], out: the row that outdoes this one, which nothing outdoes; ALIKE_NONE: nothing. The order
 * of the rows does not matter but for ties. Returns how many are outdone. For fronts: n^2 comparisons
 * of decode. */
size_t alike_outdone(const struct quality_law *law, const struct alike_row *rows, size_t n,
                     size_t *by);

#endif
