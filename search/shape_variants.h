/* What an enumerated shape leaves open: tying, schedule and depth.
 *
 * A variant is a pair of tying and schedule, in canonical order, with the depths that the budget
 * allows it. */
#ifndef LATHE_SEARCH_SHAPE_VARIANTS_H
#define LATHE_SEARCH_SHAPE_VARIANTS_H

#include "search/enumerate.h"

/* Depth enters the parameter count linearly: total = fixed + n_layers * per_layer. */
struct linear_count {
    int64_t fixed, per_layer;
};

/* The depths whose count is inside the budget and the space: low .. high, empty when low > high. */
struct depths {
    int64_t low, high;
};

struct variant {
    bool tie_embeddings;
    const struct schedule *schedule;
    struct depths depths;
    struct linear_count count;
};

/* The network of a shape, one layer deep. */
void shape_transformer(const struct space *space, const struct shape *shape,
                       struct transformer *net);
/* The depths inside the space and the budget. */
struct depths depths_within(const struct space *space, const struct budget *budget,
                            struct linear_count count);
/* Variant `index` (0, 1, ...) of a shape, whose network `net` is; false: there are no more. Leaves
 * schedule and tying of `net` as it likes. */
bool shape_variant(const struct space *space, const struct budget *budget, struct transformer *net,
                   int index, struct variant *out);

#endif
