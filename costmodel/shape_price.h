/* price_network in two steps, for a search: what depends neither on depth, schedule nor tying once,
 * then any number of schedules over it. Uniform networks only. Both give the same to the bit. */
#ifndef LATHE_COSTMODEL_SHAPE_PRICE_H
#define LATHE_COSTMODEL_SHAPE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "costmodel/pass.h"
#include "costmodel/price.h"
#include "costmodel/totals.h"
#include "device/device.h"
#include "model/ops.h"

struct shape_price {
    const struct machine *machine;
    struct workload workload;
    struct transformer net; /* with the schedule of the last price_schedule */
    struct operator_list decode, prefill;
    struct block_cost decode_cost, prefill_cost;
    int64_t prefill_activation_bytes;
    struct counted counted; /* of the last price_schedule */
    struct {                /* what `counted` was worked out from */
        bool valid, share_ffn, tie_embeddings;
        struct counted one, two; /* at one and two layers: all counts are lines in the depth */
    } line;
};
/* `net` passed transformer_check and, like `machine`, is borrowed. shape_price points inside
 * itself: do not copy it. */
void price_shape(const struct transformer *net, const struct machine *machine,
                 const struct workload *workload, struct shape_price *out);
/* `schedule`, as part of the network, passed transformer_check. */
void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out);

#endif
