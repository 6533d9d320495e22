/* Reuse distances: how many distinct bytes a pass touches between two uses of the same weights.
 *
 * A weight comes from the fastest level whose usable capacity holds its reuse distance (itself
 * included), as an LRU cache of that size would decide (Mattson et al., 1970, stack distance), in
 * the steady state of one pass after another. One rule covers every sharing mode: an immediately
 * repeated block is `its own bytes + its KV cache` away, repeat-all-over the whole stack, reverse
 * twice the way to the turn, an unshared block the whole pass. Within an execution the block's groups
 * of weights are touched once each, in order, the KV cache after the first; activations are left
 * out.
 *
 * Experts are another matter: a pass picks its own, so that what it reads is as far away as all of
 * them together, picked or not. To everything else they are as many bytes as a pass reads of them.
 *
 * What it cannot show: that some experts are picked more often than others, a managed buffer that pins part of a block (LRU gives nothing to a cyclic
 * walk that is one byte too long), sets and lines. */
#ifndef LATHE_COSTMODEL_REUSE_H
#define LATHE_COSTMODEL_REUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/ops.h"

/* Bytes that the walk touches. */
struct reuse_sizes {
    int n_groups;       /* of a block */
    unsigned is_shared; /* bit g: group g is one for all blocks */
    int64_t own;        /* bytes of a block's groups that are not shared */
    int64_t shared;     /* bytes of those that are */
    int64_t kv;         /* KV cache read by one execution */
    int64_t unread;     /* of all blocks: experts that a pass does not pick */
    int64_t edges; /* head, final norm, projections: once a pass, between last and first block */
};

/* `count` executions alike. */
struct reuse_run {
    int64_t count;
    int class;          /* of operator_list.classes */
    int64_t step;       /* by which distances grow along the run, but for groups that are shared */
    unsigned is_shared; /* bit g: as reuse_sizes; set where step is */
    bool immediate;     /* runs again right after itself: its successor's stream can hide */
    int64_t distance[MAX_BLOCK_GROUPS]; /* bytes, the group itself included; [n_groups] are set */
};

/* reuse_sizes.edges of a pass. */
int64_t reuse_edge_bytes(const struct operator_list *list);

/* Distances of execution i of a uniform stack. O(1). */
void reuse_distance(const struct schedule *schedule, const struct reuse_sizes *sizes, int64_t i,
                    struct reuse_run *out);

/* Walks the executions of a pass as few runs: executions join a run when each of their distances
 * lies between the same two capacities, so that they read from the same levels (the distances given
 * are the first one's). 1 to 3 runs for a uniform stack, a few more for reverse; one an execution
 * for a stack of different blocks. */
struct reuse_walk {
    const struct operator_list *list;
    struct reuse_sizes sizes;  /* of a uniform stack; edges for both */
    int64_t pass_bytes;        /* reuse_pass_bytes */
    const int64_t *capacities; /* borrowed */
    int n_capacities;
    int64_t n_executions;
    int64_t next;
    struct reuse_run *runs; /* of a non-uniform stack, owned */
};

/* capacities: ascending bytes; a distance beyond the last is like any other beyond it.
 * Errors: STATUS_NOMEM, for non-uniform stacks only. */
enum status reuse_walk_start(struct reuse_walk *walk, const struct operator_list *list,
                             const int64_t *capacities, int n_capacities, struct err *err);
bool reuse_walk_next(struct reuse_walk *walk, struct reuse_run *run);
void reuse_walk_end(struct reuse_walk *walk);

/* Distinct bytes of a whole pass: weights, KV cache of every execution, edges. */
int64_t reuse_pass_bytes(const struct operator_list *list);

#endif
