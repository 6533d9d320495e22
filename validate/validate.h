/* Validation: predictions held against networks that really ran.
 *
 * Networks are drawn that no calibration saw (another seed, other budgets): for each weight type
 * and each of three parameter budgets a series from shallow and wide to deep and thin, some with
 * shared weights, a context for each series. Each runs at every thread count, in rounds (trial.h);
 * what is compared is the mean over rounds. Or the networks ran in somebody else's runtime, which
 * printed its timings (fit_input.h). Two baselines see the same data, and unlike lathe are
 * fitted to it: bytes over bandwidth, and bytes over bandwidth plus a cost per executed layer, each
 * with its own numbers for every type and thread count. */
#ifndef LATHE_VALIDATE_VALIDATE_H
#define LATHE_VALIDATE_VALIDATE_H

#include "base/status.h"
#include "device/device.h"
#include "fit/fit_device.h"
#include "timing/trial.h"

enum validation_clock {
    CLOCK_LATHE,
    CLOCK_SIMULATOR, /* filled by who has one; NaN: nobody */
    CLOCK_BYTES,
    CLOCK_BYTES_LAYERS,
    N_CLOCKS,
};
const char *validation_clock_name(enum validation_clock clock);

enum { MAX_VALIDATION_THREADS = 4 };

struct validation_options {
    int n_networks; /* a multiple of 9 is used: types times budgets */
    int n_threads, threads[MAX_VALIDATION_THREADS];
    int64_t prompt;
    int64_t context; /* of networks that are given; drawn ones have their series' */
    uint64_t seed;
};

struct validation {
    int n_networks, n_trials;
    struct transformer *networks; /* [n_networks]; NULL: the rows' */
    struct trial *trials;         /* [n_trials]; group: same type, budget, context and threads */
    int n_groups;
    double *decode_ns[N_CLOCKS]; /* [n_trials], predicted */
    double *prefill_ns;          /* [n_trials], lathe's */
};

/* Draws. Release with validation_release, whatever the status. Errors: STATUS_NOMEM. */
enum status validation_draw(const struct validation_options *options, struct validation *out,
                            struct err *err);
/* The caller's networks in the place of drawn ones: n_networks of them, copied but for what they
 * own, which outlives *out. No two are compared as a group. Release with validation_release,
 * whatever the status. Errors: STATUS_NOMEM. */
enum status validation_of_networks(const struct transformer *networks,
                                   const struct validation_options *options, struct validation *out,
                                   struct err *err);
/* A trial for every network, setting and phase of `rows`, which outlive it: rows alike are its
 * rounds, the first MAX_TRIAL_ROUNDS of them. A group's parameters differ by less than
 * VALIDATION_ALIKE_FRAC. The phase that a trial did not time is NaN. Release with
 * validation_release, whatever the status. Errors: STATUS_INPUT (no row), STATUS_NOMEM. */
#define VALIDATION_ALIKE_FRAC 0.15
enum status validation_of_rows(const struct fit_rows *rows, struct validation *out,
                               struct err *err);
/* The state of the machine that a profile speaks of; n is 0 where it does not say. */
void validation_state(const struct device *device, const struct validation_options *options,
                      struct state_reference *out);
/* Exchanges timings as they were taken for those brought to one state, and back. Baselines then
 * want to be fitted again. Nothing to do for rows of another runtime. */
void validation_exchange_raw(struct validation *v);
/* Fills what lathe says. Errors: of machine_resolve and price_network. */
enum status validation_predict(const struct device *device, struct validation *v, struct err *err);
/* Fills the baselines, from trials that ran; NaN for a type at a thread count that fewer than four
 * did. Errors: STATUS_NOMEM. */
enum status validation_fit_baselines(struct validation *v, struct err *err);
void validation_release(struct validation *v);
/* Parameters of the network that ran. */
int64_t validation_params(const struct trial *trial);

#endif
