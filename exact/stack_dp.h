/* Dynamic programming over the places of a stack: all stacks that nothing beats, by what has to be
 * equal and what may only be less.
 *
 * Two partial stacks are compared when every later block would be allowed to both and cost both the
 * same: they agree in the state of the rules and in the sums that must hit a range at the end (the
 * parameters, the bytes of a pass). Of those the labels of exact/label_set.h are kept. First the
 * keys are listed, place by place, without labels, so that what is too large is refused before work
 * starts. Keys of a place are worked out in parallel, each by one thread in a fixed order: the
 * result does not depend on the threads. */
#ifndef LATHE_EXACT_STACK_DP_H
#define LATHE_EXACT_STACK_DP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exact/label_set.h"
#include "exact/stack_rules.h"

enum { MAX_SUMS = 6 };

/* How far a table is: places whose keys are listed, or whose labels are found, and how many of them
 * the last one has. */
struct stack_dp_at {
    bool has_labels;
    int64_t place, n_places, n;
};
typedef void stack_dp_told(const struct stack_dp_at *at, void *user);

struct stack_dp {
    struct rule_automaton rules; /* places and choices */
    int n_sums;
    const int64_t *sum;                           /* [n_choices][n_sums], >= 0; borrowed */
    int64_t sum_min[MAX_SUMS], sum_max[MAX_SUMS]; /* of a whole stack */
    struct label_rules labels;
    int64_t most[MAX_COSTS]; /* of a whole stack; INT64_MAX: any */
    /* What `choice` costs in `place` after partial stacks with these sums, no block among them if
     * is_first; out: [n_costs]. Called by several threads. */
    void (*cost)(const void *user, int64_t place, int choice, bool is_first, const int64_t *sums,
                 int64_t *out);
    const void *user;
    const int64_t *least; /* [n_places][n_costs]: none of a place's costs is less; borrowed */
    int n_jobs;           /* threads; 0: all */
    int64_t memory_bytes; /* at most */
    const volatile sig_atomic_t *stop; /* non-zero: end; NULL: never */
    stack_dp_told *told;               /* after each place, by the caller's thread; NULL allowed */
    void *told_user;
};

/* A stack that nothing beats: its choices [n_places] and costs [n_costs]. A status other than
 * STATUS_OK ends the run and is its result. */
typedef enum status stack_dp_found(const int *choices, const int64_t *cost, void *user,
                                   struct err *err);

/* Calls found for the stacks that nothing beats. Errors: found's;
 * STATUS_RANGE when the table would be larger than memory_bytes, with its size and what makes it
 * large; STATUS_INTERRUPTED; STATUS_NOMEM. */
enum status stack_dp_run(const struct stack_dp *dp, stack_dp_found *found, void *user,
                         struct err *err);

/* Calls found for the sums of each key that whole stacks can end with: choices NULL, the sums in the
 * place of costs. Limits on costs are not looked at. Errors: as stack_dp_run. */
enum status stack_dp_sums(const struct stack_dp *dp, stack_dp_found *found, void *user,
                          struct err *err);

#endif
