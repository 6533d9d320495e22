/* The exact Pareto front of stacks whose layers differ.
 *
 * Given the bytes of a pass, what price_network says is a sum over blocks, so that the front is a
 * knapsack: dynamic programming over places and parameters finds it without looking at each stack.
 * What is no sum is taken apart into cases, each of which is one:
 *   the level that weights come from   a range of the pass's bytes (exact/pass_regions.h)
 *   a cache that fades out             each number of bytes for itself
 *   reverse                            the same; the bytes before a block are part of the key
 *   the widest block (peak memory)     a limit on the width
 *   init's square of the depth         the depth is part of the key, where places can stay empty
 *   a uniform reverse stack            priced by itself: the closed form takes a run by its middle
 * Times are added as whole picoseconds, so a front can miss a stack that is better by less than half
 * a picosecond a block. Each stack found is priced by price_network at the end. */
#ifndef LATHE_EXACT_EXACT_FRONT_H
#define LATHE_EXACT_EXACT_FRONT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/quantity.h"
#include "base/status.h"
#include "costmodel/price.h"
#include "exact/stack_dp.h"
#include "exact/stack_rules.h"

/* All are minimised but the score. */
enum stack_quantity {
    STACK_DECODE,  /* ps */
    STACK_PREFILL, /* ps */
    STACK_INIT,    /* ps */
    STACK_ENERGY,  /* fJ a token */
    STACK_KV,      /* bytes of the cache held after the prompt or the context */
    STACK_PEAK,    /* bytes */
    STACK_WEIGHTS, /* bytes */
    STACK_PARAMS,
    STACK_SCORE, /* the sum of the problem's scores; maximised */
    N_STACK_QUANTITIES,
};
extern const char *const stack_quantity_names[N_STACK_QUANTITIES];

enum { MAX_STACK_OBJECTIVES = 6, MAX_STACK_LIMITS = 4, EMPTY_PLACE = -1 };

struct stack_problem {
    /* Everything but the blocks; schedule.n_layers is the number of places. Its sharing is by-block
     * where classes have reruns. With an FFN for all blocks (share_ffn) all classes have one d_ff. */
    const struct transformer *frame;
    const struct block *classes; /* [n_classes], distinct */
    int n_classes;
    bool may_be_empty;   /* a place may have no block */
    const bool *allowed; /* [n_places][n_classes + may_be_empty], empty last; NULL: all */
    struct stack_rules rules;
    const int64_t *score; /* [n_places][n_classes + may_be_empty]; NULL: none */
    int64_t min_params, max_params;
    int n_objectives;
    enum stack_quantity objective[MAX_STACK_OBJECTIVES];
    int n_limits;
    struct stack_limit {
        enum stack_quantity quantity;
        int64_t value; /* at most; of the score: at least */
    } limit[MAX_STACK_LIMITS];
    const struct machine *machine;
    struct workload workload;
    double
        eps; /* 0: exact. Else a stack may be missing whose costs nobody undercuts by more than 1 + eps */
    int n_jobs;                        /* threads; 0: all */
    int64_t memory_bytes;              /* of a table, at most; 0: 2 GiB */
    const volatile sig_atomic_t *stop; /* non-zero: end; NULL: never */
    stack_dp_told *told;               /* how far the table of a case is; NULL allowed */
    void *told_user;
};

struct found_stack {
    int *class_of_place; /* [n_places], EMPTY_PLACE: none; owned */
    struct price price;
    int64_t value[N_STACK_QUANTITIES]; /* of the price, rounded to whole ones; score 0 if none */
};

struct stack_front {
    int64_t n_places;
    size_t n, capacity;
    struct found_stack *stack; /* by ascending first objective, then the others; owned */
    int n_cases;
};

/* `out` is written; where the run is interrupted it has what finished cases found. Errors:
 * STATUS_INPUT (rules that contradict, a score that is missing, no energies), STATUS_NOT_FOUND (no
 * stack inside the budget and limits), STATUS_RANGE (a table beyond memory_bytes, with its size),
 * STATUS_INTERRUPTED, STATUS_NOMEM. */
enum status exact_front(const struct stack_problem *problem, struct stack_front *out,
                        struct err *err);
void stack_front_release(struct stack_front *front);

/* The network of a stack; transformer_release. Errors: STATUS_NOMEM. */
enum status stack_network(const struct stack_problem *problem, const int *class_of_place,
                          struct transformer *out, struct err *err);

/* ---- one stack, whatever found it ---- */

/* The price and the values of the stack whose class_of_place is set; at least one place has a block.
 * Errors: those of price_network, STATUS_NOMEM. */
enum status stack_price(const struct stack_problem *problem, struct found_stack *stack,
                        struct err *err);
/* Whether it is inside budget and limits. */
bool stack_is_within(const struct stack_problem *problem, const struct found_stack *stack);
/* A copy goes last. front->n_places is set. Errors: STATUS_NOMEM, the front unchanged. */
enum status stack_front_add(struct stack_front *front, const struct found_stack *stack,
                            struct err *err);
/* What nothing beats stays, in order; of equal ones the first. Errors: STATUS_NOMEM. */
enum status stack_front_select(const struct stack_problem *problem, struct stack_front *front,
                               struct err *err);

#endif
