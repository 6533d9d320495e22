/* The measured clock: networks really run, in turns, until their medians are known.
 *
 * A condition is a network at a thread count in a phase: prefill of a prompt, or decode at a depth
 * of the cache. A plain read of the largest network's weights at each thread count is a condition
 * too: it tells the bandwidth of the machine. Conditions take turns in rounds, forwards and
 * backwards, so that drift and disturbance affect all alike.
 *
 * A condition is done once its median is known over at least three turns: when the standard error
 * of the median, 1.2533 * 1.4826 * MAD / sqrt(n) for a normal sample, is below the asked share of
 * the median. The measurement ends when all are done, when the budget is spent, or when the caller
 * stops it. What was measured until then is kept.
 *
 * Warm: a turn of decode is one token that does not count, then up to 50 ms of tokens, one after
 * the other. What fits in caches is found there. Cold: before every pass each thread reads other
 * bytes until all caches are full of them. Weights and KV cache then come from memory, as on a
 * device whose caches are small. The KV cache has the depth asked for. It holds zeros unless a
 * prompt of that length ran; zeros take as long to read.
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
