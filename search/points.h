/* Fronts and tops of points: what is kept of candidates that have no row. The rules are those of
 * search/front.h, on scores (less is better) instead of candidates.
 *
 * With one or two objectives a front is a staircase: sorted by the first objective, the second only
 * falls. So whether a point is beaten is one binary search. */
#ifndef LATHE_SEARCH_POINTS_H
#define LATHE_SEARCH_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "search/metric.h"

struct point {
    int64_t id;
    double score[MAX_OBJECTIVES]; /* never NaN */
};

/* Points that are all comparable. */
struct point_front {
    int n_objectives;
    size_t n, capacity;
    struct point *point; /* by scores in their order, then id; owned */
};
void point_front_init(struct point_front *front, int n_objectives);
void point_front_release(struct point_front *front);
/* A point with these scores and an id from `id` on is on no front that has these points. */
bool point_front_beats(const struct point_front *front, const double *score, int64_t id);
/* Of a front with points: no score of them is INFINITY, unknown. Else one of each is. */
bool point_front_is_known(const struct point_front *front);
/* Adding a point again changes nothing. Errors: STATUS_NOMEM, the front unchanged. */
enum status point_front_add(struct point_front *front, const struct point *point, struct err *err);
/* Errors: STATUS_NOMEM. */
enum status point_front_merge(struct point_front *front, const struct point_front *other,
                              struct err *err);

/* The `limit` best by scores in their order, then id. */
struct point_top {
    int n_objectives;
    size_t n, capacity, limit;
    struct point *point; /* a heap, worst first; owned */
};
void point_top_init(struct point_top *top, int n_objectives, size_t limit);
void point_top_release(struct point_top *top);
/* Nothing with a first score above this gets in; INFINITY: anything may. */
double point_top_worst(const struct point_top *top);
/* Errors: STATUS_NOMEM. */
enum status point_top_add(struct point_top *top, const struct point *point, struct err *err);

#endif
