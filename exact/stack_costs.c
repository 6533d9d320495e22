#include "exact/stack_costs.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "costmodel/reuse.h"
#include "costmodel/totals.h"
#include "model/count.h"

/* Every count is a line in the depth: what a block more adds. */
static void count_class(struct stack_costs *costs, int class)
{
    struct transformer net = costs->net;
    struct param_count params[2];
    struct weight_bytes bytes[2];
    const struct workload *work = &costs->workload;
    struct class_counts *out = &costs->counts[class];
    net.stack = (struct stack){.first = *stack_class(&costs->net.stack, class)};
    for (int n = 1; n <= 2; n++) {
        net.schedule.n_layers = n;
        transformer_stored(&net, &params[n - 1], &bytes[n - 1]);
    }
    out->params = params[1].total - params[0].total;
    out->weight_bytes = bytes[1].total - bytes[0].total;
    costs->params = params[0].total - out->params;
    costs->weight_bytes = bytes[0].total - out->weight_bytes;
    net.schedule.n_layers = 1;
    out->runs = transformer_runs(&net, &net.stack.first);
    out->kv_bytes = transformer_kv_bytes(
        &net, work->prompt > work->context + 1 ? work->prompt : work->context + 1);
    out->wide_bytes = live_activation_bytes(&net, work->prompt);
}

static bool is_shared(const struct stack_costs *costs, const struct weight_group *group)
{
    return costs->net.schedule.share_ffn && group->is_shareable;
}

/* What a pass reads of each class. */
static void size_classes(struct stack_costs *costs, enum phase phase)
{
    const struct operator_list *list = &costs->phase[phase].list;
    costs->edge_bytes[phase] = reuse_edge_bytes(list);
    for (int c = 0; c < costs->n_classes; c++) {
        const struct block_ops *block = &list->classes[c];
        struct class_counts *counts = &costs->counts[c];
        counts->own = 0;
        costs->shared = 0;
        counts->kv[phase] = block->kv_read_bytes;
        for (int g = 0; g < block->n_groups; g++) {
            if (is_shared(costs, &block->groups[g]))
                costs->shared += block->groups[g].bytes;
            else
                counts->own += block->groups[g].bytes;
        }
    }
}

static enum status cost_phase(struct stack_costs *costs, enum phase phase, struct err *err)
{
    struct phase_costs *out = &costs->phase[phase];
    enum status status = phase == PHASE_DECODE
                             ? ops_decode(&costs->net, costs->workload.context, &out->list, err)
                             : ops_prefill(&costs->net, costs->workload.prompt, &out->list, err);
    if (status)
        return status;
    out->costs = memory_new((size_t)costs->n_classes, sizeof *out->costs);
    if (!out->costs)
        return err_set(err, STATUS_NOMEM, "out of memory for %d block classes", costs->n_classes);
    for (int c = 0; c < costs->n_classes; c++)
        block_cost(costs->machine, &out->list.classes[c], &out->costs[c]);
    size_classes(costs, phase);
    return STATUS_OK;
}

enum status stack_costs_start(const struct transformer *frame, const struct block *classes,
                              int n_classes, const struct machine *machine,
                              const struct workload *workload, struct stack_costs *out,
                              struct err *err)
{
    enum status status = STATUS_OK;
    memset(out, 0, sizeof *out);
    out->machine = machine;
    out->workload = *workload;
    out->n_classes = n_classes;
    out->net = *frame;
    out->net.stack = (struct stack){.first = classes[0]};
    out->net.schedule.n_layers = n_classes;
    if ((status = err_unless_between(err, "prompt", workload->prompt, 1, frame->max_context)) ||
        (status =
             err_unless_between(err, "context", workload->context, 0, frame->max_context - 1)) ||
        (status = stack_set(&out->net.stack, classes, n_classes, err)))
        return status;
    out->counts = memory_new((size_t)n_classes, sizeof *out->counts);
    if (!out->counts) {
        stack_costs_end(out);
        return err_set(err, STATUS_NOMEM, "out of memory for %d block classes", n_classes);
    }
    for (int c = 0; c < n_classes; c++)
        count_class(out, c);
    out->table_bytes = lookup_table_bytes(&out->net);
    if ((status = cost_phase(out, PHASE_DECODE, err)) ||
        (status = cost_phase(out, PHASE_PREFILL, err)))
        stack_costs_end(out);
    return status;
}

