/* The candidates of a run, as far as a figure can show them: a few thousand points of millions.
 *
 * Everything is read in one or two passes by SQL; memory is bounded whatever the run's size. */
#ifndef LATHE_PLOTS_CANDIDATES_H
#define LATHE_PLOTS_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "db/query.h"
#include "db/store.h"

/* The candidates that a figure is about, and what it says about them. */
struct selection {
    int64_t run_id;        /* as found */
    int64_t n_candidates;  /* > 0 */
    struct text condition; /* SQL, on the view candidate_units */
    double interval_frac;  /* decode_ns_high / decode_ns - 1 of all of them; NaN: unknown */
    char subtitle[256];    /* "iphone-13, budget 125M, f16, 128 tokens of context" */
    char footnote[256];
};
/* The run's candidates with positive decode_ns and params_blocks.
 *   run_id          0: the latest search
 *   one_embedding   keep one vocabulary, tying and weight type (tied if there are any, then the
 *                   most frequent), so that equal parameters are equal in all but the blocks
 * Release with selection_release, also after an error. Errors: STATUS_NOT_FOUND (no run, no such
 * candidates), STATUS_NOMEM. */
enum status candidates_select(struct store *store, int64_t run_id, bool one_embedding,
                              struct selection *out, struct err *err);
void selection_release(struct selection *selection);
/* The slowest decode whose interval still overlaps that of `decode_ns`: what is faster than it
 * cannot be told apart from it. NaN when the interval is unknown. */
double selection_indistinct_ns(const struct selection *selection, double decode_ns);

/* SELECT `select` of the view candidate_units where `condition`, then `rest`. Errors: of query_each,
 * STATUS_NOMEM (also when the condition failed). */
enum status candidates_each(struct store *store, const char *select, const struct text *condition,
                            const char *rest, query_row_fn *row, void *context, struct err *err);

/* The fastest candidate near each depth (of depths within 10 % of one another), for each sharing
 * mode. */
struct depth_point {
    char mode[64]; /* "none", "immediate x2", "reverse, shared FFN" */
    int64_t n_layers_effective;
    double decode_ns;
    int64_t d_model;
};
/* Points ordered by mode (none first) and depth; *n of them, free with memory_free. Modes that
 * differ in their repeats alone are told apart while that makes no more than `most_modes`. */
enum status candidates_depth(struct store *store, const struct selection *selection, int most_modes,
                             struct depth_point **points, size_t *n, struct err *err);

#endif
