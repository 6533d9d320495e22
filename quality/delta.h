/* What a search, a listing or advice asks the law: how much better or worse than a reference.
 *
 * Two speeds. A search ranks by `quality_price_*`: tables for depth and tokens are made once,
 * widths once a shape, and a candidate then costs two exponentials and no allocation. What is shown
 * gets `quality_delta`, with its interval. */
#ifndef LATHE_QUALITY_DELTA_H
#define LATHE_QUALITY_DELTA_H

#include "quality/law_interval.h"

/* Recipe and tokens for which networks are compared, and the network they are compared with. */
struct quality_question {
    const struct quality_law *law;
    int recipe; /* QUALITY_NO_RECIPE: one like the paper's, that no row is of */
    double tokens;
    struct quality_prediction reference;
};

void quality_ask(const struct quality_law *law, int recipe, double tokens,
                 const struct quality_shape *reference, struct quality_question *out);

struct quality_answer {
    struct quality_difference difference; /* shape minus reference; below 0: better */
    double loss_nats; /* its level means something in a recipe with losses only */
    unsigned outside; /* QUALITY_* bits of law_interval.h, shape or reference */
};

void quality_delta(const struct quality_question *question, const struct quality_shape *shape,
                   struct quality_answer *out);

/* Probability that `a` has the lower loss. */
double quality_better(const struct quality_question *question, const struct quality_shape *a,
                      const struct quality_shape *b);

/* For a search. */

enum { QUALITY_MAX_DEPTH = 512 };

struct quality_pricer {
    const struct quality_law *law;
    int recipe;
    double level, amplitude; /* E, A */
    double alpha, k2, phi;
    double ln_token_term; /* ln B - beta ln(T / 1e10) */
    double tied_nats;
    double ln_depth[QUALITY_MAX_DEPTH + 1];    /* ln n_layers */
    double depth_floor[QUALITY_MAX_DEPTH + 1]; /* d (n_layers/16)^-0.30 */
    double token_depth[QUALITY_MAX_DEPTH + 1]; /* 0.02 ln(n_layers/16) */
};

void quality_pricer_init(const struct quality_law *law, int recipe, double tokens,
                         struct quality_pricer *out);

/* What a shape says of every depth. */
struct quality_width {
    double ln_layer;  /* ln(parameters of a layer / 1e8) */
    double ffn_share; /* of a layer's parameters */
    double floor;     /* w (d_model/512)^-0.55 */
    double ratio;     /* R A */
    double add_nats;
};

/* shape->n_layers, repeats, tied and shared_ffn are not read. */
void quality_width_of(const struct quality_pricer *pricer, const struct quality_shape *shape,
                      struct quality_width *out);

/* Nats; the same as quality_loss to rounding. n_layers: 1 .. QUALITY_MAX_DEPTH distinct layers;
 * ln_repeats: ln of executions of each (0: one). */
double quality_price(const struct quality_pricer *pricer, const struct quality_width *width,
                     int n_layers, double ln_repeats, bool tied, bool shared_ffn);

#endif
