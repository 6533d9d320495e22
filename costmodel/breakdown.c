#include "costmodel/breakdown.h"

#include <math.h>

#include "costmodel/found.h"
#include "costmodel/operator_time.h"

static void add_times(const struct machine *machine, const struct op *op, int level, double times,
                      int64_t bytes, struct price_detail *detail)
{
    struct op_time time = operator_time(machine, op, level);
    int near = time.adds_up ? 0 : found_level(machine, op->activation_bytes);
    detail->role_ns[op->role] += times * time.busy_ns;
    detail->role_bytes[op->role] += bytes;
    detail->level_bytes[level] += bytes;
    detail->flop += llround(times * (double)op->flop);
    detail->fixed_ns += times * machine->op_ns[op->kind];
    if (time.adds_up) {
        detail->level_ns[level] += times * (time.weight_ns + time.kv_ns);
        detail->compute_ns += times * (time.activation_ns + time.compute_ns);
    } else if (time.busy_ns == time.weight_ns || time.busy_ns == time.kv_ns) {
        detail->level_ns[level] += times * time.busy_ns;
    } else if (time.busy_ns == time.activation_ns) {
        detail->level_ns[near] += times * time.busy_ns;
    } else {
        detail->compute_ns += times * time.busy_ns;
    }
}

/* `times` of an operator whose weights or cache are partly found a level before. */
static void add_op(const struct machine *machine, const struct op *op,
                   const struct read_place *place, double times, struct price_detail *detail)
{
    double found = place->found;
    if (op->kind == OP_SAMPLE)
        return;
    int64_t bytes =
        llround(times * (double)(op->weight_bytes + op->kv_read_bytes + op->kv_write_bytes));
    int64_t near = llround(found * (double)bytes);
    double start = times * place->starts * operator_start_ns(machine, op);
    add_times(machine, op, place->level, (1 - found) * times, bytes - near, detail);
    if (found > 0)
        add_times(machine, op, place->level - 1, found * times, near, detail);
    detail->role_ns[op->role] += start;
    detail->level_ns[machine->dram] += start;
}

void breakdown_run(const struct machine *machine, const struct block_ops *block,
                   const struct read_run *run, struct price_detail *detail)
{
    const struct read_place memory = {machine->dram, 0, 1};
    for (int i = 0; i < block->n_ops; i++) {
        const struct op *op = &block->ops[i];
        if (op->group == GROUP_NONE) {
            add_op(machine, op, &run->cache, run->count, detail);
            continue;
        }
        add_op(machine, op, &run->groups[op->group], run->count - run->lost, detail);
        if (run->lost > 0)
            add_op(machine, op, &memory, run->lost, detail);
    }
    detail->fixed_ns += run->count * machine->layer_ns;
}

void breakdown_edge(const struct machine *machine, const struct op *op,
                    const struct read_place *place, struct price_detail *detail)
{
    add_op(machine, op, place, 1, detail);
}
