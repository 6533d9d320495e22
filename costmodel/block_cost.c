#include "costmodel/block_cost.h"

#include <stddef.h>
#include <string.h>

#include "costmodel/operator_time.h"

void op_cost_of(const struct machine *machine, const struct op *op, struct op_cost *out)
{
    *out = (struct op_cost){
        .group = op->group,
        .touches_cache = op->kv_read_bytes + op->kv_write_bytes > 0,
        .beyond_timings = operator_beyond_timings(machine, op),
        .start_ns = operator_start_ns(machine, op),
        .fixed_ns = machine->op_ns[op->kind],
        .weight_bytes = op->weight_bytes,
        .kv_read_bytes = op->kv_read_bytes,
        .kv_bytes = op->kv_read_bytes + op->kv_write_bytes,
        .activation_bytes = op->activation_bytes,
        .flop = op->flop,
    };
    bool by_level = op->group != GROUP_NONE || out->touches_cache;
    for (int level = 0; level < (by_level ? machine->n_levels : 1); level++)
        out->ns[level] = operator_time(machine, op, level).busy_ns;
}

/* The groups are many, and few blocks have more than two: only those in use are touched. */
void block_cost_copy(const struct block_cost *from, struct block_cost *to)
{
    memcpy(to, from,
           offsetof(struct block_cost, groups) + (size_t)from->n_groups * sizeof *from->groups);
}

void block_cost_start(const struct machine *machine, struct block_cost *cost)
{
    memset(cost, 0, offsetof(struct block_cost, groups));
    cost->fixed_ns = machine->layer_ns;
}

void block_cost_add(const struct machine *machine, const struct op_cost *op,
                    struct block_cost *cost)
{
    cost->fixed_ns += op->fixed_ns;
    cost->beyond_timings |= op->beyond_timings;
    cost->kv_bytes += op->kv_bytes;
    cost->kv_read_bytes += op->kv_read_bytes;
    cost->activation_bytes += op->activation_bytes;
    cost->flop += op->flop;
    if (op->group == GROUP_NONE && !op->touches_cache) {
        cost->other_ns += op->ns[0];
        return;
    }
    double *by_level = cost->kv_ns;
    if (op->group != GROUP_NONE) {
        while (cost->n_groups <= op->group)
            cost->groups[cost->n_groups++] = (struct group_cost){.start_ns = 0};
        struct group_cost *group = &cost->groups[op->group];
        by_level = group->ns;
        group->start_ns += op->start_ns;
        group->bytes += op->weight_bytes;
        cost->weight_bytes += op->weight_bytes;
    }
    for (int level = 0; level < machine->n_levels; level++)
        by_level[level] += op->ns[level];
}

void block_cost(const struct machine *machine, const struct block_ops *block,
                struct block_cost *cost)
{
    struct op_cost op;
    block_cost_start(machine, cost);
    for (int i = 0; i < block->n_ops; i++) {
        op_cost_of(machine, &block->ops[i], &op);
        block_cost_add(machine, &op, cost);
    }
}
