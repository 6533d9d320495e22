/* The walk over one pass: what it takes, given what one execution of each block class costs.
 *
 * Executions are taken in runs that read from the same levels (costmodel/reuse.h). Each costs what
 * its class costs at those levels; a cost per executed block and per pass come on top. While a
 * repeated block runs from SRAM the next block's DRAM stream runs ahead as far as there is room. */
#ifndef LATHE_COSTMODEL_PASS_H
#define LATHE_COSTMODEL_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "costmodel/block_cost.h"
#include "costmodel/breakdown.h"
#include "costmodel/reuse.h"
#include "device/machine.h"
#include "model/ops.h"

/* Everything about one pass that a price is made of. */
struct pass {
    double ns;        /* hidden_ns taken off */
    double hidden_ns; /* stream hidden under repeated blocks... */
    int hidden_level; /* ...from this level */
    double flop, activation_bytes;
    double level_bytes[MAX_LEVELS]; /* weights and KV cache */
    bool beyond_timings;
};

/* The walk piece by piece, for who knows the distances without walking (exact/): pass_walk is begin,
 * each run of costmodel/reuse.h, the edges, end. What follows from the runs of one block does not
 * depend on those of others, so a pass is a sum over blocks once its bytes are known. */
struct pass_steps {
    const struct machine *machine;
    const struct operator_list *list;
    int64_t pass_bytes;       /* distinct, of the whole pass */
    struct read_place once;   /* of what is used once a pass: edges and cache */
    struct read_place gather; /* of the gathered rows of an untied table: cold beyond it */
    /* Of the last first run of a block, for its repeats: level, time, share from memory. */
    int first_level;
    double first_ns, first_far;
    struct pass *pass;           /* borrowed, as the rest */
    struct price_detail *detail; /* NULL, or gets the pass operator by operator */
};
/* machine, list, pass_bytes, pass and detail are set. */
void pass_begin(struct pass_steps *steps, int64_t table_bytes);
/* Repeats of a block come after its first run. cost: of the run's class. */
void pass_add_run(struct pass_steps *steps, const struct reuse_run *run,
                  const struct block_cost *cost);
/* Prologue and epilogue. */
void pass_add_edges(struct pass_steps *steps);
/* Takes off what is hidden. */
void pass_end(struct pass_steps *steps);

/* costs: [list->n_classes]. table_bytes: of a token table that nothing but the lookup reads, else
 * 0. detail: NULL, or gets the pass operator by operator. Errors: STATUS_NOMEM, for a stack of
 * different blocks only. */
enum status pass_walk(const struct machine *machine, const struct operator_list *list,
                      const struct block_cost *costs, int64_t table_bytes, struct pass *pass,
                      struct price_detail *detail, struct err *err);

#endif
