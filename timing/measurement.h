/* A plan of what to measure, and the measured figures. */
#ifndef LATHE_TIMING_MEASUREMENT_H
#define LATHE_TIMING_MEASUREMENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/transformer.h"
#include "runtime/runner.h"

enum { MEASURE_MAX_THREAD_COUNTS = 16 };

struct measure_model {
    const struct transformer *net; /* borrowed */
    const char *gguf;              /* its weights' file; NULL: random weights from `seed` */
    uint64_t seed;
};

struct measure_plan {
    const struct measure_model *models; /* [n_models], n_models >= 1 */
    size_t n_models;
    int threads[MEASURE_MAX_THREAD_COUNTS], n_threads; /* n_threads >= 1 */
    const int64_t *prompts, *contexts;                 /* prompts >= 1, contexts >= 0 */
    size_t n_prompts, n_contexts;
    bool is_cold, per_phase, pin;
    double error_frac;                 /* > 0 */
    double budget_ns;                  /* of the rounds; every condition has at least one turn */
    unsigned isa;                      /* of cpu_isa */
    const volatile sig_atomic_t *stop; /* NULL: never */
    /* Told how much is done, in permille; NULL: none. */
    void (*progress)(void *context, int done, int total);
    void *progress_context;
};

/* n == 0: not measured, the others are NaN. */
struct measured_time {
    double median_ns, mad_ns;
    int64_t n;
};

enum measure_kind {
    MEASURE_READ, /* of read_bytes */
    MEASURE_LOAD,
    MEASURE_INIT,
    MEASURE_PREFILL, /* `tokens` = length of the prompt */
    MEASURE_DECODE,  /* `tokens` = depth of the cache */
};

enum { MEASURE_LEAST_SAMPLES = 5 }; /* fewer do not tell how well a median is known */

struct measure_condition {
    enum measure_kind kind;
    size_t model;
    int thread; /* index */
    int64_t tokens;
    double *samples;
    size_t n, capacity;
    int turns;
    double phase_ns[N_RUNNER_PHASES];
    int64_t peak_bytes; /* of an INIT: what the runner and its weights take */
};

struct measurement {
    struct measure_condition *conditions; /* [n_conditions], owned */
    size_t n_conditions;
    int64_t read_bytes;  /* by each plain read */
    int64_t cache_bytes; /* read to make caches cold */
    double before_gbps[MEASURE_MAX_THREAD_COUNTS], after_gbps[MEASURE_MAX_THREAD_COUNTS];
    double steal_frac;   /* of the processors' time that other guests took; NaN: not known */
    double others_busy;  /* processors that other programs kept busy on average; NaN: not known */
    bool is_complete;    /* every median is known to the error asked */
    bool loads_are_cold; /* files were dropped from the page cache before loading */
    double seconds;
};

void measurement_release(struct measurement *measurement);

/* thread: index into plan->threads. MEASURE_LOAD knows no thread count, MEASURE_READ no model. */
struct measured_time measure_time(const struct measurement *measurement, enum measure_kind kind,
                                  size_t model, int thread, int64_t tokens);
/* The condition's median, divided between phases as the sum of its passes was. Zeros unless the
 * plan asked for it. */
void measure_phases(const struct measurement *measurement, enum measure_kind kind, size_t model,
                    int thread, int64_t tokens, double ns[N_RUNNER_PHASES]);
/* The plain read's bandwidth, bytes/ns; NaN if it did not run. */
double measure_read_gbps(const struct measurement *measurement, int thread);
/* Weight and cache bytes that one decode pass reads, divided by decode_ns: bytes/ns; NaN if it did
 * not run. */
double measure_decode_gbps(const struct measurement *measurement, const struct transformer *net,
                           size_t model, int thread, int64_t context);
/* load + init + prefill, unknown when a part is. The MADs are added; n is the least of the three.
 */
struct measured_time measure_ttft_cold(const struct measurement *measurement, size_t model,
                                       int thread, int64_t prompt);
/* Bytes of weights, cache and buffers. */
int64_t measure_peak_bytes(const struct measurement *measurement, size_t model, int thread);
/* Robust relative standard deviation of one pass: 1.4826 * MAD / median; NaN if n < 2. */
double measure_noise(struct measured_time time);
/* Lines, each ended by a newline, that say why these figures are not to be trusted: other programs
 * or guests took processors, the bandwidth changed, medians are not known. No lines: nothing is
 * wrong. */
void measure_doubts(const struct measurement *measurement, const struct measure_plan *plan,
                    struct text *out);

/* NULL: it was not planned. `thread` and `model` as for measure_time. */
struct measure_condition *measure_condition_of(const struct measurement *measurement,
                                               enum measure_kind kind, size_t model, int thread,
                                               int64_t tokens);
/* Of NULL: n is 0. */
struct measured_time measure_summary(const struct measure_condition *condition);
/* Standard error of the median, as a share of it. */
double measure_median_error(struct measured_time time);

#endif
