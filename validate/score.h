/* Scores: how far predictions lie from what was measured, and whether they rank as it does. */
#ifndef LATHE_VALIDATE_SCORE_H
#define LATHE_VALIDATE_SCORE_H

#include <stdbool.h>

#include "validate/validate.h"

/* Trials that timed a decode, or all, by falling error (a decode's, else a prompt's) into order:
 * [n_trials]; returns how many. */
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
    double
        single_floor;  /* median over trials of two rounds or more of a single round's distance from
                            the mean; NaN without any, and so the two below */
    double mean_floor; /* the same of means over the rounds, were rounds independent */
    double within_floor_10; /* share whose error is at most single_floor + 0.1 */
    double spearman, kendall;
    int n_groups;                       /* whose spread exceeds the noise of means */
    double group_spearman, group_worst; /* median and least over these; NaN without any */
    int n_ordered; /* of these, whose single rounds tell the order (validation_group_order) */
    double ordered_worst; /* least over them; NaN without any */
    int n_pairs; /* of one group, further apart than two standard errors of the difference */
    double pairs_in_order; /* share of these; NaN without any */
};
/* predicted: [n_trials]; NaN: not predicted, left out. Errors: STATUS_NOMEM. */
enum status validation_summarise(const struct validation *v, enum validation_phase phase,
                                 const double *predicted, struct validation_summary *out,
                                 struct err *err);

/* How far a group has an order: Spearman of a single round with the mean of the others, median over
 * rounds. What no round tells above VALIDATION_ORDERED is no order that a prediction could miss.
 * NaN below three trials or rounds. */
#define VALIDATION_ORDERED 0.95
double validation_group_order(const struct validation *v, enum validation_phase phase, int group);

#endif
