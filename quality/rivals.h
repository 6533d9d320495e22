/* Published forms of the law of loss, to be fitted to the same rows by the same code
 * (quality/law_fit.h): their exponents and relative amplitudes of shape are shared, E, A, B and
 * beta are each recipe's own, priors are wide. That is kinder to them than their papers were.
 *
 * Chinchilla (arXiv 2203.15556), Gemstones' width-depth-parameter law (2502.06857), Nemotron-Flash's
 * sum of width and depth (2511.18890, equation 1), Morph's factor of aspect (2501.18107, one
 * exponent for all as in its script). */
#ifndef LATHE_QUALITY_RIVALS_H
#define LATHE_QUALITY_RIVALS_H

#include "quality/law.h"

enum { N_QUALITY_RIVALS = 4 };

extern const struct quality_form *const quality_rivals[N_QUALITY_RIVALS];

#endif
