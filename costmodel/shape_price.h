/* price_network in two steps, for a search: what depends neither on depth, sequence, schedule nor
 * tying once, then any number of stacks over it. A block class is costed once, however many blocks
 * have it and in however many stacks it is. Both ways give the same to the bit. */
#ifndef LATHE_COSTMODEL_SHAPE_PRICE_H
#define LATHE_COSTMODEL_SHAPE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "costmodel/pass.h"
#include "costmodel/price.h"
#include "costmodel/totals.h"
#include "device/machine.h"
#include "model/ops.h"

/* The classes in one phase: their operators and what they cost. */
struct phase_price {
    struct operator_list list;
    struct block_ops *classes; /* [n_classes], those of `list` */
    struct block_cost *costs;  /* [n_classes]; points at `one` where there is one class */
    struct block_cost one;
};

struct shape_price {
    const struct machine *machine;
    struct workload workload;
    int n_classes;
    struct stack table;     /* the classes; borrowed */
    struct transformer net; /* with the stack and schedule last priced */
    struct phase_price decode, prefill;
    struct counted counted; /* of the network last priced */
    struct {                /* of a uniform stack; what it was worked out from */
        bool valid, share_ffn, tie_embeddings;
        int class;
        int64_t live_bytes;
        struct counted one, two; /* at one and two layers: all counts are lines in the depth */
    } line;
};

/* `net` passed transformer_check; only its classes count, not its sequence. It is borrowed like
 * `machine`. shape_price points inside itself: do not copy it. A network with one class needs no
 * memory: it cannot fail, and need not be released. Errors: STATUS_NOMEM. */
enum status price_shape(const struct transformer *net, const struct machine *machine,
                        const struct workload *workload, struct shape_price *out, struct err *err);
void price_shape_release(struct shape_price *shape);

/* The uniform stack of class 0. `schedule`, as part of the network, passed transformer_check. */
void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out);

/* A stack whose block i is of class class_of_block[i], i in 0 .. schedule->n_layers - 1; classes
 * need not all appear. Errors: STATUS_NOMEM. */
enum status price_sequence(struct shape_price *shape, const int *class_of_block,
                           const struct schedule *schedule, bool tie_embeddings, struct price *out,
                           struct err *err);

#endif
