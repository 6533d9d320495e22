/* Tables of the quality verb. */
#ifndef LATHE_CLI_QUALITY_LISTING_H
#define LATHE_CLI_QUALITY_LISTING_H

#include "cli/listing.h"
#include "quality/next_runs.h"
#include "quality/paper_check.h"
#include "quality/splits.h"

/* Each fills an empty listing; release it. */
void list_quality_recipes(struct listing *listing, const struct quality_law *law);
void list_quality_coefficients(struct listing *listing, const struct quality_law *law);
/* Behind them those of a recipe without losses, which the prior speaks for. */
void list_quality_prior(struct listing *listing, const struct quality_law *law);
void list_quality_terms(struct listing *listing, const struct quality_law *law);
void list_quality_rows(struct listing *listing, const struct quality_runs *runs,
                       const struct quality_prediction *predictions);
void list_quality_pairs(struct listing *listing, const struct quality_law *law,
                        const struct quality_runs *runs,
                        const struct quality_prediction *predictions,
                        const struct quality_pairs *pairs);
void list_quality_comparisons(struct listing *listing, const struct quality_comparison *comparisons,
                              int n);
void list_quality_sweep(struct listing *listing, const struct quality_sweep *sweep);
void list_quality_next_runs(struct listing *listing, const struct quality_next_run *runs, int n);

/* What training a model costs, and training every depth of its size to see which is best. */
struct listed_cost {
    const char *model;
    double params, passed_params, train_tokens, train_flop, train_eflop;
    double utilisation_frac, gpu_hours, days;
    int64_t utilisation_outside, sweep_networks;
    double sweep_gpu_hours;
};
void quality_cost_columns(struct listing *listing);

/* Columns of marks, and a row of them: of a form (NULL: the stand-in) on a split (NULL: no such
 * column). */
void quality_mark_columns(struct listing *listing, bool has_split);
void list_quality_marks(struct listing *listing, const struct quality_form *form, const char *split,
                        const struct quality_marks *marks);

#endif
