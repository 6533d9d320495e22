#include "exact/stack_values.h"

#include "costmodel/totals.h"
#include "exact/pass_regions.h"

int64_t stack_block_value(const struct stack_costs *costs, enum stack_quantity quantity, int class,
                          const struct stack_place place[2])
{
    const struct class_counts *counts = &costs->counts[class];
    const struct machine *machine = costs->machine;
    enum phase phase = quantity == STACK_PREFILL ? PHASE_PREFILL : PHASE_DECODE;
    struct pass pass;
    switch (quantity) {
    case STACK_DECODE:
    case STACK_PREFILL:
        stack_block_pass(costs, phase, class, &place[phase], &pass);
        return exact_ps(pass.ns);
    case STACK_ENERGY:
        stack_block_pass(costs, phase, class, &place[phase], &pass);
        return exact_fj(pass_energy_pj(machine, &pass));
    case STACK_INIT:
        return exact_ps(
            (machine->init_gbps > 0 ? (double)counts->weight_bytes / machine->init_gbps : 0) +
            (double)counts->runs * machine->init_layer_ns);
    case STACK_KV:
        return counts->kv_bytes;
    case STACK_PEAK:
        return counts->weight_bytes + counts->kv_bytes;
    case STACK_WEIGHTS:
        return counts->weight_bytes;
    case STACK_PARAMS:
        return counts->params;
    case STACK_SCORE:
    case N_STACK_QUANTITIES:
        break;
    }
    return 0;
}

int64_t stack_edge_value(const struct stack_costs *costs, enum stack_quantity quantity,
                         const struct stack_place place[2], int64_t n_blocks)
{
    const struct machine *machine = costs->machine;
    enum phase phase = quantity == STACK_PREFILL ? PHASE_PREFILL : PHASE_DECODE;
    double n = (double)n_blocks;
    struct pass pass;
    switch (quantity) {
    case STACK_DECODE:
    case STACK_PREFILL:
        stack_edge_pass(costs, phase, place[phase].pass_bytes, &pass);
        return exact_ps(pass.ns);
    case STACK_ENERGY:
        stack_edge_pass(costs, phase, place[phase].pass_bytes, &pass);
        return exact_fj(pass_energy_pj(machine, &pass));
    case STACK_INIT:
        return exact_ps(
            machine->init_fixed_ns +
            (machine->init_gbps > 0 ? (double)costs->weight_bytes / machine->init_gbps : 0) +
            n * n * machine->init_block_sq_ns);
    case STACK_PEAK:
    case STACK_WEIGHTS:
        return costs->weight_bytes;
    case STACK_PARAMS:
        return costs->params;
    case STACK_SCORE:
    case STACK_KV:
    case N_STACK_QUANTITIES:
        break;
    }
    return 0;
}
