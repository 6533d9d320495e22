#include "base/least_squares.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum { N = MAX_LEAST_SQUARES_TERMS, MAX_REWEIGHTS = 1000 };

/* minimise theta' a theta / 2 - b' theta, theta >= 0, with unit diagonal of `a` */
struct quadratic {
    int n;
    double a[N][N], b[N];
    double unit[N]; /* theta_j = unit_j * what is solved for; 0: nothing is known of it */
};

/* So little that it shows only where two columns are one. */
static const double ridge = 1e-11;

static void normal_equations(const struct least_squares *p, const double *weight,
                             struct quadratic *q)
{
    *q = (struct quadratic){.n = p->n_terms};
    for (size_t i = 0; i < p->n_rows; i++) {
        const double *x = p->x + i * (size_t)q->n;
        double w = weight[i] / (p->sigma[i] * p->sigma[i]);
        for (int j = 0; j < q->n; j++) {
            q->b[j] += w * x[j] * p->y[i];
            for (int k = 0; k <= j; k++)
                q->a[j][k] += w * x[j] * x[k];
        }
    }
    for (int j = 0; j < q->n; j++) {
        double precision = 1 / (p->prior_scale[j] * p->prior_scale[j]);
        q->a[j][j] += precision;
        if (precision > 0)
            q->b[j] += precision * p->prior_mean[j];
    }
    for (int j = 0; j < q->n; j++)
        q->unit[j] = q->a[j][j] > 0 ? 1 / sqrt(q->a[j][j]) : 0;
    for (int j = 0; j < q->n; j++) {
        q->b[j] *= q->unit[j];
        for (int k = 0; k <= j; k++)
            q->a[k][j] = q->a[j][k] = q->a[j][k] * q->unit[j] * q->unit[k];
        q->a[j][j] = 1 + ridge;
    }
}

/* Cholesky over the terms that are free; the others are 0. */
static void solve_free(const struct quadratic *q, const bool *is_free, double *z)
{
    int index[N], n = 0;
    double l[N][N], y[N];
    for (int j = 0; j < q->n; j++) {
        z[j] = 0;
        if (is_free[j])
            index[n++] = j;
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k <= i; k++) {
            double sum = q->a[index[i]][index[k]];
            for (int m = 0; m < k; m++)
                sum -= l[i][m] * l[k][m];
            l[i][k] = k < i ? sum / l[k][k] : sqrt(fmax(sum, ridge));
        }
        y[i] = q->b[index[i]];
        for (int k = 0; k < i; k++)
            y[i] -= l[i][k] * y[k];
        y[i] /= l[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            y[i] -= l[k][i] * y[k];
        y[i] /= l[i][i];
        z[index[i]] = y[i];
    }
}

/* The term at its bound whose growth wins most, or -1. */
static int steepest(const struct quadratic *q, const bool *is_free, const double *theta,
                    double least)
{
    int best = -1;
    double most = least;
    for (int j = 0; j < q->n; j++) {
        double slope = q->b[j];
        for (int k = 0; k < q->n; k++)
            slope -= q->a[j][k] * theta[k];
        if (!is_free[j] && q->unit[j] > 0 && slope > most) {
            most = slope;
            best = j;
        }
    }
    return best;
}

/* Goes from theta towards z until a term meets its bound, which is then no longer free. True when
 * it got there. */
static bool step_towards(int n, const double *z, double *theta, bool *is_free)
{
    double step = 1;
    for (int j = 0; j < n; j++)
        if (is_free[j] && z[j] <= 0)
            step = fmin(step, theta[j] / (theta[j] - z[j]));
    for (int j = 0; j < n; j++) {
        if (!is_free[j])
            continue;
        theta[j] += step * (z[j] - theta[j]);
        if (step < 1 && z[j] <= 0 && theta[j] <= 1e-15 * fabs(z[j])) {
            theta[j] = 0;
            is_free[j] = false;
        }
    }
    return step >= 1;
}

static void solve_quadratic(const struct quadratic *q, double *theta)
{
    bool is_free[N] = {false};
    double z[N], largest = 0;
    memset(theta, 0, (size_t)q->n * sizeof *theta);
    for (int j = 0; j < q->n; j++)
        largest = fmax(largest, fabs(q->b[j]));
    for (int round = 0; round < 3 * N; round++) { /* a few more than it can take */
        int enters = steepest(q, is_free, theta, 1e-13 * largest);
        if (enters < 0)
            break;
        is_free[enters] = true;
        theta[enters] = 0;
        for (int inner = 0; inner <= q->n; inner++) {
            solve_free(q, is_free, z);
            if (inner == 0 && z[enters] <= 0) { /* rounding alone asked for it */
                is_free[enters] = false;
                continue;
            }
            if (step_towards(q->n, z, theta, is_free))
                break;
        }
    }
    for (int j = 0; j < q->n; j++)
        theta[j] *= q->unit[j];
}

static double residual(const struct least_squares *p, size_t i, const double *theta)
{
    double sum = -p->y[i];
    for (int j = 0; j < p->n_terms; j++)
        sum += p->x[i * (size_t)p->n_terms + (size_t)j] * theta[j];
    return sum / p->sigma[i];
}

/* Returns the largest change of a weight. */
static double reweight(const struct least_squares *p, const double *theta, double *weight)
{
    double change = 0;
    for (size_t i = 0; i < p->n_rows; i++) {
        double r = fabs(residual(p, i, theta));
        double w = r > p->huber ? p->huber / r : 1;
        change = fmax(change, fabs(w - weight[i]));
        weight[i] = w;
    }
    return change;
}

static enum status check_finite(const struct least_squares *p, struct err *err)
{
    for (size_t i = 0; i < p->n_rows; i++) {
        bool fine = isfinite(p->y[i]) && isfinite(p->sigma[i]) && p->sigma[i] > 0;
        for (int j = 0; j < p->n_terms; j++)
            fine = fine && isfinite(p->x[i * (size_t)p->n_terms + (size_t)j]);
        if (!fine)
            return err_set(err, STATUS_RANGE, "row %zu of the fit is not finite", i);
    }
    return STATUS_OK;
}

enum status least_squares_solve(const struct least_squares *p, double *theta, struct err *err)
{
    assert(p->n_terms >= 1 && p->n_terms <= N && p->huber > 0);
    struct quadratic q;
    enum status status = check_finite(p, err);
    if (status != STATUS_OK)
        return status;
    double *weight = memory_new(p->n_rows, sizeof *weight);
    if (weight == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < p->n_rows; i++)
        weight[i] = 1;
    for (int round = 0; round < MAX_REWEIGHTS; round++) {
        normal_equations(p, weight, &q);
        solve_quadratic(&q, theta);
        if (reweight(p, theta, weight) < 1e-12)
            break;
    }
    memory_free(weight);
    return STATUS_OK;
}
