#include "validate/score.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"

enum { MAX_SERIES = 64 };

/* |predicted / measured - 1| of lathe's decode; NaN: no decode was timed. */
static double error_of(const struct validation *v, int trial)
{
    return fabs(v->decode_ns[CLOCK_LATHE][trial] / trial_decode_ns(&v->trials[trial]) - 1);
}

/* Of a decode, or of a prompt where that is all that was timed. */
static double any_error(const struct validation *v, int i)
{
    double decode = error_of(v, i);
    return isnan(decode) ? fabs(v->prefill_ns[i] / trial_prefill_ns(&v->trials[i]) - 1) : decode;
}

int validation_worst_first(const struct validation *v, bool all, int *order)
{
    int n = 0;
    for (int i = 0; i < v->n_trials; i++) {
        int at = n;
        if (!all && isnan(error_of(v, i)))
            continue;
        for (; at > 0 && any_error(v, order[at - 1]) < any_error(v, i); at--)
            order[at] = order[at - 1];
        order[at] = i;
        n++;
    }
    return n;
}

enum status validation_errors(const struct validation *v, struct validation_errors *out,
                              struct err *err)
{
    size_t n = 0;
    double *errors = memory_new((size_t)v->n_trials, sizeof *errors);
    *out = (struct validation_errors){.median_frac = NAN, .p90_frac = NAN};
    if (!errors)
        return err_set(err, STATUS_NOMEM, "out of memory for %d trials", v->n_trials);
    for (int i = 0; i < v->n_trials; i++)
        if (!isnan(error_of(v, i)))
            errors[n++] = error_of(v, i);
    out->n = (int)n;
    if (n > 0) {
        out->median_frac = stats_median(errors, n);
        out->p90_frac = stats_quantile(errors, n, 0.9);
    }
    memory_free(errors);
    return STATUS_OK;
}

double validation_measured(const struct validation *v, enum validation_phase phase, int trial)
{
    return phase == VALIDATE_DECODE ? trial_decode_ns(&v->trials[trial])
                                    : trial_prefill_ns(&v->trials[trial]);
}

static double noise_of(const struct trial *trial, enum validation_phase phase)
{
    return trial_noise_frac(phase == VALIDATE_DECODE ? trial->decode_ns : trial->prefill_ns,
                            trial->n_rounds);
}

/* Spearman of one group; spread: standard deviation of its measured times over their mean. NaN below
 * three trials. */
static double judge_group(const struct validation *v, enum validation_phase phase,
                          const double *predicted, int group, double *spread_frac,
                          double *noise_frac)
{
    double x[MAX_SERIES], y[MAX_SERIES], noise = 0;
    size_t n = 0;
    for (int i = 0; i < v->n_trials && n < MAX_SERIES; i++) {
        double measured = validation_measured(v, phase, i);
        if (v->trials[i].group != group || isnan(measured) || isnan(predicted[i]))
            continue;
        x[n] = predicted[i];
        y[n++] = measured;
        noise += noise_of(&v->trials[i], phase) / sqrt((double)v->trials[i].n_rounds);
    }
    if (n < 3)
        return NAN;
    *spread_frac = stats_stddev(y, n) / stats_mean(y, n);
    *noise_frac = STATS_SIGMA_PER_MAD * noise / (double)n;
    return stats_spearman(x, y, n);
}

double validation_group_order(const struct validation *v, enum validation_phase phase, int group)
{
    const double *rounds[MAX_SERIES];
    double single[MAX_SERIES], others[MAX_SERIES], rho[MAX_TRIAL_ROUNDS];
    size_t n = 0;
    int n_rounds = MAX_TRIAL_ROUNDS;
    for (int i = 0; i < v->n_trials && n < MAX_SERIES; i++) {
        const struct trial *trial = &v->trials[i];
        if (trial->group != group || isnan(validation_measured(v, phase, i)))
            continue;
        rounds[n++] = phase == VALIDATE_DECODE ? trial->decode_ns : trial->prefill_ns;
        n_rounds = trial->n_rounds < n_rounds ? trial->n_rounds : n_rounds;
    }
    if (n < 3 || n_rounds < 3)
        return NAN;
    for (int r = 0; r < n_rounds; r++) {
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (int other = 0; other < n_rounds; other++)
                sum += other == r ? 0 : rounds[i][other];
            single[i] = rounds[i][r];
            others[i] = sum / (n_rounds - 1);
        }
        rho[r] = stats_spearman(single, others, n);
    }
    return stats_median(rho, (size_t)n_rounds);
}

