/* Where the time and bytes of a pass go: what the walk over it (costmodel/pass.h) records when
 * asked to. */
#ifndef LATHE_COSTMODEL_BREAKDOWN_H
#define LATHE_COSTMODEL_BREAKDOWN_H

#include <stdint.h>

#include "device/machine.h"
#include "model/ops.h"

struct price_detail {
    double role_ns[N_OP_ROLES];      /* by operator role, without fixed costs */
    double level_ns[MAX_LEVELS];     /* time bound by this level's bandwidth */
    double compute_ns;               /* time bound by FLOPs */
    double fixed_ns;                 /* per operator, layer and pass */
    double hidden_ns;                /* stream hidden under repeated blocks (subtracted)... */
    int hidden_level;                /* ...from this level */
    int64_t level_bytes[MAX_LEVELS]; /* weights and KV read from each level */
    int64_t role_bytes[N_OP_ROLES];
    int64_t flop;
};

/* Where a read finds its bytes. */
struct read_place {
    int level;
    double found;  /* share of it that the level before still has */
    double starts; /* of its matrices, the share that waits for memory */
};

/* `count` executions of a block. */
struct read_run {
    double count;
    double lost; /* of `count`: those whose weights come from memory again */
    struct read_place cache;
    struct read_place groups[MAX_BLOCK_GROUPS];
};

void breakdown_run(const struct machine *machine, const struct block_ops *block,
                   const struct read_run *run, struct price_detail *detail);
/* An operator outside the blocks. */
void breakdown_edge(const struct machine *machine, const struct op *op,
                    const struct read_place *place, struct price_detail *detail);

#endif
