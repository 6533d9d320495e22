/* Trials: networks timed through the runtime, in rounds, so that drift hits all of them alike.
 *
 * A trial is a network at a thread count with a prompt and a context. A round visits the networks
 * in a new random order; a network is built once a round and all its trials are timed on it.
 * Figures of a round are medians of a few passes; what is compared are means over the middle half
 * of the rounds, and how much the rounds differ is the noise.
 *
 * Every trial is timed as the rest of lathe times: decode is one token after `context` tokens,
 * sampling excluded, prefill `prompt` tokens from an empty cache. The cache's content is zeros,
 * which take as long to read. A sentinel (the same read of memory by one thread, beyond any cache)
 * stands between the networks.
 *
 * A second sentinel, the same arithmetic by all threads of the trial in their nearest caches,
 * stands before and after every timing. A core that shares its units with somebody else computes a
 * third slower, for seconds to minutes: timings are put off meanwhile, for a part of the budget,
 * and rounds in which it was slower than CALM_FRAC allows are left out in the end, unless too few
 * remained. */
#ifndef LATHE_COSTMODEL_TRIAL_H
#define LATHE_COSTMODEL_TRIAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/transformer.h"

enum { MAX_TRIAL_ROUNDS = 64 };
/* Arithmetic this much slower than the fastest seen is a disturbance. */
#define CALM_FRAC 0.12

struct trial {
    const struct transformer *net; /* borrowed; trials of one network stand side by side */
    int group; /* for callers: trials meant to be compared with each other; < 0: none */
    int threads;
    int64_t prompt;  /* 0: no prefill is timed */
    int64_t context; /* of decode */
    int n_rounds;    /* out: rounds that timed it and were calm */
    double decode_ns[MAX_TRIAL_ROUNDS], prefill_ns[MAX_TRIAL_ROUNDS];
    double sentinel_ns[MAX_TRIAL_ROUNDS]; /* the slower arithmetic of before and after */
};

/* Mean over rounds without the quickest and the slowest quarter of them; NaN without any. */
double trial_decode_ns(const struct trial *trial);
double trial_prefill_ns(const struct trial *trial);
/* Median over rounds of |a round / the mean - 1|, corrected for the rounds' number; NaN below two.
 */
double trial_noise_frac(const double *rounds, int n);

struct trial_options {
    int min_rounds, max_rounds; /* 1 .. MAX_TRIAL_ROUNDS */
    double budget_ns;           /* no new round once this has passed, but for min_rounds */
    double decode_ns;           /* least time of decodes a trial and round */
    unsigned isa;
    uint64_t seed;
    const volatile sig_atomic_t *stop;                 /* NULL: never. Looked at between networks */
    void (*progress)(void *context, double done_frac); /* NULL: none */
    void *progress_context;
};

struct trial_report {
    int n_rounds;                               /* whole ones */
    double sentinel_gbps, sentinel_spread_frac; /* median, and MAD over it */
    double processor_frac;                      /* share of a processor that the sentinel got */
    double disturbed_frac;                      /* share of the timings that were left out */
};

/* Keeps the rounds whose sentinel is at most `calm_ns`; of many rounds always a quarter, of few
 * two, the calmest then. Returns how many it left out. */
int trial_keep_calm(struct trial *trial, double calm_ns);

/* Errors: STATUS_INTERRUPTED, those of weights_repeated and runner_create. */
enum status trials_run(struct trial *trials, int n, const struct trial_options *options,
                       struct trial_report *report, struct err *err);

#endif
