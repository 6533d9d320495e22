/* How fast the machine is right now (compute, memory, thread meeting), and timings corrected to a
 * reference state.
 *
 * On a shared machine the speed changes for seconds to minutes, so that repeats do not average it
 * out. A core computes integer products half slower while a neighbour uses its units; others take a
 * part of the memory bandwidth; two cores meet within one cache or across two. Three sentinels tell
 * the state:
 *   - products of quantised and half-precision weights in every thread's nearest caches, which is
 *     what decode computes (plain f32 products feel a third of the slowness);
 *   - a read of memory by all threads together;
 *   - meetings of all threads at a barrier.
 * How much of the state a timing feels is fitted:
 *
 *   log time = item + arithmetic log sum_ns - memory log read_gbps + meeting log meet_ns
 *
 * with a constant for each item (analysis of covariance): timings of the same items in different
 * states tell the exponents, whatever the items are.
 *
 * What it cannot show: states that no sentinel feels (page tables, another share of the last
 * cache), and what happens between two looks. */
#ifndef LATHE_TIMING_MACHINE_STATE_H
#define LATHE_TIMING_MACHINE_STATE_H

#include <stddef.h>

#include "base/status.h"
#include "device/machine.h"

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
/* The state now. Takes some milliseconds on `threads` threads. */
struct machine_state state_probe_look(struct state_probe *probe, int threads);

/* The calm state, in which no neighbour slows arithmetic down: medians of those states whose sum_ns
 * is within STATE_CALM_FRAC of what the fastest tenth reach. It repeats from session to session,
 * which the median of all states does not. So timings need little correction. n >= 1; scratch: [n].
 */
#define STATE_CALM_FRAC 0.05
struct machine_state state_calm(const struct machine_state *states, size_t n, double *scratch);

/* The state that timings are corrected to, by thread count. */
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
/* Fits the exponents to n timings. items: [n], any numbers; timings of one item are compared with
 * each other. Timings are assumed to have 5 % of noise and some outliers. width: of the prior, > 0.
 * The meeting's prior is a quarter as wide: it changes threefold where a token changes by a tenth.
 * Errors: STATUS_NOMEM. */
enum status state_effect_fit(const double *ns, const struct machine_state *states, const int *items,
                             size_t n, const struct state_effect *prior, double width,
                             struct state_effect *out, struct err *err);
/* What a time taken in `state` would have been in `reference`. */
double state_corrected_ns(double ns, const struct state_effect *effect,
                          const struct machine_state *state, const struct machine_state *reference);

#endif
