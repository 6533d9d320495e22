#include "quality/delta.h"

#include <math.h>

void quality_ask(const struct quality_law *law, int recipe, double tokens,
                 const struct quality_shape *reference, struct quality_question *out)
{
    *out = (struct quality_question){.law = law, .recipe = recipe, .tokens = tokens};
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

double quality_better(const struct quality_question *question, const struct quality_shape *a,
                      const struct quality_shape *b)
{
    struct quality_prediction of_a, of_b;
    struct quality_difference difference;
    quality_predict(question->law, question->recipe, a, question->tokens, &of_a);
    quality_predict(question->law, question->recipe, b, question->tokens, &of_b);
    quality_compare(question->law, &of_a, &of_b, &difference);
    return difference.probability;
}

void quality_pricer_init(const struct quality_law *law, int recipe, double tokens,
                         struct quality_pricer *out)
{
    const double *c = law->constants.value;
    double prior[QUALITY_OWN];
    const double *own = quality_own(law, recipe, prior);
    out->law = law;
    out->recipe = recipe;
    out->level = own[0];
    out->amplitude = exp(own[1]);
    out->alpha = law->theta[0];
    out->k2 = own[4];
    out->phi = c[QUALITY_REPEATS];
    out->ln_token_term = own[2] - exp(own[3]) * log(tokens / 1e10);
    out->tied_nats = c[QUALITY_TIED];
    for (int depth = 0; depth <= QUALITY_MAX_DEPTH; depth++) {
        double ln_depth = log(depth > 0 ? depth : 1);
        out->ln_depth[depth] = ln_depth;
        out->depth_floor[depth] =
            exp(law->theta[2] - c[QUALITY_DEPTH_EXPONENT] * (ln_depth - log(16)));
        out->token_depth[depth] = c[QUALITY_TOKEN_DEPTH] * (ln_depth - log(16));
    }
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
    quality_point_of(law, pricer->recipe, &layer, 1e10, &point);
    double params = quality_block_params(&layer);
    out->ln_layer = point.ln_n;
    out->ffn_share = (shape->gated ? 3 : 2) * shape->d_model * shape->d_ff / params;
    out->floor = exp(law->theta[1] - c[QUALITY_WIDTH_EXPONENT] * point.ln_width);
    out->ratio = pricer->amplitude * (1 + c[QUALITY_RATIO] * point.ln_ratio2);
    out->add_nats = c[QUALITY_HEAD] * point.head + c[QUALITY_GROUPS] * point.groups +
                    c[QUALITY_PLAIN] * point.plain;
}

double quality_price(const struct quality_pricer *pricer, const struct quality_width *width,
                     int n_layers, double ln_repeats, bool tied, bool shared_ffn)
{
    double ln_n = width->ln_layer + pricer->ln_depth[n_layers] + pricer->phi * ln_repeats;
    if (shared_ffn)
        ln_n += log(1 - width->ffn_share +
                    width->ffn_share * exp((pricer->phi - 1) * pricer->ln_depth[n_layers]));
    double blocks = exp(-pricer->alpha * ln_n);
    double tokens = exp(pricer->ln_token_term + pricer->k2 * ln_n + pricer->token_depth[n_layers]);
    return pricer->level + width->ratio * (blocks + width->floor + pricer->depth_floor[n_layers]) +
           width->add_nats + (tied ? pricer->tied_nats : 0) + tokens;
}
