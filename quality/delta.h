/* What a search, a listing or advice asks the law: how much better or worse than a reference.
 *
 * Two speeds. A search ranks by `quality_price`: what it can is worked out once, once a shape or once
 * a schedule, so that a candidate costs a few products. What is kept gets `quality_delta_half`, the
 * interval; what is shown alone gets `quality_delta`, with all that is known. */
#ifndef LATHE_QUALITY_DELTA_H
#define LATHE_QUALITY_DELTA_H

#include <math.h>
#include <stdint.h>

#include "quality/law_interval.h"

/* Recipe and tokens for which networks are compared, and the network they are compared with. */
struct quality_question {
    const struct quality_law *law;
    int recipe; /* QUALITY_NO_RECIPE: one like the paper's, that no row is of */
    double tokens;
    struct quality_reach reach;
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

/* Half the width of the difference's 90 % interval, nats. outside: as in quality_answer. */
double quality_delta_half(const struct quality_question *question,
                          const struct quality_shape *shape, unsigned *outside);

/* For a search: powers of depth once, a width once a shape, a line once a schedule of it. A depth
 * then costs three products and no exponential. */

/* By depth n: [max_depth + QUALITY_DEPTHS_BEYOND]. */
struct quality_depths {
    double *floor;  /* d (n/16)^-0.30 */
    double *blocks; /* n^-alpha */
    double *tokens; /* n^k2 (n/16)^0.02 */
    double *shared; /* n^(phi - 1) */
};

enum { QUALITY_DEPTHS_BEYOND = 8 }; /* may be read, and mean nothing */

struct quality_pricer {
    const struct quality_law *law; /* borrowed */
    int recipe;
    double level, amplitude; /* E, A */
    double alpha, k2, phi;
    double ln_tokens; /* ln B - beta ln(T / 1e10) */
    double tied_nats;
    int max_depth;
    struct quality_depths depths; /* owned */
};

/* max_depth: distinct layers at most. Release with quality_pricer_release. Errors: STATUS_NOMEM. */
enum status quality_pricer_init(const struct quality_law *law, int recipe, double tokens,
                                int max_depth, struct quality_pricer *out, struct err *err);
void quality_pricer_release(struct quality_pricer *pricer);

/* What a shape says of every depth and schedule. */
struct quality_width {
    double ln_layer;  /* ln(parameters of a layer / 1e8) */
    double ffn_share; /* of a layer's parameters */
    double floor;     /* w (d_model/512)^-0.55 */
    double ratio;     /* R A */
    double add_nats;
    double blocks, tokens; /* of one layer, not repeated: its power in either term */
};

/* shape->n_layers, repeats, tied and shared_ffn are not read. */
void quality_width_of(const struct quality_pricer *pricer, const struct quality_shape *shape,
                      struct quality_width *out);

/* And what a schedule of it says. */
struct quality_line {
    double base;           /* nats that no depth changes */
    double ratio;          /* R A */
    double blocks, tokens; /* at one layer */
    bool shared_ffn;
    double ffn_share, alpha, k2;
    const struct quality_depths *depths; /* the pricer's */
};

/* What repeats, the executions of each layer, multiply the two terms by. */
struct quality_repeats {
    double blocks, tokens;
};
struct quality_repeats quality_repeats_of(const struct quality_pricer *pricer, double repeats);

void quality_line_of(const struct quality_pricer *pricer, const struct quality_width *width,
                     const struct quality_repeats *repeats, bool tied, bool shared_ffn,
                     struct quality_line *out);

/* Nats; the same as quality_loss to rounding. n_layers: 1 .. max_depth distinct layers. */
static inline double quality_price(const struct quality_line *line, int64_t n_layers)
{
    const struct quality_depths *at = line->depths;
    double blocks = line->blocks * at->blocks[n_layers];
    double tokens = line->tokens * at->tokens[n_layers];
    if (line->shared_ffn) {
        double share = 1 - line->ffn_share + line->ffn_share * at->shared[n_layers];
        blocks *= pow(share, -line->alpha);
        tokens *= pow(share, line->k2);
    }
    return line->base + line->ratio * (blocks + at->floor[n_layers]) + tokens;
}

#endif
