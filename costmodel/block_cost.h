/* What one execution of a block costs, by the level its weights come from: the sum of its operators,
 * in their order. A search that prices many shapes keeps sums of first operators, and adds the rest:
 * the same to the bit. */
#ifndef LATHE_COSTMODEL_BLOCK_COST_H
#define LATHE_COSTMODEL_BLOCK_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "device/machine.h"
#include "model/ops.h"

/* One operator. */
struct op_cost {
    int group; /* of its weights; GROUP_NONE: it has none */
    bool touches_cache, beyond_timings;
    double ns[MAX_LEVELS]; /* its weights and cache from [level]; [0] only where it has neither */
    double start_ns;       /* until the first bytes of its matrix come from memory */
    double fixed_ns;
    int64_t weight_bytes, kv_read_bytes, kv_bytes, activation_bytes, flop;
};
void op_cost_of(const struct machine *machine, const struct op *op, struct op_cost *out);

struct block_cost {
    double kv_ns[MAX_LEVELS]; /* attention over the KV cache, at [level of the cache] */
    double other_ns;          /* operators without weights or cache */
    double fixed_ns;          /* per operator and per executed block */
    int64_t weight_bytes;     /* all groups */
    int64_t kv_bytes, kv_read_bytes, activation_bytes, flop; /* kv_bytes: read and written */
    bool beyond_timings;
    int n_groups;
    struct group_cost {
        double ns[MAX_LEVELS]; /* operators on these weights, at [level] */
        double start_ns;       /* of their matrices, all from memory */
        int64_t bytes;
    } groups[MAX_BLOCK_GROUPS]; /* [n_groups] are set */
};
/* Of no operator yet. */
void block_cost_start(const struct machine *machine, struct block_cost *cost);
void block_cost_add(const struct machine *machine, const struct op_cost *op,
                    struct block_cost *cost);
void block_cost_copy(const struct block_cost *from, struct block_cost *to);
/* Of all of a block's. */
void block_cost(const struct machine *machine, const struct block_ops *block,
                struct block_cost *cost);

#endif
