#include "search/depth_options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/quantity.h"
#include "device/interval.h"
#include "model/count.h"
#include "quality/shape_of.h"

enum { D_HEAD = 64, STEP = 32, MOST_WIDTH = 1 << 16 };

/* Fills up the width's network with FFN. False: the width alone has more, or the total is missed. */
static bool shape_at(int64_t params, int64_t vocab_size, int64_t n_layers, int64_t d_model,
                     bool tied, struct depth_option *out)
{
    struct transformer *net = &out->net;
    struct param_count one, two;
    int64_t heads = (d_model + D_HEAD / 2) / D_HEAD;
    transformer_init(net, d_model, n_layers, heads, heads, D_HEAD, STEP, vocab_size);
    net->tie_embeddings = tied;
    snprintf(net->name, sizeof net->name, "%" PRId64 " x %" PRId64, n_layers, d_model);
    if (transformer_check(net, NULL) != STATUS_OK)
        return false;
    transformer_count(net, &one);
    net->stack.first.d_ff = 2 * STEP;
    transformer_count(net, &two);
    int64_t step = two.total - one.total, more = params - one.total;
    if (more < 0)
        return false;
    int64_t steps = (more + step / 2) / step;
    net->stack.first.d_ff = STEP * (1 + steps);
    out->params = one.total + steps * step;
    return transformer_check(net, NULL) == STATUS_OK && llabs(out->params - params) * 100 <= params;
}

/* How far the FFN is from the usual 8/3. */
static double oddness(const struct depth_option *option)
{
    return fabs(log((double)option->net.stack.first.d_ff / (double)option->net.d_model * 3 / 8));
}

/* From wide to thin, hence by ascending depth; of widths with one depth the least odd. */
static void find_shapes(int64_t params, int64_t vocab_size, bool tied, struct depth_options *out)
{
    int64_t tables = vocab_size * (tied ? 1 : 2), widest = STEP;
    while (widest < MOST_WIDTH && tables * widest + LEAST_DEPTH * 8 * widest * widest < params)
        widest += STEP;
    out->n = 0;
    for (int64_t width = widest; width >= STEP; width -= STEP) {
        double depth = (double)(params - tables * width) / (12.0 * (double)(width * width));
        int64_t n_layers = llround(fmin(depth, MOST_DEPTH + 1));
        struct depth_option option;
        if (n_layers < LEAST_DEPTH || n_layers > MOST_DEPTH ||
            !shape_at(params, vocab_size, n_layers, width, tied, &option))
            continue;
        struct depth_option *last = out->n > 0 ? &out->item[out->n - 1] : NULL;
        if (last == NULL || last->net.schedule.n_layers != n_layers)
            out->item[out->n++] = option;
        else if (oddness(&option) < oddness(last))
            *last = option;
    }
}

/* The lowest loss; infinite when there is no depth. */
static double find_tied(int64_t params, int64_t vocab_size, bool tied,
                        const struct quality_law *law, int recipe, double tokens,
                        struct depth_options *out)
{
    double least = INFINITY;
    find_shapes(params, vocab_size, tied, out);
    for (size_t i = 0; i < out->n; i++) {
        struct quality_shape shape;
        struct quality_point point;
        quality_shape_of(&out->item[i].net, &shape, NULL);
        quality_point_of(law, recipe, &shape, tokens, &point);
        double loss = quality_loss(law, recipe, &point, NULL);
        if (loss < least)
            out->best = i;
        least = fmin(loss, least);
    }
    return least;
}

static void compare(const struct quality_law *law, int recipe, double tokens,
                    struct depth_options *out)
{
    struct quality_shape shape;
    struct quality_question question;
    quality_shape_of(&out->item[out->best].net, &shape, NULL);
    quality_ask(law, recipe, tokens, &shape, &question);
    for (size_t i = 0; i < out->n; i++) {
        quality_shape_of(&out->item[i].net, &shape, NULL);
        quality_delta(&question, &shape, &out->item[i].answer);
    }
}

enum status depth_options_find(int64_t params, int64_t vocab_size, const struct quality_law *law,
                               int recipe, double tokens, struct depth_options *out,
                               struct err *err)
{
    double untied = find_tied(params, vocab_size, false, law, recipe, tokens, out);
    double tied = find_tied(params, vocab_size, true, law, recipe, tokens, out);
    if (untied < tied)
        find_tied(params, vocab_size, false, law, recipe, tokens, out);
    if (out->n == 0) {
        char count[32];
        return err_set(
            err, STATUS_RANGE,
            "no network of %d to %d layers and %" PRId64 " token embeddings has %s parameters",
            LEAST_DEPTH, MOST_DEPTH, vocab_size, format_count(params, count, sizeof count));
    }
    compare(law, recipe, tokens, out);
    return STATUS_OK;
}

enum status depth_options_price(const struct depth_options *options, const struct machine *machine,
                                const struct workload *workload, struct price *prices,
                                struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < options->n && status == STATUS_OK; i++)
        status = price_network(&options->item[i].net, machine, workload, &prices[i], NULL, err);
    return status;
}

static bool is_good(const struct depth_options *options, size_t i)
{
    return options->item[i].answer.difference.nats <= QUALITY_NOISE_NATS;
}

static void widen(struct depth_range *range, size_t i)
{
    range->first = i < range->first ? i : range->first;
    range->last = i > range->last ? i : range->last;
}

struct depth_range depth_options_good(const struct depth_options *options)
{
    struct depth_range range = {options->best, options->best};
    for (size_t i = 0; i < options->n; i++)
        if (is_good(options, i))
            widen(&range, i);
    return range;
}

struct depth_range depth_options_best(const struct depth_options *options,
                                      const struct price *prices)
{
    size_t fastest = options->best;
    for (size_t i = 0; i < options->n; i++)
        if (is_good(options, i) && prices[i].decode_ns < prices[fastest].decode_ns)
            fastest = i;
    struct depth_range range = {fastest, fastest};
    const struct price *least = &prices[fastest];
    for (size_t i = 0; i < options->n; i++)
        if (is_good(options, i) &&
            intervals_overlap(prices[i].decode_ns_low, prices[i].decode_ns_high,
                              least->decode_ns_low, least->decode_ns_high))
            widen(&range, i);
    return range;
}
