/* The hypervolume of a set of points: what they dominate, up to a reference point. All is minimised.
 *
 * One objective is a length, two are swept, more are cut into slices along the last one (While et al., A
 * faster algorithm for calculating hypervolume, IEEE Transactions on Evolutionary Computation 10, 2006):
 * n log n for two, n^2 log n for three. */
#ifndef LATHE_SEARCH_HYPERVOLUME_H
#define LATHE_SEARCH_HYPERVOLUME_H

#include <stddef.h>

#include "base/status.h"

enum { MAX_HYPERVOLUME_OBJECTIVES = 6 };

/* Points that do not lie below the reference in every objective add nothing.
 *   point      [n][n_objectives]
 *   reference  [n_objectives]
 * Errors: STATUS_NOMEM. */
enum status hypervolume(const double *point, size_t n, int n_objectives, const double *reference,
                        double *out, struct err *err);

#endif
