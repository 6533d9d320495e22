/* Deep or wide? One family of networks from 3 layers to 80 at equal total parameters: what the law
 * of loss expects of each depth, what it costs on a device, and the depths that are best by both.
 *
 * The family is the paper's sweep at one total: heads of 64, as many KV heads, SwiGLU, layers used
 * once. Each width in steps of 32 has the depth at which an FFN of 8/3 of it meets the total, and the
 * FFN, a multiple of 32, takes up the rest. All have one table, or all have two: whichever lets the
 * best of them have the lower loss. So nothing but depth and width differs from one to the next. (A
 * free choice of the FFN would leave the data: the law likes it thinner than any that was trained.)
 *
 * Best by both: the expected loss is within QUALITY_NOISE_NATS of the lowest of all depths (less
 * than a learning rate's worth), and the predicted interval of decode overlaps that of the fastest
 * among those depths. On a device without an interval the fastest alone is left.
 *
 * What it cannot show: beyond 80 layers no loss in the data speaks; sharing, KV heads and head
 * sizes, which a search varies. */
#ifndef LATHE_SEARCH_DEPTH_OPTIONS_H
#define LATHE_SEARCH_DEPTH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "costmodel/price.h"
#include "quality/delta.h"

enum { LEAST_DEPTH = 3, MOST_DEPTH = 80, MAX_DEPTH_OPTIONS = MOST_DEPTH - LEAST_DEPTH + 1 };

struct depth_option {
    struct transformer net;       /* uniform: nothing to release; f16 */
    int64_t params;               /* within 1 % of the total asked for */
    struct quality_answer answer; /* against the lowest of all depths */
};

/* By ascending depth; not every depth has one. */
struct depth_options {
    struct depth_option item[MAX_DEPTH_OPTIONS];
    size_t n, best; /* item[best]: the lowest loss of all */
};

/* recipe: of the law, or QUALITY_NO_RECIPE; tokens > 0: that each is trained on. Errors:
 * STATUS_RANGE when no depth reaches the total. */
enum status depth_options_find(int64_t params, int64_t vocab_size, const struct quality_law *law,
                               int recipe, double tokens, struct depth_options *out,
                               struct err *err);

/* prices: [n]. Errors: those of price_network. */
enum status depth_options_price(const struct depth_options *options, const struct machine *machine,
                                const struct workload *workload, struct price *prices,
                                struct err *err);

/* Indices; every depth of the set lies from first to last. */
struct depth_range {
    size_t first, last;
};

/* Within QUALITY_NOISE_NATS of the lowest loss. */
struct depth_range depth_options_good(const struct depth_options *options);
/* Best by both, of prices[n] on one device. */
struct depth_range depth_options_best(const struct depth_options *options,
                                      const struct price *prices);

#endif
