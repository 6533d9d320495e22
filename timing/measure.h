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

#include "base/status.h"
#include "timing/measurement.h"

/* Runs everything. Release with measurement_release, whatever the status. Errors: those of
 * weights_random, weights_open_gguf and runner_create, with the model's name in front;
 * STATUS_INTERRUPTED (the rest is kept), STATUS_NOMEM. */
enum status measure_run(const struct measure_plan *plan, struct measurement *out, struct err *err);

#endif
