#include "quality/law.h"

#include <math.h>
#include <string.h>

int quality_n_theta(const struct quality_law *law)
{
    return law->form->n_shared + law->form->n_own * law->n_recipes;
}

int quality_find_recipe(const struct quality_law *law, const char *name)
{
    for (int i = 0; i < law->n_recipes; i++)
        if (strcmp(law->recipes[i].name, name) == 0)
            return i;
    return QUALITY_NO_RECIPE;
}

static double attention_params(const struct quality_shape *s)
{
    return 2 * s->d_model * (s->n_heads + s->n_kv_heads) * s->d_head;
}

static double ffn_params(const struct quality_shape *s)
{
    return (s->gated ? 3 : 2) * s->d_model * s->d_ff;
}

double quality_block_params(const struct quality_shape *s)
{
    return s->n_layers * attention_params(s) + (s->shared_ffn ? 1 : s->n_layers) * ffn_params(s);
}

double quality_total_params(const struct quality_shape *s)
{
    return quality_block_params(s) + (s->tied ? 1 : 2) * s->vocab * s->d_model;
}

/* Block parameters that count: those of a weight that runs k times k^phi fold. */
static void count_executed(const struct quality_shape *s, double phi, struct quality_point *out)
{
    double attention = s->n_layers * attention_params(s), ffn = s->n_layers * ffn_params(s);
    double ln_repeats = s->repeats > 1 ? log(s->repeats) : 0, slope = ln_repeats;
    double n = attention + ffn;
    if (s->shared_ffn) {
        double ffn_runs = log(s->n_layers);
        ffn *= exp((phi - 1) * ffn_runs);
        n = attention + ffn;
        slope += ffn_runs * ffn / n;
    }
    out->ln_n = log(n / 1e8) + phi * ln_repeats;
    out->repeats_slope = slope;
}

void quality_point_of_layer(const struct quality_law *law, int recipe,
                            const struct quality_shape *s, struct quality_point *out)
{
    bool level_gated = recipe < 0 || law->recipes[recipe].gated;
    double ratio = log(ffn_params(s) / attention_params(s) / 1.6);
    double head = s->d_head < 96 ? log(96 / s->d_head) : 0;
    count_executed(s, law->constants.value[QUALITY_REPEATS], out);
    out->ln_width = log(s->d_model / 512);
    out->ln_ratio2 = ratio * ratio;
    out->head = head * head;
    out->groups = log2(s->n_heads / s->n_kv_heads);
    out->w8a8 = s->weights == QUALITY_8_BIT_WEIGHTS ? 1 : 0;
    out->plain = (level_gated ? 1 : 0) - (s->gated ? 1 : 0);
}

void quality_point_of(const struct quality_law *law, int recipe, const struct quality_shape *s,
                      double tokens, struct quality_point *out)
{
    quality_point_of_layer(law, recipe, s, out);
    out->ln_total = log(quality_total_params(s) / 1e8);
    out->ln_depth = log(s->n_layers / 16);
    out->ln_tokens = log(tokens / 1e10);
    out->tied = s->tied ? 1 : 0;
}

static double floors_loss(const struct quality_law *law, const double *shared, const double *own,
                          const struct quality_point *x, double *gradient)
{
    const double *c = law->constants.value;
    double blocks = exp(-shared[0] * x->ln_n);
    double width = exp(shared[1] - c[QUALITY_WIDTH_EXPONENT] * x->ln_width);
    double depth = exp(shared[2] - c[QUALITY_DEPTH_EXPONENT] * x->ln_depth);
    double amplitude = exp(own[1]) * (1 + c[QUALITY_RATIO] * x->ln_ratio2), beta = exp(own[3]);
    double tokens =
        exp(own[2] + own[4] * x->ln_n + c[QUALITY_TOKEN_DEPTH] * x->ln_depth - beta * x->ln_tokens);
    double add = c[QUALITY_HEAD] * x->head + c[QUALITY_GROUPS] * x->groups +
                 c[QUALITY_TIED] * x->tied + c[QUALITY_PLAIN] * x->plain +
                 c[QUALITY_W8A8] * x->w8a8;
    if (gradient != NULL) {
        gradient[0] = -amplitude * x->ln_n * blocks;
        gradient[1] = amplitude * width;
        gradient[2] = amplitude * depth;
        gradient[3] = 1;
        gradient[4] = amplitude * (blocks + width + depth);
        gradient[5] = tokens;
        gradient[6] = -beta * x->ln_tokens * tokens;
        gradient[7] = x->ln_n * tokens;
    }
    return own[0] + amplitude * (blocks + width + depth) + add + tokens;
}

static const struct quality_coefficient floors_shared[] = {
    {"alpha", 0.08, 0.03},
    {"ln_w", -1.5, 0.5},
    {"ln_d", -1.7, 0.5},
};

static const struct quality_coefficient floors_own[] = {
    {"E", 1.1, 0.3},         {"ln_A", 0.42, 0.08}, {"ln_B", -1.2, 0.5},
    {"ln_beta", -0.6, 0.35}, {"k2", 0.14, 0.04},
};

const struct quality_form quality_floors = {
    .name = "floors",
    .title = "blocks and two floors",
    .formula = "E + A (1 + ffn_ratio ln(r/1.6)^2) (n^-alpha + w (d_model/512)^-width_exponent + "
               "d (n_layers/16)^-depth_exponent) + head_size max(0, ln(96/head_dim))^2 + "
               "heads_per_kv_head log2(heads/kv_heads) + tied_table if tied + "
               "B n^k2 (n_layers/16)^token_depth_exponent (tokens/1e10)^-beta; "
               "n block parameters / 1e8, r FFN / attention parameters",
    .n_shared = 3,
    .n_own = 5,
    .shared = floors_shared,
    .own = floors_own,
    .loss = floors_loss,
};

const double *quality_own(const struct quality_law *law, int recipe, double *prior)
{
    const struct quality_form *form = law->form;
    if (recipe >= 0)
        return law->theta + form->n_shared + form->n_own * recipe;
    for (int k = 0; k < form->n_own; k++)
        prior[k] = form->own[k].mean;
    return prior;
}

double quality_loss(const struct quality_law *law, int recipe, const struct quality_point *point,
                    double *gradient)
{
    double prior[QUALITY_OWN];
    return law->form->loss(law, law->theta, quality_own(law, recipe, prior), point, gradient);
}
