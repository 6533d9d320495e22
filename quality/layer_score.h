/* An ordering of stacks whose layers differ: a sum over layers, so that an exact search can add it
 * up. Lower is better; it estimates ln(loss - 2.4).
 *
 *   score = c0 + sum over layers (b1 ln(1 + V/256) + b2 ln(1 + F/1024) + b3 ln(1 + QK/256)
 *                                 + b4 ln(1 + KV/256) + b5 attention + b6)
 *         + sum over the first four (p1 attention + p2 ln(1 + V/256) + p3 ln(1 + F/1024))
 *
 * V heads x value width, QK heads x key width, KV KV heads x both, F d_ff, all at d_model 768 (times
 * 768 / d_model for another).
 *
 * Source: ridge on 1,371 stacks of about 200 M parameters after short training on MiniPile
 * (data/quality/llmforge.csv; arXiv 2605.17653). Value width of the first layer decides most,
 * attention in the third and fourth next, totals hardly. Left out by shape it orders at a Spearman
 * of 0.69 (parameters: 0.29) and has 80 % of the pairs right that differ by 0.05 nats. Read sums,
 * not single coefficients: V and attention of a layer go together.
 *
 * What it cannot show: a loss after long training, another budget than 200 M. */
#ifndef LATHE_QUALITY_LAYER_SCORE_H
#define LATHE_QUALITY_LAYER_SCORE_H

#include <stddef.h>

#include "base/status.h"

enum {
    LAYER_SCORE_ANY = 6,
    LAYER_SCORE_PLACED = 3,
    LAYER_SCORE_FIRST = 4, /* layers that have coefficients of their own */
    LAYER_SCORE_FEATURES = LAYER_SCORE_ANY + LAYER_SCORE_PLACED * LAYER_SCORE_FIRST,
};
/* What they are of, by name: "value", "ffn", ... */
extern const char *const layer_score_any[LAYER_SCORE_ANY];
extern const char *const layer_score_placed[LAYER_SCORE_PLACED];

struct layer_score {
    double intercept;
    double any[LAYER_SCORE_ANY];
    double first[LAYER_SCORE_FIRST][LAYER_SCORE_PLACED];
    int rows;
    /* Ten folds by distinct stack. */
    double spearman, pairs_right_frac, spearman_of_params;
};

/* One layer; heads 0: it has no attention. */
struct scored_layer {
    double n_heads, n_kv_heads, qk_head_dim, v_head_dim, d_ff;
};

/* What layer `index` (0 = the first) adds. */
double layer_score_add(const struct layer_score *score, double d_model, int index,
                       const struct scored_layer *layer);

/* From a table with the columns n_heads n_kv_heads d_ff qk_head_dim v_head_dim (a number a layer,
 * with blanks between) and val_loss. Errors: of csv_open, STATUS_INPUT, STATUS_NOMEM. */
enum status layer_score_fit(const char *path, struct layer_score *out, struct err *err);

#endif
