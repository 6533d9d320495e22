/* What a machine gives at the moment, and what timings would have been had it given something else.
 *
 * On a shared machine a core computes a third slower while a neighbour uses its units, and memory
 * answers as fast as others leave it: for seconds to minutes, which no number of repeats averages
 * out. Two sentinels tell the state: the same arithmetic by every thread in its nearest caches, and
 * the same read of memory by all threads together. How much of it a kind of timing feels is fitted:
 *
 *   log time = item + arithmetic log sum_ns - memory log read_gbps
 *
 * with a constant for each item (analysis of covariance), so that timings of the same items in
 * different states tell the two exponents and the items themselves do not matter.
 *
 * What it cannot show: states that neither sentinel feels (where two cores meet, page tables). */
#ifndef LATHE_COSTMODEL_MACHINE_STATE_H
#define LATHE_COSTMODEL_MACHINE_STATE_H

#include <stddef.h>

#include "base/status.h"
#include "costmodel/device.h"

struct machine_state {
    double sum_ns;    /* the arithmetic, slowest thread */
    double read_gbps; /* all threads */
};
/* Geometric mean of two. */
struct machine_state machine_state_middle(struct machine_state a, struct machine_state b);

struct state_probe;
/* Free with state_probe_free (NULL allowed). Errors: STATUS_NOMEM. */
enum status state_probe_create(unsigned isa, struct state_probe **out, struct err *err);
void state_probe_free(struct state_probe *probe);
/* Some milliseconds on `threads` threads. */
struct machine_state state_probe_look(struct state_probe *probe, int threads);

/* By thread count: the state that timings are brought to. */
struct state_reference {
    int n, threads[MAX_THREAD_POINTS];
    struct machine_state at[MAX_THREAD_POINTS];
};
/* NULL: none for these threads. */
const struct machine_state *state_reference_at(const struct state_reference *reference,
                                               int threads);

struct state_effect {
    double arithmetic, memory; /* exponents, 0 .. 1.2 */
};
/* From n timings; items: [n], any numbers; those of one item are compared with each other. The
 * prior is as wide as 0.3, timings as noisy as 5 %. Errors: STATUS_NOMEM. */
enum status state_effect_fit(const double *ns, const struct machine_state *states, const int *items,
                             size_t n, const struct state_effect *prior, struct state_effect *out,
                             struct err *err);
/* What a time taken in `state` would have been in `reference`. */
double state_corrected_ns(double ns, const struct state_effect *effect,
                          const struct machine_state *state, const struct machine_state *reference);

#endif
