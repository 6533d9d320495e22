/* Trials: networks timed through the runtime, in rounds, so that drift affects all of them alike.
 *
 * A trial is a network at a thread count with a prompt and a context. A round visits the networks
 * in a new random order. A network is built once a round, and all its trials are timed on it. A
 * round's figure is the median of a few passes. A trial's figure is the mean over the middle half
 * of its rounds; how much the rounds differ is the noise.
 *
 * Decode is one token after `context` tokens, without sampling; prefill is `prompt` tokens from an
 * empty cache. The cache holds zeros, which take as long to read. Threads are pinned.
 *
 * Sentinels before and after each timing tell the machine's state (machine_state.h). All timings
 * are corrected to one state: that of the caller's reference, else the session's calm one. */
#ifndef LATHE_TIMING_TRIAL_H
#define LATHE_TIMING_TRIAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/transformer.h"
#include "timing/machine_state.h"

enum {
    MAX_TRIAL_ROUNDS = 64,
    LEAST_STATE_ROUNDS = 4, /* fewer do not tell what a state costs: no correction */
};

struct trial {
    const struct transformer *net; /* borrowed; trials of one network stand side by side */
    int group; /* for callers: trials meant to be compared with each other; < 0: none */
    int threads;
    int64_t prompt;  /* 0: no prefill is timed */
    int64_t context; /* of decode */
    int n_rounds;    /* out: rounds that timed it */
    /* Out: corrected to one state when there are LEAST_STATE_ROUNDS, and as timed. */
    double decode_ns[MAX_TRIAL_ROUNDS], prefill_ns[MAX_TRIAL_ROUNDS];
    double raw_decode_ns[MAX_TRIAL_ROUNDS], raw_prefill_ns[MAX_TRIAL_ROUNDS];
    struct machine_state state[MAX_TRIAL_ROUNDS];
};

/* Mean over rounds without the quickest and the slowest quarter of them; NaN without any. */
double trial_decode_ns(const struct trial *trial);
double trial_prefill_ns(const struct trial *trial);
/* Median over rounds of |a round / the mean - 1|, corrected for the number of rounds; NaN for fewer
 * than two. */
double trial_noise_frac(const double *rounds, int n);
/* Of n >= 1 rounds. */
struct trial_spread {
    double min_ns, median_ns, mad_ns;
};
struct trial_spread trial_spread(const double *rounds, int n);

struct trial_options {
    int min_rounds, max_rounds; /* 1 .. MAX_TRIAL_ROUNDS */
    double budget_ns;           /* no new round once this has passed, but for min_rounds */
    double decode_ns;           /* least time of decodes a trial and round */
    unsigned isa;
    uint64_t seed;
    const struct state_reference *reference;           /* NULL: the session's calm state */
    const volatile sig_atomic_t *stop;                 /* NULL: never. Looked at between networks */
    void (*progress)(void *context, double done_frac); /* NULL: none */
    void *progress_context;
};

struct trial_report {
    int n_rounds;                               /* whole ones */
    struct state_reference state;               /* the session's calm one, by thread count */
    double sentinel_gbps, sentinel_spread_frac; /* one thread's reads: median, and MAD over it */
    double processor_frac;                      /* share of a processor that the sentinel got */
    double arithmetic_spread_frac; /* of one thread's arithmetic: MAD over the median */
};

/* True when other programs had the machine while trials ran; `buffer`, of at least TRIAL_NOTE_SIZE,
 * then says so. */
enum { TRIAL_NOTE_SIZE = 160 };
bool trial_report_busy(const struct trial_report *report, char *buffer, size_t size);

/* Errors: STATUS_INTERRUPTED, those of weights_repeated and runner_create. */
enum status trials_run(struct trial *trials, int n, const struct trial_options *options,
                       struct trial_report *report, struct err *err);

#endif
