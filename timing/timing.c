#include "timing/timing.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/stats.h"

struct timing_plan timing_plan_default(void)
{
    return (struct timing_plan){.sample_ns = 1e6, .budget_ns = 150e6, .spread_frac = 0.005};
}

int64_t timing_thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double time_calls(void (*call)(void *), void *context, int64_t calls,
                         const struct timing_plan *plan)
{
    int64_t (*now)(void) = plan->thread_time ? timing_thread_ns : clock_ns;
    int64_t start = now();
    for (int64_t i = 0; i < calls; i++)
        call(context);
    return (double)(now() - start);
}

/* The number of calls that fills a sample, and how long they took. Doubling warms up on the way. */
static int64_t calls_that_take(const struct timing_plan *plan, void (*call)(void *), void *context)
{
    int64_t calls = 1;
    call(context);
    for (double ns = time_calls(call, context, calls, plan); ns < plan->sample_ns;
         ns = time_calls(call, context, calls, plan)) {
        double scale = ns > 0 ? 1.2 * plan->sample_ns / ns : 16;
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
    *out = (struct timing){.calls_per_sample = calls_that_take(plan, call, context)};
    int64_t start = clock_ns();
    do {
        out->samples_ns[out->n++] =
            time_calls(call, context, out->calls_per_sample, plan) / (double)out->calls_per_sample;
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

struct timing_summary timing_undisturbed(const struct timing *timing)
{
    double kept[TIMING_MAX_SAMPLES];
    int n = 0;
    for (int i = 0; i < timing->n; i++) {
        if (timing->samples_ns[i] <= 1.5 * timing->min_ns)
            kept[n++] = timing->samples_ns[i];
    }
    return (struct timing_summary){
        .median_ns = stats_median(kept, (size_t)n), .mad_ns = stats_mad(kept, (size_t)n), .n = n};
}
