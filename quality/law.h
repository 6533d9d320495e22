/* What a language model's loss is, by its shape and its training tokens: nats a token of a uniform
 * decoder, in one recipe (tokeniser, data, schedule).
 *
 *   loss = E + A R (n^-alpha + w (d_model/512)^-0.55 + d (n_layers/16)^-0.30) + add
 *          + B n^k2 (n_layers/16)^0.02 (T/1e10)^-beta
 *   R    = 1 + 0.008 ln(r/1.6)^2                             r FFN over attention parameters
 *   add  = 0.05 max(0, ln(96/head_dim))^2 + 0.009 log2(heads/kv_heads) + 0.018 if tied
 *          + 0.011 in 8 bits + ...
 *
 * n block parameters in units of 1e8, matrices only; n_layers distinct layers; T training tokens.
 * alpha, w, d are shared by all recipes; E, A, B, beta, k2 belong to one. Blocks set the level, the
 * two floors say what a narrow or a shallow network cannot make up for.
 *
 * Source: fitted to 532 published losses of six recipes (data/quality/README.md). docs/quality.md
 * has residuals, coverage and the comparison with published laws.
 *
 * What it cannot show: another tokeniser or data (losses of two recipes are never compared), context
 * length, tuning, below 1e9 tokens, the level of a recipe without losses, stacks whose layers differ
 * (quality/layer_score.h). */
#ifndef LATHE_QUALITY_LAW_H
#define LATHE_QUALITY_LAW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "quality/layer_score.h"
#include "quality/terms.h"

enum {
    QUALITY_RECIPES = 12, /* at most, in one law */
    QUALITY_SHARED = 5,   /* coefficients at most: the published forms have up to five */
    QUALITY_OWN = 5,
    QUALITY_LOCAL = QUALITY_SHARED + QUALITY_OWN, /* what one row depends on */
    QUALITY_THETA = QUALITY_SHARED + QUALITY_OWN * QUALITY_RECIPES,
    QUALITY_NO_RECIPE = -1, /* one without losses: the prior speaks */
};

/* What weights are stored in. */
enum quality_weights {
    QUALITY_WIDE_WEIGHTS, /* 16 bits and more */
    QUALITY_8_BIT_WEIGHTS,
    QUALITY_FEW_BIT_WEIGHTS, /* no data: counted as wide ones, and outside says so */
};

/* A network as the law sees it. Plain numbers, so that a candidate needs no struct transformer. */
struct quality_shape {
    double d_model, n_layers; /* distinct layers */
    double repeats;           /* executions of each layer, 1 without sharing */
    double n_heads, n_kv_heads, d_head;
    double d_ff, vocab;
    bool gated;      /* three FFN matrices */
    bool tied;       /* one table */
    bool shared_ffn; /* one FFN for all layers */
    enum quality_weights weights;
};

/* The same, in the terms of the forms. */
struct quality_point {
    double ln_n;          /* ln of block parameters / 1e8; repeats count as repeats^phi */
    double ln_total;      /* ln of parameters with tables / 1e8 */
    double ln_width;      /* ln(d_model / 512) */
    double ln_depth;      /* ln(n_layers / 16) */
    double ln_tokens;     /* ln(T / 1e10) */
    double ln_ratio2;     /* ln(r / 1.6)^2 */
    double head;          /* max(0, ln(96 / head_dim))^2 */
    double groups;        /* log2(heads / kv_heads) */
    double repeats_slope; /* d ln_n / d phi */
    double tied;          /* 0 or 1 */
    double w8a8;          /* 0 or 1 */
    double plain; /* 1: two FFN matrices where the recipe's level stands for three; -1: reverse */
};

struct quality_law;

struct quality_coefficient {
    const char *name;
    double mean, sd; /* prior; the mean is where fits start */
};

/* A formula. Published ones are fitted beside ours by the same code. */
struct quality_form {
    const char *name, *title, *formula;
    int n_shared, n_own;
    const struct quality_coefficient *shared, *own;
    /* Nats. gradient: [n_shared + n_own], d loss / d coefficient; NULL: not wanted. */
    double (*loss)(const struct quality_law *law, const double *shared, const double *own,
                   const struct quality_point *point, double *gradient);
};

extern const struct quality_form quality_floors; /* ours */

struct quality_recipe {
    char name[64];
    bool gated;      /* of the networks behind it: the kind of FFN its level stands for */
    bool accuracies; /* fitted on accuracies: its level is not a loss */
    int vocab;       /* 0: not known */
    int rows, shapes;
    double params_min, params_max; /* of blocks */
    double tokens_min, tokens_max;
    double error_frac; /* mean |ln predicted - ln given| of its rows */
    char source[240];
};

struct quality_law {
    char name[96];
    const struct quality_form *form;
    struct quality_constants constants;
    int n_recipes;
    struct quality_recipe recipes[QUALITY_RECIPES];
    double theta[QUALITY_THETA];                      /* shared, then own of each recipe */
    double covariance[QUALITY_THETA * QUALITY_THETA]; /* [n, n], n = quality_n_theta */
    int rows;
    double cost; /* what the fit left */
    /* Rows kept back while the law was judged: larger, longer, other recipes (quality/splits.h).
     * NaN: not judged. */
    double held_out_error_frac, held_out_cover_frac;
    bool has_layer_score;
    struct layer_score layer_score;
};

int quality_n_theta(const struct quality_law *law);
/* Index, or QUALITY_NO_RECIPE when the law has none of that name. */
int quality_find_recipe(const struct quality_law *law, const char *name);

/* Parameters of the blocks' matrices as stored, and with the tables. */
double quality_block_params(const struct quality_shape *shape);
double quality_total_params(const struct quality_shape *shape);

/* All numbers of `shape` (but vocab) and `tokens` > 0. recipe: an index or QUALITY_NO_RECIPE, whose
 * level stands for gated FFNs. */
void quality_point_of(const struct quality_law *law, int recipe, const struct quality_shape *shape,
                      double tokens, struct quality_point *out);

/* Of it only ln_n, ln_width, ln_ratio2, head, groups, repeats_slope, w8a8 and plain: what tables and
 * tokens do not change, for a search. */
void quality_point_of_layer(const struct quality_law *law, int recipe,
                            const struct quality_shape *shape, struct quality_point *out);

/* Nats; gradient as quality_form.loss. recipe: an index or QUALITY_NO_RECIPE. */
double quality_loss(const struct quality_law *law, int recipe, const struct quality_point *point,
                    double *gradient);

/* The coefficients of a recipe, prior means for none. */
const double *quality_own(const struct quality_law *law, int recipe, double *prior);

#endif
