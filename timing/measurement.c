#include "timing/measurement.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "model/ops.h"

static const double MOST_OTHERS = 0.15, MOST_STEAL = 0.02, MOST_DRIFT = 0.1; /* before a doubt */

struct measured_time measure_summary(const struct measure_condition *c)
{
    if (c == NULL || c->n == 0)
        return (struct measured_time){NAN, NAN, 0};
    double *values = memory_new(c->n, sizeof *values);
    if (values == NULL)
        return (struct measured_time){NAN, NAN, 0};
    memcpy(values, c->samples, c->n * sizeof *values);
    struct measured_time out = {.n = (int64_t)c->n};
    out.median_ns = stats_median(values, c->n);
    out.mad_ns = stats_mad(values, c->n);
    memory_free(values);
    return out;
}

double measure_median_error(struct measured_time time)
{
    return STATS_MEDIAN_ERROR * STATS_SIGMA_PER_MAD * time.mad_ns /
           (sqrt((double)time.n) * time.median_ns);
}

struct measure_condition *measure_condition_of(const struct measurement *out,
                                               enum measure_kind kind, size_t model, int thread,
                                               int64_t tokens)
{
    for (size_t i = 0; i < out->n_conditions; i++) {
        struct measure_condition *c = &out->conditions[i];
        if (c->kind == kind && (kind == MEASURE_READ || c->model == model) &&
            (kind == MEASURE_LOAD || c->thread == thread) && c->tokens == tokens)
            return c;
    }
    return NULL;
}

void measurement_release(struct measurement *measurement)
{
    for (size_t i = 0; i < measurement->n_conditions; i++)
        memory_free(measurement->conditions[i].samples);
    memory_free(measurement->conditions);
    *measurement = (struct measurement){0};
}

struct measured_time measure_time(const struct measurement *measurement, enum measure_kind kind,
                                  size_t model, int thread, int64_t tokens)
{
    return measure_summary(measure_condition_of(measurement, kind, model, thread, tokens));
}

void measure_phases(const struct measurement *measurement, enum measure_kind kind, size_t model,
                    int thread, int64_t tokens, double ns[N_RUNNER_PHASES])
{
    const struct measure_condition *c =
        measure_condition_of(measurement, kind, model, thread, tokens);
    double all = 0;
    for (int p = 0; p < N_RUNNER_PHASES; p++) {
        ns[p] = c != NULL ? c->phase_ns[p] : 0;
        all += ns[p];
    }
    double median = measure_summary(c).median_ns;
    for (int p = 0; p < N_RUNNER_PHASES && all > 0; p++)
        ns[p] *= median / all;
}

double measure_read_gbps(const struct measurement *measurement, int thread)
{
    struct measured_time time = measure_time(measurement, MEASURE_READ, 0, thread, 0);
    return time.n > 0 ? (double)measurement->read_bytes / time.median_ns : NAN;
}

double measure_decode_gbps(const struct measurement *measurement, const struct transformer *net,
                           size_t model, int thread, int64_t context)
{
    struct measured_time time = measure_time(measurement, MEASURE_DECODE, model, thread, context);
    struct operator_list ops;
    struct op_totals totals;
    if (time.n == 0 || ops_decode(net, context, &ops, NULL) != STATUS_OK)
        return NAN;
    ops_totals(&ops, &totals);
    ops_release(&ops);
    return (double)(totals.weight_read_bytes + totals.kv_read_bytes) / time.median_ns;
}

struct measured_time measure_ttft_cold(const struct measurement *measurement, size_t model,
                                       int thread, int64_t prompt)
{
    const struct measured_time parts[] = {
        measure_time(measurement, MEASURE_LOAD, model, 0, 0),
        measure_time(measurement, MEASURE_INIT, model, thread, 0),
        measure_time(measurement, MEASURE_PREFILL, model, thread, prompt),
    };
    struct measured_time out = parts[0];
    for (int i = 1; i < 3; i++) {
        out.median_ns += parts[i].median_ns;
        out.mad_ns += parts[i].mad_ns;
        out.n = parts[i].n < out.n ? parts[i].n : out.n;
    }
    return out;
}

double measure_noise(struct measured_time time)
{
    return time.n >= 2 ? STATS_SIGMA_PER_MAD * time.mad_ns / time.median_ns : NAN;
}

int64_t measure_peak_bytes(const struct measurement *measurement, size_t model, int thread)
{
    const struct measure_condition *c =
        measure_condition_of(measurement, MEASURE_INIT, model, thread, 0);
    return c != NULL ? c->peak_bytes : 0;
}

static void doubt_bandwidth(const struct measurement *m, const struct measure_plan *plan,
                            struct text *out)
{
    for (int t = 0; t < plan->n_threads; t++) {
        double change = m->after_gbps[t] / m->before_gbps[t] - 1;
        if (fabs(change) > MOST_DRIFT)
            text_addf(out,
                      "a plain read by %d thread%s went from %.1f GB/s before to %.1f GB/s after\n",
                      plan->threads[t], plan->threads[t] == 1 ? "" : "s", m->before_gbps[t],
                      m->after_gbps[t]);
    }
}

static void doubt_medians(const struct measurement *m, const struct measure_plan *plan,
                          struct text *out)
{
    double worst = 0;
    size_t unknown = 0, all = 0;
    for (size_t i = 0; i < m->n_conditions; i++) {
        const struct measure_condition *c = &m->conditions[i];
        if (c->kind != MEASURE_DECODE && c->kind != MEASURE_PREFILL)
            continue;
        struct measured_time time = measure_summary(c);
        double error = time.n >= MEASURE_LEAST_SAMPLES ? measure_median_error(time) : INFINITY;
        all++;
        unknown += !(error <= plan->error_frac);
        worst = error > worst ? error : worst;
    }
    if (unknown == 0)
        return;
    text_addf(out, "%zu of %zu medians are not known to %.3g %% yet", unknown, all,
              100 * plan->error_frac);
    if (isfinite(worst))
        text_addf(out, ", the worst only to %.2g %%", 100 * worst);
    text_add(out, ": a longer --budget-time, or a quieter machine\n");
}

void measure_doubts(const struct measurement *measurement, const struct measure_plan *plan,
                    struct text *out)
{
    if (measurement->others_busy > MOST_OTHERS)
        text_addf(out, "other programs kept %.2f processors busy meanwhile\n",
                  measurement->others_busy);
    if (measurement->steal_frac > MOST_STEAL)
        text_addf(out, "other guests of this machine took %.1f %% of its processors\n",
                  100 * measurement->steal_frac);
    doubt_bandwidth(measurement, plan, out);
    doubt_medians(measurement, plan, out);
}
