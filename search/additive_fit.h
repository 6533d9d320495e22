/* The sum over places that is nearest to what was seen of stacks: one effect of a choice wherever it
 * stands, and one of a choice in a place.
 *
 * Ridge least squares (Hoerl and Kennard, Technometrics 12, 1970), solved by conjugate gradients, since a
 * stack has two non-zero terms a place. How far effects are drawn to 0 is what predicts every fifth row
 * best from the others. */
#ifndef LATHE_SEARCH_ADDITIVE_FIT_H
#define LATHE_SEARCH_ADDITIVE_FIT_H

#include <stddef.h>

#include "base/status.h"

struct additive_fit {
    int n_places, n_choices;
    double mean;
    double *effect; /* [n_places][n_choices]; owned */
    /* Of the variance of the rows left out, what the others said about it; can be below 0. NaN: too
     * few rows. */
    double explained_frac;
};
/*   choice  [n][n_places]
 *   y       [n], finite
 * Errors: STATUS_NOMEM. */
enum status additive_fit_make(const int *choice, const double *y, size_t n, int n_places,
                              int n_choices, struct additive_fit *out, struct err *err);
double additive_fit_value(const struct additive_fit *fit, const int *choice);
void additive_fit_release(struct additive_fit *fit);

#endif
