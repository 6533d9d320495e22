#include "quality/law_interval.h"

#include <math.h>
#include <stdio.h>

double quality_variance(const struct quality_law *law, int recipe, const double *x)
{
    const struct quality_form *form = law->form;
    int n = quality_n_theta(law), local = form->n_shared + form->n_own;
    int known = recipe >= 0 ? local : form->n_shared;
    double sum = 0;
    for (int k = 0; k < known; k++) {
        int row = k < form->n_shared ? k : form->n_own * recipe + k;
        double inner = 0;
        for (int l = 0; l < known; l++) {
            int column = l < form->n_shared ? l : form->n_own * recipe + l;
            inner += law->covariance[row * n + column] * x[l];
        }
        sum += x[k] * inner;
    }
    for (int k = known; k < local; k++) {
        double sd = form->own[k - form->n_shared].sd;
        sum += x[k] * x[k] * sd * sd;
    }
    return sum;
}

/* Of one recipe, or of all together. */
static void data_range(const struct quality_law *law, int recipe, struct quality_recipe *range)
{
    if (recipe >= 0 && law->recipes[recipe].rows > 0) {
        *range = law->recipes[recipe];
        return;
    }
    *range = (struct quality_recipe){.params_min = INFINITY, .tokens_min = INFINITY};
    for (int i = 0; i < law->n_recipes; i++) {
        const struct quality_recipe *r = &law->recipes[i];
        range->params_min = fmin(range->params_min, r->params_min);
        range->params_max = fmax(range->params_max, r->params_max);
        range->tokens_min = fmin(range->tokens_min, r->tokens_min);
        range->tokens_max = fmax(range->tokens_max, r->tokens_max);
    }
}

static double beyond(double value, double min, double max)
{
    if (value > max)
        return log(value / max);
    return value < min ? log(min / value) : 0;
}

static unsigned limits(const struct quality_shape *s, const struct quality_point *x, double tokens,
                       double params_beyond, double tokens_beyond)
{
    double params = exp(x->ln_n) * 1e8;
    double ratio = (s->gated ? 1.5 : 1) * s->d_ff / ((s->n_heads + s->n_kv_heads) * s->d_head);
    return (tokens < 1e9 ? QUALITY_FEW_TOKENS : 0U) |
           (params < 12e6 || params > 2.02e9 || params_beyond > log(4) ? QUALITY_PARAMS : 0U) |
           (tokens_beyond > log(10) ? QUALITY_TOKENS : 0U) |
           (s->n_layers < 3 || s->n_layers > 80 ? QUALITY_DEPTH : 0U) |
           (s->d_model < 256 || s->d_model > 3072 ? QUALITY_WIDTH : 0U) |
           (ratio < 0.8 || ratio > 8 ? QUALITY_FFN : 0U) | (s->d_head < 32 ? QUALITY_HEADS : 0U) |
           (s->weights == QUALITY_FEW_BIT_WEIGHTS ? QUALITY_TYPE : 0U);
}

void quality_reach_of(const struct quality_law *law, int recipe, double tokens,
                      struct quality_reach *out)
{
    const double *c = law->constants.value;
    out->tokens = tokens;
    data_range(law, recipe, &out->range);
    out->tokens_beyond = beyond(tokens, out->range.tokens_min, out->range.tokens_max);
    double between = c[QUALITY_BETWEEN] * c[QUALITY_BETWEEN] / (1 + out->range.shapes / 3.0);
    out->shape_sd = sqrt(c[QUALITY_SHAPE] * c[QUALITY_SHAPE] + between);
}

void quality_predict_within(const struct quality_law *law, int recipe,
                            const struct quality_reach *reach, const struct quality_shape *shape,
                            struct quality_prediction *out)
{
    const double *c = law->constants.value;
    *out = (struct quality_prediction){.recipe = recipe};
    quality_point_of(law, recipe, shape, reach->tokens, &out->point);
    double params_beyond =
        beyond(exp(out->point.ln_n) * 1e8, reach->range.params_min, reach->range.params_max);
    out->loss_nats = quality_loss(law, recipe, &out->point, out->gradient);
    for (int k = 0; k < law->form->n_shared + law->form->n_own; k++)
        out->gradient[k] /= out->loss_nats;
    out->shape_sd = reach->shape_sd * (1 + c[QUALITY_GROW_N] * params_beyond +
                                       c[QUALITY_GROW_T] * reach->tokens_beyond);
    out->outside = limits(shape, &out->point, reach->tokens, params_beyond, reach->tokens_beyond);
}

