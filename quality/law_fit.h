/* A law's coefficients from losses: damped Gauss-Newton on the law itself (Levenberg-Marquardt),
 * Huber's loss on ln(predicted / given), a Gaussian prior, and the posterior's covariance.
 *
 *   sum_i rho((ln L_i - ln loss_i) / sigma_i) + (theta - mean)' P (theta - mean) / 2
 *   sigma_i = 0.003 sqrt(1 + (1e9 / T)^2) / sqrt((1 + (k - 1) / 4) / k)     k rows of its run
 *
 * base/least_squares.h cannot do it: it is linear, keeps coefficients above zero and gives no
 * covariance. */
#ifndef LATHE_QUALITY_LAW_FIT_H
#define LATHE_QUALITY_LAW_FIT_H

#include "quality/runs.h"

enum { QUALITY_MIN_TOKENS = 1000000000 }; /* below, losses lie under the law: not fitted */

/* Fits rows with a loss (or accuracy) and at least QUALITY_MIN_TOKENS.
 *   base  NULL: the form's own prior, and recipes in alphabetical order. Else its coefficients and
 *         covariance are the prior, its recipes and their ranges stay, and recipes that it does not
 *         know are added with the form's prior. May be `law` itself.
 *   used  [n] whether a row counts; NULL: all
 *   law   out, but constants, name, held-out errors and score per layer stay as they are in it, and
 *         `form` too when there is no base
 * A recipe that has accuracies only gets the level that the prior gives its rows, and its interval.
 * Errors: STATUS_NOMEM; STATUS_RANGE for too many recipes; STATUS_INPUT when no row is left. */
enum status quality_fit(const struct quality_run *runs, const bool *used, size_t n,
                        const struct quality_law *base, struct quality_law *law, struct err *err);

#endif
