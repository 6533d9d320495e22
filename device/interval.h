/* How sure a prediction is: where nine of ten measurements would lie.
 *
 * From the errors that the machine's basis has had on rows it was not made from: error_p90_frac,
 * or 2.44 times error_median_frac where only that is known (a normal error's 90th percentile over
 * its median); at least what one run repeats to at best (1.645 times TIMING_NOISE_FRAC), since few
 * rows can agree by luck. The interval is ns / (1 + e) .. ns * (1 + e). A machine that nobody has
 * checked has none.
 *
 * What it cannot show: that errors of two candidates on one machine go the same way. Overlapping
 * intervals say that the order is not certain, not that it is a coin toss. */
#ifndef LATHE_DEVICE_INTERVAL_H
#define LATHE_DEVICE_INTERVAL_H

#include <stdbool.h>

#include "device/machine.h"

/* Least noise of a timing: what one run repeats to at best. A row may claim more, not less. */
#define TIMING_NOISE_FRAC 0.01

/* e; NaN: unknown. */
double interval_frac(const struct machine *machine);
double interval_low(double ns, double frac);  /* NaN when frac is */
double interval_high(double ns, double frac); /* NaN when frac is */
/* False when either is unknown. */
bool intervals_overlap(double a_low, double a_high, double b_low, double b_high);

#endif
