/* price_network in two steps, for a search over uniform stacks: what depends neither on depth,
 * schedule nor tying once, then any number of stacks of that block. Both ways give the same to the
 * bit. */
#ifndef LATHE_COSTMODEL_SHAPE_PRICE_H
#define LATHE_COSTMODEL_SHAPE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "costmodel/pass.h"
#include "costmodel/price.h"
#include "costmodel/totals.h"
#include "device/machine.h"
#include "model/ops.h"

/* The block in one phase: its operators and what they cost. */
struct phase_price {
    struct operator_list list;
    struct block_cost cost;
};

struct shape_price {
    const struct machine *machine;
    struct workload workload;
    struct transformer net; /* with the schedule last priced */
    struct phase_price decode, prefill;
    struct counted counted; /* of the network last priced */
    struct {                /* what it was worked out from */
        bool valid, share_ffn, tie_embeddings;
        int64_t live_bytes;
        struct counted one, two; /* at one and two layers: all counts are lines in the depth */
    } line;
};

/* `net` is uniform and passed transformer_check. `machine` is borrowed. shape_price points inside
 * itself: do not copy it. Nothing is allocated, so nothing is released. */
void price_shape(const struct transformer *net, const struct machine *machine,
                 const struct workload *workload, struct shape_price *out);

/* `schedule`, as part of the network, passed transformer_check. */
void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out);

#endif
