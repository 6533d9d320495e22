/* Which bounds of a search its front lies on, and the search with one of them loosened.
 *
 * A bound is an end of the budget, an upper or lower limit of the filter, or an end of an axis of the
 * space that has several values. A candidate lies on an end of the budget or on a limit within
 * BINDING_NEAR_FRAC of it, on an end of an axis where it has that value. */
#ifndef LATHE_SEARCH_BINDING_H
#define LATHE_SEARCH_BINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/quantity.h"
#include "search/metric.h"
#include "search/space.h"

#define BINDING_NEAR_FRAC  0.005
#define BINDING_LOOSE_FRAC 0.05

enum bound_kind {
    BOUND_MOST_PARAMS,
    BOUND_LEAST_PARAMS,
    BOUND_CONDITION,
    BOUND_MOST_LAYERS,
    BOUND_LEAST_LAYERS,
    BOUND_WIDEST,
    BOUND_NARROWEST,
};

struct binding {
    enum bound_kind kind;
    int condition;          /* of the filter, for BOUND_CONDITION */
    double value, loosened; /* loosened: NaN where there is nothing beyond it to search */
    size_t n_on_it;         /* candidates of the front, > 0 */
};
enum { MAX_BINDINGS = MAX_CONDITIONS + 6 };

/* What bounds a search. */
struct bounds {
    struct budget budget;
    struct filter filter;
    struct space space;
};

/* front: [n]; out: [MAX_BINDINGS]. Returns how many bounds the front lies on. */
int bindings_find(const struct bounds *bounds, const struct candidate *front, size_t n,
                  struct binding *out);
bool binding_holds(const struct bounds *bounds, const struct binding *binding,
                   const struct candidate *candidate);
/* Loosens one bound that has something beyond it, by BINDING_LOOSE_FRAC of its value, or by a layer
 * where that is more. */
void binding_loosen(const struct binding *binding, struct bounds *bounds);

#endif