void quality_predict(const struct quality_law *law, int recipe, const struct quality_shape *shape,
                     double tokens, struct quality_prediction *out)
{
    const double *c = law->constants.value;
    struct quality_reach reach;
    quality_reach_of(law, recipe, tokens, &reach);
    quality_predict_within(law, recipe, &reach, shape, out);
    double few = tokens < 1e9 ? 0.045 * log(1e9 / tokens) : 0;
    out->sd = sqrt(c[QUALITY_INFLATE] * c[QUALITY_INFLATE] *
                       quality_variance(law, recipe, out->gradient) +
                   c[QUALITY_RUN] * c[QUALITY_RUN] + out->shape_sd * out->shape_sd + few * few);
    out->low_nats = out->loss_nats * exp(-QUALITY_Z90 * out->sd);
    out->high_nats = out->loss_nats * exp(QUALITY_Z90 * out->sd);
}

static double square(double x)
{
    return x * x;
}

/* Variance in nats of what no row tells. */
static double terms_variance(const struct quality_law *law, const struct quality_prediction *a,
                             const struct quality_prediction *b)
{
    const struct quality_point *x = &a->point, *y = &b->point;
    const double *sd = law->constants.sd;
    double prior[QUALITY_OWN];
    double amplitude = exp(quality_own(law, a->recipe, prior)[1]);
    double slope = amplitude * law->theta[0] * sd[QUALITY_REPEATS]; /* d loss / d ln n is A alpha */
    return square(slope * (x->repeats_slope - y->repeats_slope)) +
           square(sd[QUALITY_GROUPS] * (x->groups - y->groups)) +
           square(sd[QUALITY_HEAD] * (x->head - y->head)) +
           square(amplitude * sd[QUALITY_RATIO] * (x->ln_ratio2 - y->ln_ratio2)) +
           square(sd[QUALITY_TIED] * (x->tied - y->tied)) +
           square(sd[QUALITY_PLAIN] * (x->plain - y->plain)) +
           square(sd[QUALITY_W8A8] * (x->w8a8 - y->w8a8));
}

double quality_difference_sd(const struct quality_law *law, const struct quality_prediction *a,
                             const struct quality_prediction *b)
{
    const double *c = law->constants.value;
    double d[QUALITY_LOCAL] = {0}, mean = sqrt(a->loss_nats * b->loss_nats);
    for (int k = 0; k < law->form->n_shared + law->form->n_own; k++)
        d[k] = a->gradient[k] - b->gradient[k];
    double aspect_a = a->point.ln_width - a->point.ln_depth;
    double aspect_b = b->point.ln_width - b->point.ln_depth;
    double distance2 = square(aspect_a - aspect_b) + square(a->point.ln_n - b->point.ln_n);
    double shape = (a->shape_sd + b->shape_sd) / 2;
    double variance = square(c[QUALITY_INFLATE]) * quality_variance(law, a->recipe, d) +
                      2 * square(c[QUALITY_RUN]) + 2 * shape * shape * (1 - exp(-distance2 / 2));
    return sqrt(variance * mean * mean + terms_variance(law, a, b));
}

void quality_compare(const struct quality_law *law, const struct quality_prediction *a,
                     const struct quality_prediction *b, struct quality_difference *out)
{
    double points = law->constants.value[QUALITY_POINTS], half;
    out->nats = a->loss_nats - b->loss_nats;
    out->sd_nats = quality_difference_sd(law, a, b);
    half = QUALITY_Z90 * out->sd_nats;
    out->low_nats = out->nats - half;
    out->high_nats = out->nats + half;
    out->probability = 0.5 * erfc(out->nats / (out->sd_nats * sqrt(2)));
    out->indistinguishable = fabs(out->nats) < fmax(half, QUALITY_NOISE_NATS);
    half = QUALITY_Z90 * sqrt(square(points * out->sd_nats) +
                              square(law->constants.sd[QUALITY_POINTS] * out->nats));
    out->points = points * out->nats;
    out->points_low = out->points - half;
    out->points_high = out->points + half;
}

char *quality_outside_text(unsigned outside, char *buffer, size_t size)
{
    static const char *const names[] = {"few tokens", "parameters", "tokens", "depth",
                                        "width",      "ffn",        "heads",  "type"};
    size_t length = 0;
    buffer[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names && length < size; i++)
        if (outside & 1U << i)
            length += (size_t)snprintf(buffer + length, size - length, "%s%s",
                                       length > 0 ? ", " : "", names[i]);
    return buffer;
}
