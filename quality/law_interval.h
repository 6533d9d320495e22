/* How sure the law is: a row, a difference of two rows, a recipe that it has never seen.
 *
 * In ln loss, j the gradient of it and C the posterior's covariance:
 *   row   sd^2 = 0.75^2 j C j' + 0.0015^2 + S(x)^2
 *   pair  sd^2 = 0.75^2 dj C dj' + 2 0.0015^2 + 2 S^2 (1 - exp(-D^2 / 2)) + terms that no row tells
 *   S(x) = sqrt(0.0022^2 + 0.004^2 / (1 + shapes / 3)) (1 + 0.5 dN + 0.2 dT)
 *   D^2  = (difference of ln(d_model / n_layers))^2 + (difference of ln parameters)^2
 * dN, dT: e-folds of parameters and tokens beyond the recipe's rows, beyond all rows for a recipe
 * without. Low and high are 90 %: 1.645 sd.
 *
 * Constants were set so that rows left out are covered (docs/quality.md); the probability that one
 * network beats another is a little modest. */
#ifndef LATHE_QUALITY_LAW_INTERVAL_H
#define LATHE_QUALITY_LAW_INTERVAL_H

#include "quality/law.h"

/* Where the data end: bits of quality_prediction.outside. */
enum {
    QUALITY_FEW_TOKENS = 1 << 0, /* below 1e9: predictions are low */
    QUALITY_PARAMS = 1 << 1,     /* blocks outside 12e6 .. 2e9, or 4 times beyond the recipe's */
    QUALITY_TOKENS = 1 << 2,     /* 10 times beyond the recipe's */
    QUALITY_DEPTH = 1 << 3,      /* outside 3 .. 80 layers */
    QUALITY_WIDTH = 1 << 4,      /* outside 256 .. 3072 */
    QUALITY_FFN = 1 << 5,        /* FFN / attention parameters outside 0.8 .. 8 */
    QUALITY_HEADS = 1 << 6,      /* heads below 32 */
    QUALITY_TYPE = 1 << 7,       /* weights below 8 bits */
    QUALITY_OUTSIDES = 1 << 8,   /* combinations */
};

struct quality_prediction {
    int recipe; /* index or QUALITY_NO_RECIPE */
    struct quality_point point;
    double loss_nats, low_nats, high_nats; /* 90 % */
    double sd;                             /* of ln loss */
    unsigned outside;                      /* QUALITY_* bits; 0: the data speak of it */
    double gradient[QUALITY_LOCAL];        /* of ln loss */
    double shape_sd;                       /* S(x) */
};

/* A minus B. */
struct quality_difference {
    double nats, low_nats, high_nats; /* 90 % */
    double sd_nats;
    double probability;     /* that A has the lower loss */
    bool indistinguishable; /* |nats| below max(half width, 0.01): less than a learning rate's */
    double points, points_low, points_high; /* of accuracy; A's more is better */
};

/* How far the rows reach that speak of a recipe, and S of shapes among them: one for many
 * predictions. */
struct quality_reach {
    struct quality_recipe range;
    double tokens, tokens_beyond;
    double shape_sd; /* S where the parameters are within the range */
};

#define QUALITY_Z90        1.645
#define QUALITY_NOISE_NATS 0.01

void quality_predict(const struct quality_law *law, int recipe, const struct quality_shape *shape,
                     double tokens, struct quality_prediction *out);
void quality_reach_of(const struct quality_law *law, int recipe, double tokens,
                      struct quality_reach *out);
/* As quality_predict, but without the interval of the loss itself: enough to be compared. */
void quality_predict_within(const struct quality_law *law, int recipe,
                            const struct quality_reach *reach, const struct quality_shape *shape,
                            struct quality_prediction *out);
/* Of the difference, nats; both of one recipe. */
double quality_difference_sd(const struct quality_law *law, const struct quality_prediction *a,
                             const struct quality_prediction *b);
/* Both of one recipe. */
void quality_compare(const struct quality_law *law, const struct quality_prediction *a,
                     const struct quality_prediction *b, struct quality_difference *out);

/* x C x' over what one recipe's rows depend on; x: [n_shared + n_own]. */
double quality_variance(const struct quality_law *law, int recipe, const double *x);

enum { QUALITY_OUTSIDE_TEXT = 72 }; /* room for all names */
/* "tokens, depth"; "" when nothing is outside. Returns buffer. */
char *quality_outside_text(unsigned outside, char *buffer, size_t size);

#endif
