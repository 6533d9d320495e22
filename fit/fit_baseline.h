/* What one would use without lathe: bytes over bandwidth, with or without a cost per layer.
 *
 * Least squares of relative errors, both costs >= 0. The caller says how many bytes a decode reads.
 * Each type has a bandwidth of its own; the cost of a layer is one for all types. */
#ifndef LATHE_FIT_FIT_BASELINE_H
#define LATHE_FIT_FIT_BASELINE_H

#include "fit/fit.h"

/* A decode. */
struct baseline_sample {
    enum dtype dtype; /* of the blocks */
    double bytes, layers;
    double ns; /* > 0; not read by fit_baseline_ns */
};

struct fit_baseline {
    double ns_per_byte[N_DTYPES]; /* 0: not in the samples */
    double layer_ns;
};
/* Errors: STATUS_NOMEM. */
enum status fit_baseline(const struct baseline_sample *samples, size_t n, bool with_layers,
                         struct fit_baseline *out, struct err *err);
/* NaN for a type that was not in the samples. */
double fit_baseline_ns(const struct fit_baseline *baseline, const struct baseline_sample *sample);

/* The same for rows; a decode reads the bytes that fit_sum_row counts. A row without a decode is
 * left out and not predicted (NaN). */
enum status fit_baseline_of_rows(const struct fit_row *const *rows, int n_rows, bool with_layers,
                                 struct fit_baseline *out, struct err *err);
double fit_baseline_predict(const struct fit_baseline *baseline, const struct fit_row *row);

#endif
