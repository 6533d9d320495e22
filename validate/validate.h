/* Validation: predictions compared with networks that really ran.
 *
 * The networks are ones that no calibration saw (another seed, other budgets). For each weight type
 * and each of three parameter budgets there is a series from shallow and wide to deep and thin,
 * with a context of its own; some networks share weights. Each runs at every thread count, in
 * rounds (trial.h), and the mean over rounds is compared. Or the networks ran in another runtime,
 * which printed its timings (fit_input.h).
 *
 * Two baselines are fitted to the very timings they are judged by; lathe is not. They are bytes
 * over bandwidth, and bytes over bandwidth plus a cost per executed layer, with numbers of their
 * own for every type and thread count. */
#ifndef LATHE_VALIDATE_VALIDATE_H
#define LATHE_VALIDATE_VALIDATE_H

#include "base/status.h"
#include "device/machine.h"
#include "fit/fit_device.h"
#include "timing/trial.h"

enum validation_clock {
    CLOCK_LATHE,
    CLOCK_SIMULATOR, /* filled by the caller, who may run the simulator; else NaN */
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

/* Draws the networks. Release with validation_release, whatever the status. Errors: STATUS_NOMEM.
 */
enum status validation_draw(const struct validation_options *options, struct validation *out,
                            struct err *err);
/* The caller's networks instead of drawn ones: n_networks of them. The structs are copied; what
 * they own outlives *out. No two are compared as a group. Release with validation_release, whatever
 * the status. Errors: STATUS_NOMEM. */
enum status validation_of_networks(const struct transformer *networks,
                                   const struct validation_options *options, struct validation *out,
                                   struct err *err);
/* A trial for every network, setting and phase of `rows`, which outlive *out. Equal rows are the
 * rounds of one trial (the first MAX_TRIAL_ROUNDS of them). The networks of a group differ in
 * parameters by less than VALIDATION_ALIKE_FRAC. A phase that a trial did not time is NaN. Release
 * with validation_release, whatever the status. Errors: STATUS_INPUT (no row), STATUS_NOMEM. */
#define VALIDATION_ALIKE_FRAC 0.15
enum status validation_of_rows(const struct fit_rows *rows, struct validation *out,
                               struct err *err);
/* The state of the machine in which a profile was calibrated; n is 0 where it does not say. */
void validation_state(const struct device *device, const struct validation_options *options,
                      struct state_reference *out);
/* Swaps the timings corrected to one state with those as they were taken; a second call swaps them
 * back. Fit the baselines again afterwards. Rows of another runtime have no such correction. */
void validation_exchange_raw(struct validation *v);
/* Fills lathe's predictions. Errors: of machine_resolve and price_network. */
enum status validation_predict(const struct device *device, struct validation *v, struct err *err);
/* Fits the baselines to the trials that ran and fills their predictions; NaN for a type at a thread
 * count with fewer than four trials. Errors: STATUS_NOMEM. */
enum status validation_fit_baselines(struct validation *v, struct err *err);
void validation_release(struct validation *v);
/* Parameters of the trial's network. */
int64_t validation_params(const struct trial *trial);

#endif
