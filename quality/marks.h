/* How near a law's predictions are to the losses, row by row and pair by pair.
 *
 * Pairs are rows of one recipe at the same tokens (2 %) and the same budget (12 %), of all
 * parameters or of those in blocks: the comparison that a search makes. */
#ifndef LATHE_QUALITY_MARKS_H
#define LATHE_QUALITY_MARKS_H

#include "quality/law_interval.h"
#include "quality/runs.h"

struct quality_pair {
    size_t a, b; /* rows, a before b */
    bool equal_total, equal_blocks;
};

struct quality_pairs {
    struct quality_pair *items;
    size_t n, capacity;
};

/* Pairs among the rows for which `judged` (NULL: all) and whose tokens are known. Release with
 * quality_pairs_release. Errors: STATUS_NOMEM. */
enum status quality_pairs_of(const struct quality_run *runs, const bool *judged, size_t n,
                             struct quality_pairs *out, struct err *err);
void quality_pairs_release(struct quality_pairs *pairs);

struct quality_pair_marks {
    int n, n_apart;      /* pairs; those whose losses are more than 0.01 nats apart */
    double order_frac;   /* of n_apart predicted in the right order */
    double cover_frac;   /* of n in the 90 % interval */
    double decided_frac; /* of n beyond their interval and 0.01 nats */
    double right_frac;   /* of those decided */
};

/* NaN where there is nothing to count. */
struct quality_marks {
    int n;                                   /* rows with a loss */
    double error_frac;                       /* mean |ln predicted - ln loss| */
    double cover_frac;                       /* of rows in their 90 % interval */
    double half_frac;                        /* mean half width */
    struct quality_pair_marks total, blocks; /* by which budget is equal */
};

/* law NULL: the stand-in, parameters in blocks, which only orders.
 * predictions: [n], of rows with tokens; NULL with the stand-in. */
void quality_mark(const struct quality_law *law, const struct quality_prediction *predictions,
                  const struct quality_run *runs, const bool *judged, size_t n,
                  const struct quality_pairs *pairs, struct quality_marks *out);

#endif
