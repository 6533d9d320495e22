#include "quality/rivals.h"

#include <math.h>

static const struct quality_coefficient wide_own[] = {
    {"E", 1.1, 1},
    {"ln_A", 0, 1},
    {"ln_B", -1.2, 1},
    {"ln_beta", -0.6, 0.5},
};

/* E + A S + B T^-beta; the gradient of S by shared coefficients is given. */
static double with_tokens(int n_shared, double shape, const double *own,
                          const struct quality_point *x, double *gradient)
{
    double amplitude = exp(own[1]), beta = exp(own[3]);
    double tokens = exp(own[2] - beta * x->ln_tokens);
    if (gradient != NULL) {
        for (int k = 0; k < n_shared; k++)
            gradient[k] *= amplitude;
        gradient[n_shared] = 1;
        gradient[n_shared + 1] = amplitude * shape;
        gradient[n_shared + 2] = tokens;
        gradient[n_shared + 3] = -beta * x->ln_tokens * tokens;
    }
    return own[0] + amplitude * shape + tokens;
}

static double chinchilla_loss(const struct quality_law *law, const double *shared,
                              const double *own, const struct quality_point *x, double *gradient)
{
    double shape = exp(-shared[0] * x->ln_total);
    (void)law;
    if (gradient != NULL)
        gradient[0] = -x->ln_total * shape;
    return with_tokens(1, shape, own, x, gradient);
}

static const struct quality_coefficient chinchilla_shared[] = {{"alpha", 0.3, 0.2}};

static const struct quality_form chinchilla = {
    .name = "chinchilla",
    .title = "Chinchilla",
    .formula = "E + A N^-alpha + B T^-beta",
    .n_shared = 1,
    .n_own = 4,
    .shared = chinchilla_shared,
    .own = wide_own,
    .loss = chinchilla_loss,
};

static double gemstones_loss(const struct quality_law *law, const double *shared, const double *own,
                             const struct quality_point *x, double *gradient)
{
    double width = exp(-shared[0] * x->ln_width);
    double depth = exp(shared[1] - shared[2] * x->ln_depth);
    double params = exp(shared[3] - shared[4] * x->ln_total);
    (void)law;
    if (gradient != NULL) {
        gradient[0] = -x->ln_width * width;
        gradient[1] = depth;
        gradient[2] = -x->ln_depth * depth;
        gradient[3] = params;
        gradient[4] = -x->ln_total * params;
    }
    return with_tokens(5, width + depth + params, own, x, gradient);
}

static const struct quality_coefficient gemstones_shared[] = {
    {"width_exponent", 0.25, 0.3}, {"ln_depth", -1, 1},           {"depth_exponent", 0.4, 0.3},
    {"ln_params", -0.5, 1},        {"params_exponent", 0.4, 0.3},
};

static const struct quality_form gemstones = {
    .name = "gemstones",
    .title = "Gemstones' width, depth, parameters",
    .formula = "E + A (W^-a + d L^-b + p N^-c) + B T^-beta",
    .n_shared = 5,
    .n_own = 4,
    .shared = gemstones_shared,
    .own = wide_own,
    .loss = gemstones_loss,
};

static double nemotron_loss(const struct quality_law *law, const double *shared, const double *own,
                            const struct quality_point *x, double *gradient)
{
    double width = exp(-shared[0] * x->ln_width);
    double depth = exp(shared[1] - shared[2] * x->ln_depth);
    (void)law;
    if (gradient != NULL) {
        gradient[0] = -x->ln_width * width;
        gradient[1] = depth;
        gradient[2] = -x->ln_depth * depth;
    }
    return with_tokens(3, width + depth, own, x, gradient);
}

static const struct quality_coefficient nemotron_shared[] = {
    {"width_exponent", 0.25, 0.3},
    {"ln_depth", -0.5, 1},
    {"depth_exponent", 0.3, 0.3},
};

static const struct quality_form nemotron = {
    .name = "nemotron-flash",
    .title = "Nemotron-Flash's sum",
    .formula = "E + A (W^-a + d L^-b) + B T^-beta",
    .n_shared = 3,
    .n_own = 4,
    .shared = nemotron_shared,
    .own = wide_own,
    .loss = nemotron_loss,
};

static double morph_loss(const struct quality_law *law, const double *shared, const double *own,
                         const struct quality_point *x, double *gradient)
{
    double alpha = shared[0], ln_aspect = x->ln_width - x->ln_depth + log(512.0 / 16);
    double params = exp(own[1] - alpha * x->ln_total), tokens = exp(own[2] - alpha * x->ln_tokens);
    double aspect = exp(shared[1] + alpha * ln_aspect), base = own[0] + params + tokens;
    (void)law;
    if (gradient != NULL) {
        gradient[0] = (-x->ln_total * params - x->ln_tokens * tokens) * (1 + aspect) +
                      base * ln_aspect * aspect;
        gradient[1] = base * aspect;
        gradient[2] = 1 + aspect;
        gradient[3] = params * (1 + aspect);
        gradient[4] = tokens * (1 + aspect);
    }
    return base * (1 + aspect);
}

static const struct quality_coefficient morph_shared[] = {{"alpha", 0.3, 0.2}, {"ln_eps", -5, 2}};
static const struct quality_coefficient morph_own[] = {
    {"E", 1.1, 1},
    {"ln_A", 0, 1},
    {"ln_B", -1, 1},
};

static const struct quality_form morph = {
    .name = "morph",
    .title = "Morph's aspect",
    .formula = "(E + A N^-alpha + B T^-alpha) (1 + eps (W/L)^alpha)",
    .n_shared = 2,
    .n_own = 3,
    .shared = morph_shared,
    .own = morph_own,
    .loss = morph_loss,
};

const struct quality_form *const quality_rivals[N_QUALITY_RIVALS] = {&chinchilla, &gemstones,
                                                                     &nemotron, &morph};
