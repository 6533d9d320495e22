#include "model/draw.h"
#include "model/count.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { WIDTH_STEP = 64, FFN_STEP = 32, MOST_LAYERS = 120, CONTEXT = 8192 };

static int64_t pick(struct rng *rng, const int64_t *values, int n)
{
    return values[rng_between(rng, 0, n - 1)];
}

static int64_t in_steps(double value, int64_t step, int64_t least)
{
    int64_t whole = llround(value / (double)step) * step;
    return whole < least ? least : whole;
}

static int64_t total_params(const struct transformer *net)
{
    struct param_count count;
    transformer_count(net, &count);
    return count.total;
}

static void draw_schedule(struct rng *rng, struct schedule *schedule)
{
    static const enum sharing modes[] = {SHARING_IMMEDIATE, SHARING_REPEAT_ALL, SHARING_REVERSE};
    if (rng_between(rng, 0, 3) > 0)
        return;
    schedule->sharing = modes[rng_between(rng, 0, 2)];
    schedule->repeats = 2;
}

static void draw_heads(struct rng *rng, struct transformer *net)
{
    static const int64_t sizes[] = {32, 64, 64, 128};
    int64_t d_head = pick(rng, sizes, 4);
    int64_t n_heads = in_steps((double)net->d_model / (double)d_head, 1, 1);
    int64_t groups[8];
    int n = 0;
    for (int64_t kv = 1; kv <= n_heads; kv++)
        if (n_heads % kv == 0 && n_heads / kv <= 8 && n < 8)
            groups[n++] = kv;
    net->stack.first.d_head = d_head;
    net->stack.first.n_heads = n_heads;
    net->stack.first.n_kv_heads = pick(rng, groups, n);
}

/* Parameters are a line in n_layers and in d_ff. */
static void meet_budget(struct transformer *net, int64_t params)
{
    struct transformer one = *net, two = *net;
    one.schedule.n_layers = 1;
    two.schedule.n_layers = 2;
    double first = (double)total_params(&one), layer = (double)total_params(&two) - first;
    int64_t layers = llround(((double)params - first) / layer) + 1;
    net->schedule.n_layers = layers < 1 ? 1 : layers > MOST_LAYERS ? MOST_LAYERS : layers;
    one = two = *net;
    one.stack.first.d_ff = FFN_STEP;
    two.stack.first.d_ff = 2 * FFN_STEP;
    first = (double)total_params(&one);
    double step = (double)total_params(&two) - first;
    net->stack.first.d_ff =
        in_steps(FFN_STEP * (1 + ((double)params - first) / step), FFN_STEP, FFN_STEP);
}

void draw_network(struct rng *rng, const struct draw_options *options, struct transformer *out)
{
    static const int64_t vocabularies[] = {8000, 16000, 32000, 32000, 49152};
    double params = (double)options->params;
    /* A square-ish network has about cbrt(params) / 1 units of width; from a third to thrice that
     * is a factor of 80 in depth. */
    double middle = 1.1 * cbrt(params);
    double width = middle * pow(3, 1 - 2 * options->aspect);
    int64_t d_model = in_steps(width, WIDTH_STEP, 2 * WIDTH_STEP);
    int64_t vocab = pick(rng, vocabularies, 5);
    while (vocab > 4000 && (double)(vocab * d_model) > 0.5 * params)
        vocab /= 2;
    double ratio = 2 + 2 * rng_uniform(rng);
    transformer_init(out, d_model, 1, 1, 1, 64, in_steps(ratio * width, FFN_STEP, FFN_STEP), vocab);
    draw_heads(rng, out);
    out->max_context = CONTEXT;
    if (options->share)
        draw_schedule(rng, &out->schedule);
    if (options->immediate) {
        out->schedule.sharing = SHARING_IMMEDIATE;
        out->schedule.repeats = 2;
    }
    meet_budget(out, options->params);
    transformer_set_dtype(out, options->dtype);
    char schedule[48];
    snprintf(out->name, sizeof out->name,
             "%" PRId64 "x%" PRId64 " h%" PRId64 "/%" PRId64 "x%" PRId64 " f%" PRId64 " v%" PRId64
             " %s",
             out->schedule.n_layers, d_model, out->stack.first.n_heads, out->stack.first.n_kv_heads,
             out->stack.first.d_head, out->stack.first.d_ff, vocab,
             schedule_describe(&out->schedule, schedule, sizeof schedule));
    assert(transformer_check(out, NULL) == STATUS_OK);
}
