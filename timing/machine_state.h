/* What a machine gives at the moment, and what timings would have been had it given something else.
 *
 * On a shared machine a core computes integer products half slower while a neighbour uses its
 * units, memory answers as fast as others leave it, and two cores meet within one cache or across
 * two: for seconds to minutes, which no number of repeats averages out. Three sentinels tell the
 * state: products of quantised and half-precision weights in every thread's nearest caches (what
 * decode computes; plain f32 products feel a third of it), a read of memory by all threads
 * together, and meetings at a barrier. How much of it a timing feels is fitted:
 *
 *   log time = item + arithmetic log sum_ns - memory log read_gbps + meeting log meet_ns
 *
 * with a constant for each item (analysis of covariance), so that timings of the same items in
 * different states tell the exponents and the items themselves do not matter.
 *
 * What it cannot show: states that no sentinel feels (page tables, another share of the last
 * cache), and what happens between two looks. */
#ifndef LATHE_TIMING_MACHINE_STATE_H
#define LATHE_TIMING_MACHINE_STATE_H

#include <stddef.h>

#include "base/status.h"
#include "device/device.h"

struct machine_state {
    double sum_ns;    /* the arithmetic, slowest thread */
    double read_gbps; /* all threads */
    double meet_ns;   /* a meeting of all threads; one thread: 1 */
};
enum state_part {
    STATE_ARITHMETIC,
    STATE_MEMORY,
    STATE_MEETING,
    N_STATE_PARTS,
};
/* Geometric mean of two. */
struct machine_state machine_state_middle(struct machine_state a, struct machine_state b);

struct state_probe;
/* Free with state_probe_free (NULL allowed). Errors: STATUS_NOMEM. */
enum status state_probe_create(unsigned isa, struct state_probe **out, struct err *err);
void state_probe_free(struct state_probe *probe);
/* Some milliseconds on `threads` threads. */
struct machine_state state_probe_look(struct state_probe *probe, int threads);

/* The state in which nobody takes arithmetic away: medians of those states whose sum_ns is within
 * STATE_CALM_FRAC of what the fastest tenth reach. Unlike the median of all it is the same from
 * session to session, so that timings of two sessions need little bringing. n >= 1; scratch: [n].
 */
#define STATE_CALM_FRAC 0.05
struct machine_state state_calm(const struct machine_state *states, size_t n, double *scratch);

/* By thread count: the state that timings are brought to. */
struct state_reference {
    int n, threads[MAX_THREAD_POINTS];
    struct machine_state at[MAX_THREAD_POINTS];
};
/* NULL: none for these threads. */
const struct machine_state *state_reference_at(const struct state_reference *reference,
                                               int threads);

struct state_effect {
    double of[N_STATE_PARTS]; /* exponents, >= 0 */
};
/* From n timings; items: [n], any numbers; those of one item are compared with each other. Timings
 * are taken for 5 % noisy, and some for outliers. width: of the prior, > 0; a quarter of it for the
 * meeting, which changes threefold where a token changes by a tenth. Errors: STATUS_NOMEM. */
enum status state_effect_fit(const double *ns, const struct machine_state *states, const int *items,
                             size_t n, const struct state_effect *prior, double width,
                             struct state_effect *out, struct err *err);
/* What a time taken in `state` would have been in `reference`. */
double state_corrected_ns(double ns, const struct state_effect *effect,
                          const struct machine_state *state, const struct machine_state *reference);

#endif
