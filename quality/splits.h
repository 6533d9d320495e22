/* How well a law predicts rows that it was not fitted to.
 *
 * Pairs are rows of one recipe at the same tokens (2 %) and the same budget (12 %), of all
 * parameters or of those in blocks: the comparison that a search makes. */
#ifndef LATHE_QUALITY_SPLITS_H
#define LATHE_QUALITY_SPLITS_H

#include <stdint.h>

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

enum { MAX_QUALITY_SPLITS = 32 };

struct quality_split {
    char name[64];
    struct quality_marks marks;
};

/* The table of splits: kept back (larger, longer, other recipes), by recipe; larger, longer and
 * shorter only; one shape left out; each recipe left out but for three of its runs. What is drawn
 * is drawn from `seed`.
 *   runs  as read from data/quality
 *   form  NULL: the stand-in
 *   splits  [MAX_QUALITY_SPLITS], out; returns their number in *n_splits
 * Errors: of quality_fit. */
enum status quality_splits(const struct quality_runs *runs, const struct quality_form *form,
                           uint64_t seed, struct quality_split *splits, int *n_splits,
                           struct err *err);

/* kept: [runs->n], out: Gemstones over 300M or beyond 50.5e9 tokens, Morph's rows over 100 tokens a
 * parameter or 500M, misfitting's over 250M, steplaw's over 1e9 or beyond 60e9 tokens. */
void quality_kept_back(const struct quality_runs *runs, bool *kept);

/* Fits all rows that are not judged and marks those that are. */
enum status quality_judge(const struct quality_runs *runs, const struct quality_form *form,
                          const bool *left_out, const bool *judged, struct quality_marks *out,
                          struct err *err);

#endif
