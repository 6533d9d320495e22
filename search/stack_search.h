/* The search of a space whose layers differ: the exact front of each frame (search/space_frames.h,
 * exact/exact_front.h), and of those the front of all. Of a scaled space (search/space_scaling.h) every
 * stack is a frame of its own, and is priced.
 *
 * Objectives and limits are those that add up over blocks: decode_ns, prefill_ns, init_ns,
 * energy_pj_per_token, kv_bytes, peak_bytes, weight_bytes and params, all minimised or bounded from
 * above (params from below too), and score, maximised or bounded from below. With a predictor the score need not add up: the front of a
 * frame is then search/fitted_front.h's. */
#ifndef LATHE_SEARCH_STACK_SEARCH_H
#define LATHE_SEARCH_STACK_SEARCH_H

#include <signal.h>
#include <stddef.h>

#include "base/csv.h"
#include "base/quantity.h"
#include "base/status.h"
#include "exact/stack_dp.h"
#include "search/enumerate.h"
#include "search/judged_stacks.h"
#include "search/metric.h"
#include "search/scored_stacks.h"

#define STACK_OBJECTIVES_DEFAULT "decode_ns,max:score"

/* All borrowed. */
struct stack_search {
    const struct space *space;
    const struct budget *budget;
    const struct machine *machine;
    const struct workload *workload;
    const struct objectives *objectives;
    const struct filter *filter;
    const struct csv *scores;           /* search/layer_scores.h; NULL: none */
    const struct layer_score *ordering; /* in their place; NULL: no scores */
    /* In their place, where the score is no sum; NULL: none. The front is a heuristic one. */
    const struct stack_predictor *predictor;
    struct scored_stacks *table; /* in its place: search/scored_stacks.h; NULL: none */
    size_t evaluations;          /* of the predictor, at most */
    uint64_t seed;
    bool is_evolved;                   /* by search/evolved_front.h, not search/fitted_front.h */
    double eps;                        /* 0: exact */
    int n_jobs;                        /* threads; 0: all */
    const volatile sig_atomic_t *stop; /* NULL: never */
    stack_dp_told *told;               /* how far a table is; NULL allowed */
    void *told_user;
};

struct stack_count {
    int n_frames;
    int64_t n_places, n_classes; /* of the largest frame; the empty place is a class */
    double
        n_stacks; /* of all frames, whatever their parameters and the rules; of a scaled space those in the budget */
};

/* Objectives, limits and scores, against every frame, without work. Errors: STATUS_USAGE (does not
 * add up, names what does), STATUS_INPUT and STATUS_UNSUPPORTED of scores (search/layer_scores.h),
 * STATUS_RANGE, STATUS_NOMEM. */
enum status stack_search_check(const struct stack_search *search, struct stack_count *out,
                               struct err *err);

/* The front by the first objective, best first; ids are places in it. Stacks and texts of the
 * candidates are the list's. */
struct stack_candidates {
    size_t n, capacity;
    struct candidate *candidate; /* [n] */
    size_t n_stacks, stacks_capacity;
    size_t waiting_from;         /* those before were compared with one another already */
    struct listed_stack **stack; /* [n_stacks] */
    size_t evaluations;          /* of the predictor */
    double explained_frac;       /* struct fitted_report, of the last frame */
};
/* A search that passed the check. `out` is written, after errors too: interrupted, it has what was
 * found so far. Errors: those of exact_front. */
enum status stack_search_run(const struct stack_search *search, struct stack_candidates *out,
                             struct err *err);
void stack_candidates_release(struct stack_candidates *candidates);

#endif
