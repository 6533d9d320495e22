/* What a block costs in a place of a stack, once the bytes of the pass are known.
 *
 * All that price_network gives is a sum over blocks then: the time of a block depends on its class,
 * on how many bytes the whole pass touches (which decide from where weights come), and, where blocks
 * run backwards, on the bytes before and after it. docs/method.md, Reuse distances. The formulas are
 * those of the walk (costmodel/pass.h), which runs here over one block. */
#ifndef LATHE_EXACT_STACK_COSTS_H
#define LATHE_EXACT_STACK_COSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "costmodel/pass.h"
#include "costmodel/price.h"
#include "device/machine.h"
#include "model/ops.h"

/* Of one block of a class, whatever its place. */
struct class_counts {
    int64_t params, weight_bytes; /* without an FFN that all blocks share */
    int64_t kv_bytes;             /* of the cache held, by all its executions */
    int64_t wide_bytes;           /* of its widest activations: live_activation_bytes */
    int64_t own;                  /* bytes that a pass reads of it alone */
    int64_t kv[2];                /* cache bytes that one execution reads, by phase */
    int64_t runs;                 /* executions of it */
};

struct stack_costs {
    const struct machine *machine; /* borrowed */
    struct workload workload;
    struct transformer net; /* the frame: its stack is the classes in order */
    int n_classes;
    struct class_counts *counts;                /* [n_classes]; owned */
    int64_t params, weight_bytes;               /* of what is no block, and of a shared FFN */
    int64_t edge_bytes[2], table_bytes, shared; /* of a pass: edges, the token table, shared FFN */
    struct phase_costs {
        struct operator_list list;
        struct block_cost *costs; /* [n_classes] */
    } phase[2];                   /* by enum phase */
};

/* frame: transformer_check passes with every class; its own stack is not looked at, its schedule
 * is: by-block where classes have reruns. Classes are distinct. Points inside itself: do not copy.
 * Errors: STATUS_NOMEM, STATUS_RANGE (workload). */
enum status stack_costs_start(const struct transformer *frame, const struct block *classes,
                              int n_classes, const struct machine *machine,
                              const struct workload *workload, struct stack_costs *out,
                              struct err *err);
void stack_costs_end(struct stack_costs *costs);

/* Sums over blocks of what a pass touches: of their own weights; of the cache, by one execution of
 * each, and by all. */
struct pass_sums {
    int64_t own, kv, all_kv;
};

/* What the cost of a block depends on beside its class. */
struct stack_place {
    bool is_first;       /* the first block */
    int64_t pass_bytes;  /* of the whole stack: stack_pass_bytes */
    int64_t whole_bytes; /* of all weights and one cache of each block: stack_whole_bytes */
    struct pass_sums before, after; /* of the blocks before and after it; schedule reverse only */
};
/* Bytes of the pass (reuse_pass_bytes). */
int64_t stack_pass_bytes(const struct stack_costs *costs, enum phase phase,
                         const struct pass_sums *total);
int64_t stack_whole_bytes(const struct stack_costs *costs, const struct pass_sums *total);
/* All executions of a block, as a pass of its own without edges and fixed cost. */
void stack_block_pass(const struct stack_costs *costs, enum phase phase, int class,
                      const struct stack_place *place, struct pass *out);
/* Edges and fixed cost. */
void stack_edge_pass(const struct stack_costs *costs, enum phase phase, int64_t pass_bytes,
                     struct pass *out);

#endif
