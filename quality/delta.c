#include "quality/delta.h"

#include <assert.h>
#include <math.h>

#include "base/memory.h"

void quality_ask(const struct quality_law *law, int recipe, double tokens,
                 const struct quality_shape *reference, struct quality_question *out)
{
    *out = (struct quality_question){.law = law, .recipe = recipe, .tokens = tokens};
    quality_reach_of(law, recipe, tokens, &out->reach);
    quality_predict(law, recipe, reference, tokens, &out->reference);
}

void quality_delta(const struct quality_question *question, const struct quality_shape *shape,
                   struct quality_answer *out)
{
    struct quality_prediction prediction;
    quality_predict(question->law, question->recipe, shape, question->tokens, &prediction);
    quality_compare(question->law, &prediction, &question->reference, &out->difference);
    out->loss_nats = prediction.loss_nats;
    out->outside = prediction.outside | question->reference.outside;
}

double quality_delta_half(const struct quality_question *question,
                          const struct quality_shape *shape, unsigned *outside)
{
    struct quality_prediction prediction;
    quality_predict_within(question->law, question->recipe, &question->reach, shape, &prediction);
    *outside = prediction.outside | question->reference.outside;
    return QUALITY_Z90 * quality_difference_sd(question->law, &prediction, &question->reference);
}

enum status quality_pricer_init(const struct quality_law *law, int recipe, double tokens,
                                int max_depth, struct quality_pricer *out, struct err *err)
{
    const double *c = law->constants.value;
    double prior[QUALITY_OWN];
    const double *own = quality_own(law, recipe, prior);
    assert(law->form == &quality_floors);
    *out = (struct quality_pricer){
        .law = law,
        .recipe = recipe,
        .level = own[0],
        .amplitude = exp(own[1]),
        .alpha = law->theta[0],
        .k2 = own[4],
        .phi = c[QUALITY_REPEATS],
        .ln_tokens = own[2] - exp(own[3]) * log(tokens / 1e10),
        .tied_nats = c[QUALITY_TIED],
        .max_depth = max_depth,
    };
    size_t n_depths = (size_t)max_depth + QUALITY_DEPTHS_BEYOND;
    double *values = memory_new(4 * n_depths, sizeof *values);
    if (values == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    struct quality_depths depths = {values, values + n_depths, values + 2 * n_depths,
                                    values + 3 * n_depths};
    out->depths = depths;
    for (int n = 1; n <= max_depth; n++) {
        double ln_n = log(n), ln_16 = log(n / 16.0);
        depths.floor[n] = exp(law->theta[2] - c[QUALITY_DEPTH_EXPONENT] * ln_16);
        depths.blocks[n] = exp(-out->alpha * ln_n);
        depths.tokens[n] = exp(out->k2 * ln_n + c[QUALITY_TOKEN_DEPTH] * ln_16);
        depths.shared[n] = exp((out->phi - 1) * ln_n);
    }
    return STATUS_OK;
}

void quality_pricer_release(struct quality_pricer *pricer)
{
    memory_free(pricer->depths.floor);
    pricer->depths = (struct quality_depths){NULL, NULL, NULL, NULL};
}

void quality_width_of(const struct quality_pricer *pricer, const struct quality_shape *shape,
                      struct quality_width *out)
{
    const struct quality_law *law = pricer->law;
    const double *c = law->constants.value;
    struct quality_shape layer = *shape;
    struct quality_point point;
    layer.n_layers = layer.repeats = 1;
    layer.tied = layer.shared_ffn = false;
    quality_point_of_layer(law, pricer->recipe, &layer, &point);
    double params = quality_block_params(&layer);
    out->ln_layer = point.ln_n;
    out->ffn_share = (shape->gated ? 3 : 2) * shape->d_model * shape->d_ff / params;
    out->floor = exp(law->theta[1] - c[QUALITY_WIDTH_EXPONENT] * point.ln_width);
    out->ratio = pricer->amplitude * (1 + c[QUALITY_RATIO] * point.ln_ratio2);
    out->add_nats = c[QUALITY_HEAD] * point.head + c[QUALITY_GROUPS] * point.groups +
                    c[QUALITY_PLAIN] * point.plain + c[QUALITY_W8A8] * point.w8a8;
    out->blocks = exp(-pricer->alpha * point.ln_n);
    out->tokens = exp(pricer->ln_tokens + pricer->k2 * point.ln_n);
}

struct quality_repeats quality_repeats_of(const struct quality_pricer *pricer, double repeats)
{
    double ln_count = repeats > 1 ? pricer->phi * log(repeats) : 0;
    return (struct quality_repeats){exp(-pricer->alpha * ln_count), exp(pricer->k2 * ln_count)};
}

void quality_line_of(const struct quality_pricer *pricer, const struct quality_width *width,
                     const struct quality_repeats *repeats, bool tied, bool shared_ffn,
                     struct quality_line *out)
{
    *out = (struct quality_line){
        .base = pricer->level + width->ratio * width->floor + width->add_nats +
                (tied ? pricer->tied_nats : 0),
        .ratio = width->ratio,
        .blocks = width->blocks * repeats->blocks,
        .tokens = width->tokens * repeats->tokens,
        .shared_ffn = shared_ffn,
        .ffn_share = width->ffn_share,
        .alpha = pricer->alpha,
        .k2 = pricer->k2,
        .depths = &pricer->depths,
    };
}
