/* The measured clock: networks that really run, side by side, until their medians are known.
 *
 * Every combination of network, thread count and phase (prefill of a prompt, decode at a depth of
 * the cache) is a condition, and so is a plain read of the largest network's weights at each thread
 * count: the bandwidth there is. Conditions take turns in rounds, there and back, so that a machine
 * that drifts or is disturbed treats all alike. A condition is left alone once its median is known:
 * 1.2533 * 1.4826 * MAD / sqrt(n) (the standard error of a normal sample's median, by way of its
 * MAD) is below the asked share of the median, over at least three turns. All ends with that, with
 * the budget or with the caller's stop; what was measured until then is kept.
 *
 * Warm: a turn of decode is one token that does not count, then up to 50 ms of tokens, each after
 * the other: what fits in caches is found there. Cold: before every pass all caches are read full
 * of other bytes by every thread, so that weights and KV cache come from memory, as on a device
 * whose caches are small. The cache at the depth asked is there but holds zeros unless a prompt of
 * that length ran, which take as long to read.
 *
 * What it cannot show: sampling and tokenising, heat, a machine that others use (it tells how much
 * they took). */
#ifndef LATHE_TIMING_MEASURE_H
#define LATHE_TIMING_MEASURE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
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
    void (*progress)(void *context, int done, int total); /* of permille; NULL: none */
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

struct measure_condition;

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

/* Runs everything. Release with measurement_release, whatever the status. Errors: those of
 * weights_random, weights_open_gguf and runner_create, with the model's name in front;
 * STATUS_INTERRUPTED (the rest is kept), STATUS_NOMEM. */
enum status measure_run(const struct measure_plan *plan, struct measurement *out, struct err *err);
void measurement_release(struct measurement *measurement);

/* thread: index into plan->threads. MEASURE_LOAD knows no thread count, MEASURE_READ no model. */
struct measured_time measure_time(const struct measurement *measurement, enum measure_kind kind,
                                  size_t model, int thread, int64_t tokens);
/* The condition's median split as the sum of its passes was. Zeros unless asked for. */
void measure_phases(const struct measurement *measurement, enum measure_kind kind, size_t model,
                    int thread, int64_t tokens, double ns[N_RUNNER_PHASES]);
/* The plain read's bandwidth, bytes/ns; NaN if it did not run. */
double measure_read_gbps(const struct measurement *measurement, int thread);
/* Weight and cache bytes one decode pass reads, over decode_ns: bytes/ns; NaN if it did not run. */
double measure_decode_gbps(const struct measurement *measurement, const struct transformer *net,
                           size_t model, int thread, int64_t context);
/* load + init + prefill; a missing part makes it unknown. The MADs are added, n is the least. */
struct measured_time measure_ttft_cold(const struct measurement *measurement, size_t model,
                                       int thread, int64_t prompt);
/* Bytes of weights, cache and buffers. */
int64_t measure_peak_bytes(const struct measurement *measurement, size_t model, int thread);
/* Robust relative standard deviation of one pass: 1.4826 * MAD / median; NaN if n < 2. */
double measure_noise(struct measured_time time);
/* Lines, each ended by a newline, that say why these figures are not to be trusted; none when they
 * are: other programs or guests took processors, the bandwidth changed, medians are not known. */
void measure_doubts(const struct measurement *measurement, const struct measure_plan *plan,
                    struct text *out);

#endif
