/* How long a call takes, as a distribution.
 *
 * A sample is a loop of calls, long enough that the cost of reading the clock does not matter.
 * Samples are taken until their spread is small or the budget is spent. All are kept, so that what
 * a table shows (minimum, median, MAD) can be worked out again. The caller has checked what it
 * times.
 *
 * Cold or hot is up to the caller: a call that walks through a buffer much larger than the
 * last-level cache is cold, one that stays in place is hot. */
#ifndef LATHE_TIMING_TIMING_H
#define LATHE_TIMING_TIMING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TIMING_MIN_SAMPLES = 15,
    TIMING_MAX_SAMPLES = 400,
};

struct timing_plan {
    double sample_ns;   /* shortest sample, usually 1e6 */
    double budget_ns;   /* stop after this long (but never below TIMING_MIN_SAMPLES) */
    double spread_frac; /* stop when MAD / median / sqrt(n) is below this */
    /* Count the time that the calling thread runs, not wall time, which goes on while the thread
     * waits for its core. Only for calls that neither sleep nor start threads. */
    bool thread_time;
};

struct timing {
    double min_ns, median_ns, mad_ns; /* of one call */
    int n;
    int64_t calls_per_sample;
    bool steady; /* the spread ended it, not the budget */
    double samples_ns[TIMING_MAX_SAMPLES];
};

/* A sample of >= 1 ms until the median is known to about 0.5 % or 150 ms are spent. */
struct timing_plan timing_plan_default(void);

/* ns that the calling thread has run. */
int64_t timing_thread_ns(void);

/* Runs call(context) once to warm up, then as planned. */
void timing_run(void (*call)(void *context), void *context, const struct timing_plan *plan,
                struct timing *out);

/* Median, MAD and number of the samples below 1.5 times the fastest. On a quiet machine these are
 * all samples, on a busy one those during which no thread lost its core. */
struct timing_summary {
    double median_ns, mad_ns;
    int n;
};
struct timing_summary timing_undisturbed(const struct timing *timing);

/* Divides by `times`: for calls that each did the same work that many times. */
void timing_divide(struct timing *timing, int64_t times);

#endif
