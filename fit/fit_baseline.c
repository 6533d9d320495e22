#include "fit/fit_baseline.h"

#include <math.h>

#include "base/least_squares.h"
#include "base/memory.h"
#include "base/stats.h"

/* 0 for a row that has no decode or cannot be listed. */
static double bytes_of(const struct fit_row *row, double *layers)
{
    struct fit_sums sums;
    if (isnan(row->decode_ns) || fit_sum_row(row, FIT_DECODE, &sums, NULL) != STATUS_OK)
        return 0;
    *layers = sums.layers;
    return sums.all_bytes;
}

static void medians(const struct fit_row *const *rows, int n_rows, double *scratch,
                    struct fit_baseline *out)
{
    for (int type = 0; type < N_DTYPES; type++) {
        size_t n = 0;
        double layers;
        for (int i = 0; i < n_rows; i++)
            if (rows[i]->net.block_dtype == (enum dtype)type && bytes_of(rows[i], &layers) > 0)
                scratch[n++] = rows[i]->decode_ns / bytes_of(rows[i], &layers);
        out->ns_per_byte[type] = n == 0 ? 0 : stats_median(scratch, n);
    }
}

static enum status with_a_cost_per_layer(const struct fit_row *const *rows, int n_rows,
                                         double *scratch, struct fit_baseline *out, struct err *err)
{
    enum { N = N_DTYPES + 1 };
    double mean[N] = {0}, scale[N], theta[N];
    double *y = scratch, *sigma = scratch + n_rows, *x = scratch + 2 * (size_t)n_rows;
    size_t n = 0;
    for (int j = 0; j < N; j++)
        scale[j] = INFINITY;
    for (int i = 0; i < n_rows; i++) {
        double layers, bytes = bytes_of(rows[i], &layers);
        if (bytes <= 0)
            continue;
        for (int j = 0; j < N; j++)
            x[n * N + (size_t)j] = 0;
        x[n * N + rows[i]->net.block_dtype] = bytes;
        x[n * N + N_DTYPES] = layers;
        y[n] = sigma[n] = rows[i]->decode_ns;
        n++;
    }
    const struct least_squares problem = {.n_terms = N,
                                          .n_rows = n,
                                          .x = x,
                                          .y = y,
                                          .sigma = sigma,
                                          .prior_mean = mean,
                                          .prior_scale = scale,
                                          .huber = INFINITY};
    enum status status = least_squares_solve(&problem, theta, err);
    for (int type = 0; type < N_DTYPES && status == STATUS_OK; type++)
        out->ns_per_byte[type] = theta[type];
    if (status == STATUS_OK)
        out->layer_ns = theta[N_DTYPES];
    return status;
}

enum status fit_baseline(const struct fit_row *const *rows, int n_rows, bool with_layers,
                         struct fit_baseline *out, struct err *err)
{
    *out = (struct fit_baseline){0};
    double *scratch = memory_new((size_t)n_rows * (N_DTYPES + 3), sizeof *scratch);
    if (scratch == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = STATUS_OK;
    if (with_layers)
        status = with_a_cost_per_layer(rows, n_rows, scratch, out, err);
    else
        medians(rows, n_rows, scratch, out);
    memory_free(scratch);
    return status;
}

double fit_baseline_predict(const struct fit_baseline *baseline, const struct fit_row *row)
{
    double layers = 0, bytes = bytes_of(row, &layers);
    double ns_per_byte = baseline->ns_per_byte[row->net.block_dtype];
    return ns_per_byte > 0 && bytes > 0 ? bytes * ns_per_byte + layers * baseline->layer_ns : NAN;
}
