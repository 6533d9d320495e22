#include "fit/fit_baseline.h"

#include <math.h>

#include "base/least_squares.h"
#include "base/memory.h"

/* What a row's decode reads, cache included, and the layers that it runs. False: it has no decode or
 * cannot be listed. */
static bool sample_of(const struct fit_row *row, struct baseline_sample *out)
{
    struct fit_sums sums;
    if (isnan(row->decode_ns) || fit_sum_row(row, FIT_DECODE, &sums, NULL) != STATUS_OK)
        return false;
    *out = (struct baseline_sample){.dtype = row->net.block_dtype,
                                    .bytes = sums.all_bytes,
                                    .layers = sums.layers,
                                    .ns = row->decode_ns};
    return true;
}

/* The minimum of sum (c bytes / ns - 1)^2. */
static void fit_bytes(const struct baseline_sample *samples, size_t n, struct fit_baseline *out)
{
    double sum[N_DTYPES] = {0}, squares[N_DTYPES] = {0};
    for (size_t i = 0; i < n; i++) {
        double bytes = samples[i].bytes / samples[i].ns;
        sum[samples[i].dtype] += bytes;
        squares[samples[i].dtype] += bytes * bytes;
    }
    for (int type = 0; type < N_DTYPES; type++)
        out->ns_per_byte[type] = squares[type] > 0 ? sum[type] / squares[type] : 0;
}

static enum status fit_bytes_and_layers(const struct baseline_sample *samples, size_t n,
                                        struct fit_baseline *out, struct err *err)
{
    enum { N = N_DTYPES + 1 };
    double mean[N] = {0}, scale[N], theta[N];
    double *x = memory_new(n * (N + 1) + 1, sizeof *x), *ns = x == NULL ? NULL : x + n * N;
    if (x == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (int j = 0; j < N; j++)
        scale[j] = INFINITY;
    for (size_t i = 0; i < n; i++) {
        x[i * N + samples[i].dtype] = samples[i].bytes;
        x[i * N + N_DTYPES] = samples[i].layers;
        ns[i] = samples[i].ns;
    }
    const struct least_squares problem = {.n_terms = N,
                                          .n_rows = n,
                                          .x = x,
                                          .y = ns,
                                          .sigma = ns,
                                          .prior_mean = mean,
                                          .prior_scale = scale,
                                          .huber = INFINITY};
    enum status status = least_squares_solve(&problem, theta, err);
    for (int type = 0; type < N_DTYPES && status == STATUS_OK; type++)
        out->ns_per_byte[type] = theta[type];
    if (status == STATUS_OK)
        out->layer_ns = theta[N_DTYPES];
    memory_free(x);
    return status;
}

enum status fit_baseline(const struct baseline_sample *samples, size_t n, bool with_layers,
                         struct fit_baseline *out, struct err *err)
{
    *out = (struct fit_baseline){0};
    if (with_layers)
        return fit_bytes_and_layers(samples, n, out, err);
    fit_bytes(samples, n, out);
    return STATUS_OK;
}

double fit_baseline_ns(const struct fit_baseline *baseline, const struct baseline_sample *sample)
{
    double ns_per_byte = baseline->ns_per_byte[sample->dtype];
    return ns_per_byte > 0 ? sample->bytes * ns_per_byte + sample->layers * baseline->layer_ns
                           : NAN;
}

enum status fit_baseline_of_rows(const struct fit_row *const *rows, int n_rows, bool with_layers,
                                 struct fit_baseline *out, struct err *err)
{
    size_t n = 0;
    struct baseline_sample *samples = memory_new((size_t)n_rows, sizeof *samples);
    *out = (struct fit_baseline){0};
    if (samples == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (int i = 0; i < n_rows; i++)
        n += sample_of(rows[i], &samples[n]);
    enum status status = fit_baseline(samples, n, with_layers, out, err);
    memory_free(samples);
    return status;
}

double fit_baseline_predict(const struct fit_baseline *baseline, const struct fit_row *row)
{
    struct baseline_sample sample;
    return sample_of(row, &sample) ? fit_baseline_ns(baseline, &sample) : NAN;
}