void stack_costs_end(struct stack_costs *costs)
{
    for (int p = 0; p < 2; p++) {
        ops_release(&costs->phase[p].list);
        memory_free(costs->phase[p].costs);
    }
    stack_release(&costs->net.stack);
    memory_free(costs->counts);
    *costs = (struct stack_costs){0};
}

int64_t stack_pass_bytes(const struct stack_costs *costs, enum phase phase,
                         const struct pass_sums *total)
{
    return costs->edge_bytes[phase] + costs->shared + total->own + total->all_kv;
}

int64_t stack_whole_bytes(const struct stack_costs *costs, const struct pass_sums *total)
{
    return costs->shared + total->own + total->kv;
}

/* Bytes between two uses of a block's own weights, the block and one cache of it included, where
 * the walk turns at the stack's beginning (`side`: the blocks before it) or at its end. */
static int64_t from_the_turn(const struct pass_sums *side, int64_t own, int64_t kv)
{
    return side->own + 2 * side->kv + own + kv;
}

/* As reuse_distance, for blocks that differ. */
static int64_t own_distance(const struct stack_costs *costs, enum phase phase, int class,
                            const struct stack_place *place, int64_t execution)
{
    const struct schedule *schedule = &costs->net.schedule;
    const struct class_counts *counts = &costs->counts[class];
    int64_t own = counts->own, kv = counts->kv[phase], shared = costs->shared;
    int64_t head = execution == 0 ? costs->edge_bytes[phase] : 0;
    int64_t whole = place->whole_bytes + head;
    switch (schedule->sharing) {
    case SHARING_IMMEDIATE:
    case SHARING_BY_BLOCK:
        return execution == 0 ? place->pass_bytes - (counts->runs - 1) * kv : own + shared + kv;
    case SHARING_REVERSE:
        if (execution == 0 && schedule->repeats % 2 != 0)
            return whole;
        return shared + head +
               from_the_turn(execution % 2 == 0 ? &place->before : &place->after, own, kv);
    case SHARING_NONE:
        return place->pass_bytes;
    case SHARING_REPEAT_ALL:
    case N_SHARINGS:
        break;
    }
    return whole;
}

static void set_distances(const struct stack_costs *costs, enum phase phase, int class,
                          const struct stack_place *place, int64_t execution, struct reuse_run *run)
{
    const struct block_ops *block = &costs->phase[phase].list.classes[class];
    const struct class_counts *counts = &costs->counts[class];
    int64_t own = own_distance(costs, phase, class, place, execution);
    /* What all blocks share was last used by the execution before. */
    int64_t shared = counts->own + costs->shared + counts->kv[phase];
    if (execution == 0 && place->is_first)
        shared += costs->edge_bytes[phase];
    for (int g = 0; g < block->n_groups; g++)
        run->distance[g] = is_shared(costs, &block->groups[g]) ? shared : own;
}

static struct pass_steps begin(const struct stack_costs *costs, enum phase phase,
                               int64_t pass_bytes, struct pass *out)
{
    struct pass_steps steps = {
        .machine = costs->machine,
        .list = &costs->phase[phase].list,
        .pass_bytes = pass_bytes,
        .pass = out,
    };
    pass_begin(&steps, costs->table_bytes);
    return steps;
}

void stack_block_pass(const struct stack_costs *costs, enum phase phase, int class,
                      const struct stack_place *place, struct pass *out)
{
    enum sharing sharing = costs->net.schedule.sharing;
    bool is_immediate = sharing == SHARING_IMMEDIATE || sharing == SHARING_BY_BLOCK;
    struct pass_steps steps = begin(costs, phase, place->pass_bytes, out);
    out->ns = 0;
    for (int64_t execution = 0; execution < costs->counts[class].runs; execution++) {
        struct reuse_run run = {.count = 1, .class = class};
        run.immediate = is_immediate && execution > 0;
        set_distances(costs, phase, class, place, execution, &run);
        pass_add_run(&steps, &run, &costs->phase[phase].costs[class]);
    }
    pass_end(&steps);
}

void stack_edge_pass(const struct stack_costs *costs, enum phase phase, int64_t pass_bytes,
                     struct pass *out)
{
    struct pass_steps steps = begin(costs, phase, pass_bytes, out);
    pass_add_edges(&steps);
    pass_end(&steps);
}
