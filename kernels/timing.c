#include "kernels/timing.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/stats.h"

struct timing_plan timing_plan_default(void)
{
    return (struct timing_plan){.sample_ns = 1e6, .budget_ns = 150e6, .spread_frac = 0.005};
}

static double time_calls(void (*call)(void *), void *context, int64_t calls)
{
    int64_t start = clock_ns();
    for (int64_t i = 0; i < calls; i++)
        call(context);
    return (double)(clock_ns() - start);
}

/* The number of calls that fills a sample, and how long they took. Doubling warms up on the way. */
static int64_t calls_that_take(double sample_ns, void (*call)(void *), void *context)
{
    int64_t calls = 1;
    call(context);
    for (double ns = time_calls(call, context, calls); ns < sample_ns;
         ns = time_calls(call, context, calls)) {
        double scale = ns > 0 ? 1.2 * sample_ns / ns : 16;
        calls = (int64_t)ceil((double)calls * fmin(fmax(scale, 1.2), 16));
    }
    return calls;
}

static void summarise(struct timing *t)
{
    double sorted[TIMING_MAX_SAMPLES];
    memcpy(sorted, t->samples_ns, (size_t)t->n * sizeof *sorted);
    t->median_ns = stats_median(sorted, (size_t)t->n);
    t->mad_ns = stats_mad(sorted, (size_t)t->n);
    t->min_ns = t->samples_ns[0];
    for (int i = 1; i < t->n; i++)
        t->min_ns = fmin(t->min_ns, t->samples_ns[i]);
}

void timing_run(void (*call)(void *context), void *context, const struct timing_plan *plan,
                struct timing *out)
{
    *out = (struct timing){.calls_per_sample = calls_that_take(plan->sample_ns, call, context)};
    int64_t start = clock_ns();
    do {
        out->samples_ns[out->n++] =
            time_calls(call, context, out->calls_per_sample) / (double)out->calls_per_sample;
        if (out->n < TIMING_MIN_SAMPLES)
            continue;
        summarise(out);
        out->steady = out->mad_ns <= plan->spread_frac * out->median_ns * sqrt((double)out->n);
    } while (out->n < TIMING_MIN_SAMPLES || (!out->steady && out->n < TIMING_MAX_SAMPLES &&
                                             (double)(clock_ns() - start) < plan->budget_ns));
}

void timing_divide(struct timing *timing, int64_t times)
{
    timing->min_ns /= (double)times;
    timing->median_ns /= (double)times;
    timing->mad_ns /= (double)times;
    timing->calls_per_sample *= times;
    for (int i = 0; i < timing->n; i++)
        timing->samples_ns[i] /= (double)times;
}
