/* What one would use without lathe: bytes over bandwidth, with or without a cost per layer. */
#ifndef LATHE_FIT_FIT_BASELINE_H
#define LATHE_FIT_FIT_BASELINE_H

#include "fit/fit.h"

struct fit_baseline {
    double ns_per_byte[N_DTYPES]; /* by the type of the blocks; 0: not in the rows */
    double layer_ns;
};

/* Bytes are all that a decode reads, cache included. without layers: the median of time over bytes
 * for each type; with: least squares of relative errors, both costs >= 0. Errors: STATUS_NOMEM. */
enum status fit_baseline(const struct fit_row *const *rows, int n_rows, bool with_layers,
                         struct fit_baseline *out, struct err *err);
/* NaN for a type that was not in the rows. */
double fit_baseline_predict(const struct fit_baseline *baseline, const struct fit_row *row);

#endif
