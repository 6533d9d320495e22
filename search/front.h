/* The Pareto front of candidates met one after another, and the best N by one objective.
 *
 * A candidate is on the front when no other is at least as good in every objective and better in
 * one; of candidates equal in all objectives only the first (lowest id) stays. Where a loss is an
 * objective, only candidates of one vocabulary are held against each other. A candidate of which the value
 * of an objective is unknown is on the front only where all are like that. The result does not
 * depend on the order of insertion. Source: Kung, Luccio, Preparata, "On finding the maxima of a
 * set of vectors", 1975. */
#ifndef LATHE_SEARCH_FRONT_H
#define LATHE_SEARCH_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "search/metric.h"

struct front {
    struct objectives objectives;
    size_t n, capacity;
    struct candidate *member; /* by ascending first objective; owned */
};
void front_init(struct front *front, const struct objectives *objectives);
/* Errors: STATUS_NOMEM, the front unchanged. */
enum status front_add(struct front *front, const struct candidate *candidate, struct err *err);
void front_release(struct front *front);

/* The N best by the first objective, ties by the others and then by id. */
struct top {
    struct objectives objectives;
    size_t n, limit;
    struct candidate *member; /* a heap, worst first; owned */
};
enum status top_init(struct top *top, const struct objectives *objectives, size_t limit,
                     struct err *err);
void top_add(struct top *top, const struct candidate *candidate);
void top_release(struct top *top);

#endif
