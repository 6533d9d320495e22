/* Small symmetric positive definite systems, row-major [n, n]. */
#ifndef LATHE_QUALITY_CHOLESKY_H
#define LATHE_QUALITY_CHOLESKY_H

#include <stdbool.h>

/* A = L L': L takes the place of a's lower triangle; the upper one is not read. False: not positive
 * definite (a is then spoilt). */
bool cholesky_factor(int n, double *a);
/* b becomes A^-1 b. */
void cholesky_solve(int n, const double *factor, double *b);
/* out: [n, n], A^-1, symmetric to the bit. */
void cholesky_invert(int n, const double *factor, double *out);

#endif
