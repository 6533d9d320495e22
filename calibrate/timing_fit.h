/* Fits the timings of a profile: what a pass costs, from whole networks that ran.
 *
 * Kernels timed alone do not add up to a network: between them stand barriers, cold instruction
 * and data lines, prefetchers that start anew with every matrix. So the terms are those of single
 * kernels (ns a byte by type and level, a row, an input element, an element of a query, a score, an
 * operator, a pass), kernel timings are their prior, and networks timed through the runtime decide.
 * Everything that price_network adds up is linear in them, so that the coefficients of a trial are
 * prices of a machine on which one term costs 1 ns and all others nothing: there is no second
 * formula. Terms are never negative. A term of which the networks say nothing keeps its kernel's
 * value.
 *
 * What it cannot show: interplay of terms (a stream that hides arithmetic) beyond what bytes at a
 * level absorb. */
#ifndef LATHE_CALIBRATE_TIMING_FIT_H
#define LATHE_CALIBRATE_TIMING_FIT_H

#include "base/status.h"
#include "device/machine.h"
#include "timing/trial.h"

struct timing_fit {
    const struct trial *trials; /* only those at the machine's threads are used */
    int n_trials;
    const int *fold; /* [n_trials] or NULL */
    int left_out;    /* fold that is not fitted to; -1: none */
};

/* *machine: has_timings, every term at its kernel's value; out: fitted. loss: out, mean error of
 * decode over what it was fitted to; NULL allowed. Errors: STATUS_INPUT (no trial at these
 * threads), STATUS_NOMEM, those of price_network. */
enum status timing_fit(const struct timing_fit *fit, struct machine *machine, double *loss,
                       struct err *err);

/* |predicted / measured - 1| of decode and of prefill (NaN where none was timed), of the trials of
 * this fold (-1: all) at the machine's threads, appended at errors[*n]. */
enum status timing_errors(const struct timing_fit *fit, const struct machine *machine, int fold,
                          double *decode, double *prefill, int *n, struct err *err);

#endif