static enum status summarise_groups(const struct validation *v, enum validation_phase phase,
                                    const double *predicted, struct validation_summary *out,
                                    struct err *err)
{
    double *rho = memory_new((size_t)v->n_groups, sizeof *rho);
    if (!rho)
        return err_set(err, STATUS_NOMEM, "out of memory for %d groups", v->n_groups);
    for (int g = 0; g < v->n_groups; g++) {
        double spread = 0, noise = 0, r = judge_group(v, phase, predicted, g, &spread, &noise);
        if (isnan(r) || spread <= noise)
            continue;
        rho[out->n_groups++] = r;
        if (validation_group_order(v, phase, g) >= VALIDATION_ORDERED) {
            out->ordered_worst = out->n_ordered > 0 ? fmin(out->ordered_worst, r) : r;
            out->n_ordered++;
        }
    }
    out->group_spearman = out->group_worst = NAN;
    if (out->n_ordered == 0)
        out->ordered_worst = NAN;
    if (out->n_groups > 0) {
        out->group_worst = stats_quantile(rho, (size_t)out->n_groups, 0);
        out->group_spearman = stats_median(rho, (size_t)out->n_groups);
    }
    memory_free(rho);
    return STATUS_OK;
}

/* Standard error of a trial's mean over rounds, ns. */
static double error_of_mean(const struct trial *trial, enum validation_phase phase, double mean)
{
    return STATS_SIGMA_PER_MAD * noise_of(trial, phase) * mean / sqrt((double)trial->n_rounds);
}

static void summarise_pairs(const struct validation *v, enum validation_phase phase,
                            const double *predicted, struct validation_summary *out)
{
    int in_order = 0;
    for (int i = 0; i < v->n_trials; i++) {
        double a = validation_measured(v, phase, i);
        for (int j = i + 1; j < v->n_trials; j++) {
            double b = validation_measured(v, phase, j);
            bool alike = v->trials[i].group >= 0 && v->trials[i].group == v->trials[j].group;
            double error = hypot(error_of_mean(&v->trials[i], phase, a),
                                 error_of_mean(&v->trials[j], phase, b));
            bool told = !isnan(predicted[i] - predicted[j]) && fabs(a - b) > 2 * error;
            if (!alike || !told)
                continue;
            out->n_pairs++;
            in_order += (a < b) == (predicted[i] < predicted[j]);
        }
    }
    out->pairs_in_order = out->n_pairs > 0 ? (double)in_order / out->n_pairs : NAN;
}

enum status validation_summarise(const struct validation *v, enum validation_phase phase,
                                 const double *predicted, struct validation_summary *out,
                                 struct err *err)
{
    size_t most = (size_t)v->n_trials, n = 0, n_noisy = 0;
    double *work = memory_new(6 * most, sizeof *work);
    *out = (struct validation_summary){0};
    if (!work)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu trials", most);
    double *off = work, *bias = work + most, *single = work + 2 * most, *mean = work + 3 * most;
    double *measured = work + 4 * most, *said = work + 5 * most;
    for (int i = 0; i < v->n_trials; i++) {
        measured[n] = validation_measured(v, phase, i);
        if (isnan(measured[n]) || isnan(predicted[i]))
            continue;
        said[n] = predicted[i];
        bias[n] = predicted[i] / measured[n] - 1;
        off[n] = fabs(bias[n]);
        n++;
        single[n_noisy] = noise_of(&v->trials[i], phase);
        mean[n_noisy] = single[n_noisy] / sqrt((double)v->trials[i].n_rounds);
        n_noisy += isnan(single[n_noisy]) ? 0 : 1;
    }
    out->n = (int)n;
    summarise_pairs(v, phase, predicted, out);
    enum status status = summarise_groups(v, phase, predicted, out, err);
    if (status != STATUS_OK || n == 0)
        goto out;
    out->spearman = stats_spearman(said, measured, n);
    out->kendall = stats_kendall(said, measured, n);
    out->single_floor = n_noisy > 0 ? stats_median(single, n_noisy) : NAN;
    out->mean_floor = n_noisy > 0 ? stats_median(mean, n_noisy) : NAN;
    for (size_t i = 0; i < n; i++) {
        out->within_5 += (off[i] <= 0.05) / (double)n;
        out->within_10 += (off[i] <= 0.10) / (double)n;
        out->within_floor_10 += (off[i] <= out->single_floor + 0.1) / (double)n;
    }
    if (n_noisy == 0)
        out->within_floor_10 = NAN;
    out->bias = stats_median(bias, n);
    out->mean = stats_mean(off, n);
    out->p95 = stats_quantile(off, n, 0.95);
    out->median = stats_median(off, n);
out:
    memory_free(work);
    return status;
}
