/* Scores: how far predictions lie from what was measured, and whether they rank as it does. */
#ifndef LATHE_VALIDATE_SCORE_H
#define LATHE_VALIDATE_SCORE_H

#include <stdbool.h>

#include "validate/validate.h"

/* Trials that timed a decode, or all, worst first: by the error of the decode, else of the prompt.
 * order: [n_trials], out. Returns how many. */
int validation_worst_first(const struct validation *v, bool all, int *order);

/* Of |predicted / measured - 1| of lathe's decodes; NaN when n is 0. */
struct validation_errors {
    int n;
    double median_frac, p90_frac;
};
/* Errors: STATUS_NOMEM. */
enum status validation_errors(const struct validation *v, struct validation_errors *out,
                              struct err *err);

enum validation_phase {
    VALIDATE_DECODE,
    VALIDATE_PREFILL,
};
/* NaN: this trial did not time the phase. */
double validation_measured(const struct validation *v, enum validation_phase phase, int trial);

/* Of a clock in a phase, all shares 0..1. */
struct validation_summary {
    int n;
    double median, mean, p95; /* of |predicted / measured - 1| */
    double bias;              /* median of predicted / measured - 1 */
    double within_5, within_10;
    /* The noise: how far a single round lies from the mean, median over trials with two rounds or
     * more. NaN without any, and so are the two below. */
    double single_floor;
    double mean_floor;      /* noise of the means over rounds, if rounds are independent */
    double within_floor_10; /* share whose error is at most single_floor + 0.1 */
    double spearman, kendall;
    /* Groups whose spread exceeds the noise of means: their number, median and least Spearman (NaN
     * without any). */
    int n_groups;
    double group_spearman, group_worst;
    /* Those of them that have an order (validation_group_order): number and least Spearman
     * (NaN without any). */
    int n_ordered;
    double ordered_worst;
    /* Pairs of one group that differ by more than two standard errors of the difference: number,
     * and share in the right order (NaN without any). */
    int n_pairs;
    double pairs_in_order;
};
/* predicted: [n_trials]; NaN: not predicted, left out. Errors: STATUS_NOMEM. */
enum status validation_summarise(const struct validation *v, enum validation_phase phase,
                                 const double *predicted, struct validation_summary *out,
                                 struct err *err);

/* How repeatable a ranking is: Spearman of one round with the mean of the others, median over
 * rounds. Below VALIDATION_ORDERED the machine does not repeat its own order, so predictions are
 * not judged on it. NaN for fewer than three trials or rounds. */
#define VALIDATION_ORDERED 0.95
double validation_group_order(const struct validation *v, enum validation_phase phase, int group);

#endif
