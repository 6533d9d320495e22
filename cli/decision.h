/* A stored front that helps to decide: its knee, a few candidates that stand for it, the bounds that it
 * lies on and what loosening them buys. Words and JSON: cli/decision_text.h. */
#ifndef LATHE_CLI_DECISION_H
#define LATHE_CLI_DECISION_H

#include "db/query.h"
#include "search/binding.h"

/* What the search finds with a bound loosened. Objective by objective, >= 0, in its own unit. */
struct loosening {
    char not_searched[256];         /* why; "": it was */
    double at_knee[MAX_OBJECTIVES]; /* better than the knee where nothing else is worse */
    double at_best[MAX_OBJECTIVES]; /* better than the best of the front */
};

struct decision {
    int64_t run_id;
    struct objectives objectives;
    int64_t vocab_size;      /* losses of others are not compared; 0: there is one, or no loss */
    size_t n;                /* candidates of the front that are not outdone */
    struct candidate *front; /* [n] by the first objective, best first; owned, with their stacks */
    size_t knee, n_picked;
    size_t *picked;        /* [n_picked], ascending; owned */
    struct bounds *bounds; /* owned; NULL: see why_no_bounds */
    char why_no_bounds[256];
    int n_bindings;
    struct binding binding[MAX_BINDINGS];
    struct loosening loosening[MAX_BINDINGS];
    /* What the above borrows from. */
    struct rows rows;
    struct stack *stacks;        /* [n] */
    double *score;               /* [n][objectives], as objective_score */
    double best[MAX_OBJECTIVES]; /* scores, of the outdone too */
};

/* query: the part of the front; its run may be 0, its order is set here.
 *   k  how many stand for the front
 * Release with decision_release, after errors too. Errors: those of query_candidates, STATUS_INPUT (the
 * run is no search), STATUS_NOT_FOUND (no candidate), STATUS_INTERRUPTED, STATUS_NOMEM. What cannot be
 * searched again is no error. */
enum status decision_make(struct store *store, const struct candidate_query *query, size_t k,
                          struct decision *out, struct err *err);
void decision_release(struct decision *decision);

#endif
