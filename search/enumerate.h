/* The enumerator: every architecture of a space within a budget, once, in canonical order, priced.
 *
 * Canonical order (outer to inner): dtype, kv_dtype, vocab_size, d_model, d_head, n_heads, n_kv_heads, d_ff,
 * tie_embeddings, schedule, n_layers; a candidate's rank in it is its id. The outer eight make a
 * *shape*: it is listed and priced once, then the depth is solved for and the schedules run over
 * it. The number of candidates is known before the first is priced. Threads share the shapes; rows
 * come out in order and equal to the bit whatever the thread count. */
#ifndef LATHE_SEARCH_ENUMERATE_H
#define LATHE_SEARCH_ENUMERATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/quantity.h"
#include "base/status.h"
#include "contract/candidate_fields.h"
#include "costmodel/price.h"
#include "search/space.h"

/* One architecture with its counts and price. What the search cannot know of the row (run_id) is
 * unknown, and of its loss all but the difference and the points (loss_scale_describe); its texts are static. Copied like a number: where layers differ their stack is borrowed
 * from the search that made the candidate, and the row's heads and widths are unknown. */
struct candidate {
    struct candidate_row row;
    const struct stack *stack; /* NULL: uniform, as the row says */
    struct schedule schedule;  /* as a network has it, with n_layers */
    enum dtype dtype, kv_dtype;
    enum ffn_kind ffn;
    int64_t max_context;
};

/* The network of a candidate, to be released where layers differ. Its name has all that
 * architectures of a space can differ in, types aside: "d576-l30x2m-h9x64-kv3-f1536-v32000" or,
 * with layers that differ, "d576-l32-c5-<hash of the stack>-v32000". Errors: STATUS_NOMEM, for the
 * latter only. */
enum status candidate_transformer(const struct candidate *candidate, struct transformer *out,
                                  struct err *err);

/* A shape with the candidates it has in the budget. */
struct shape {
    int64_t d_model, vocab_size;
    struct stack stack; /* the classes of its blocks; one, as spaces are today */
    enum dtype dtype, kv_dtype;
    int64_t first_id, count;
    int64_t first_row; /* candidates of the enumeration before it: its first_id, in a whole one */
};

struct enumeration {
    const struct space *space; /* borrowed */
    struct budget budget;
    struct shape *shapes; /* those with count > 0, in canonical order; owned */
    size_t n_shapes;
    int64_t count; /* candidates in all */
};

/* Solves every shape's depth. Errors: STATUS_RANGE when nothing is inside the budget, with the
 * nearest reachable parameter count; STATUS_UNSUPPORTED for a space whose layers differ; STATUS_NOMEM. */
enum status enumeration_start(const struct space *space, const struct budget *budget,
                              struct enumeration *out, struct err *err);
void enumeration_end(struct enumeration *enumeration);
/* The id after the last: in a whole one its count, in a part (search/share.h) more. */
static inline int64_t enumeration_ids_end(const struct enumeration *e)
{
    return e->n_shapes > 0 ? e->shapes[e->n_shapes - 1].first_id + e->shapes[e->n_shapes - 1].count
                           : 0;
}

struct loss_scale; /* search/loss_scale.h */

struct enumerate_options {
    int n_jobs;                    /* OpenMP threads; 0 = all */
    int64_t first_id;              /* resume: candidates before it are not priced */
    int64_t batch;                 /* candidates a callback gets, about; 0 = a good default */
    const struct loss_scale *loss; /* what losses are compared by; NULL: they stay unknown */
    volatile sig_atomic_t *stop;   /* non-zero: end after the batch in flight; NULL = never */
};

/* Gets `n` priced candidates with ascending ids (consecutive, unless the enumeration is a part: see
 * search/share.h), from one thread at a time while others price the
 * next batch. A status other than STATUS_OK ends the enumeration and is its result. */
typedef enum status enumerate_callback(const struct candidate *candidates, int64_t n, void *user,
                                       struct err *err);

/* Errors: the callback's, STATUS_NOMEM, STATUS_INTERRUPTED when `stop` was set, STATUS_RANGE when
 * the workload does not fit max_context. */
enum status enumerate_candidates(const struct enumeration *enumeration,
                                 const struct machine *machine, const struct workload *workload,
                                 const struct enumerate_options *options,
                                 enumerate_callback *callback, void *user, struct err *err);

#endif
