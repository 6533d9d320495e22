/* How well a law predicts rows that it was not fitted to. */
#ifndef LATHE_QUALITY_SPLITS_H
#define LATHE_QUALITY_SPLITS_H

#include <stdint.h>

#include "quality/marks.h"

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
