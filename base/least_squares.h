/* Small least squares with a Gaussian prior and coefficients that are at least 0. Minimises
 *
 *   sum_i rho((x_i . theta - y_i) / sigma_i) + sum_j ((theta_j - mean_j) / scale_j)^2 / 2
 *
 * over theta >= 0. rho is r^2 / 2 or, with a finite threshold, Huber's: linear beyond it. The
 * quadratic part is solved exactly by the active set of Lawson and Hanson (Solving Least Squares
 * Problems, 1974, chapter 23), Huber's by reweighting.
 *
 * What it cannot do: correlated noise, bounds other than zero, more than MAX_LEAST_SQUARES_TERMS
 * coefficients. It solves the normal equations with scaled columns, so it cannot tell columns apart
 * that agree to eight digits. */
#ifndef LATHE_BASE_LEAST_SQUARES_H
#define LATHE_BASE_LEAST_SQUARES_H

#include <stddef.h>

#include "base/status.h"

enum { MAX_LEAST_SQUARES_TERMS = 80 };

struct least_squares {
    int n_terms; /* 1 .. MAX_LEAST_SQUARES_TERMS */
    size_t n_rows;
    const double *x;     /* [n_rows, n_terms] */
    const double *y;     /* [n_rows] */
    const double *sigma; /* [n_rows], > 0: standard deviation of a row's error */
    /* [n_terms]. A scale of INFINITY: no prior. A mean of 0: the prior is half a Gaussian. */
    const double *prior_mean, *prior_scale;
    double huber; /* threshold in sigmas, > 0; INFINITY: plain squares */
};

/* theta: [n_terms], out. A coefficient that neither rows nor prior determine is 0. Where only the
 * sum of some is determined, it is the solution of least size. Errors: STATUS_NOMEM, STATUS_RANGE
 * (a number that is not finite). */
enum status least_squares_solve(const struct least_squares *problem, double *theta,
                                struct err *err);

#endif
