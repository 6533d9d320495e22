/* Which small runs to train next: those whose losses would tell contenders apart.
 *
 * Contenders are networks of one budget and tokens that differ in depth. What is to shrink is the
 * sum over them of the variance of their difference to the best, 0.75^2 dj C dj'. A run that is
 * added changes C to C - C j j' C / (sigma^2 + j C j'), sigma^2 = 0.003^2 + S^2: picked greedily,
 * one after another.
 *
 * What it cannot show: terms that no loss row tells (quality/terms.h) and a shape's own misfit,
 * which no number of small runs takes away. */
#ifndef LATHE_QUALITY_NEXT_RUNS_H
#define LATHE_QUALITY_NEXT_RUNS_H

#include "quality/law_interval.h"
#include "quality/training_cost.h"

/* A uniform decoder as the paper draws them: heads of 64, all of them with keys and values, an FFN
 * of 8/3 width in steps of 256; `d_model` is a multiple of 64. */
struct quality_shape quality_paper_shape(double d_model, double n_layers, double vocab, bool tied);
/* The width for which a network of `n_layers` has the total, in steps of 64; at least 64. */
double quality_width_at(double total_params, double n_layers, double vocab, bool tied);

struct quality_next_run {
    struct quality_shape shape;
    double tokens, gain_frac; /* of the sum of variances, by this run and those before */
    double half_nats;         /* mean 90 % half width of contenders' differences after it */
    struct training_cost cost;
};

struct quality_plan {
    double total_params, tokens, vocab; /* of the contenders */
    bool tied;
    double half_nats; /* before any run */
    int n_contenders;
};

/* Picks `n` runs, at most those that there are, into picked[n]. Returns how many.
 *   recipe  whose losses they would be; QUALITY_NO_RECIPE: a new one
 *   most_flop  of one run */
int quality_next_runs(const struct quality_law *law, int recipe, const struct training_gpu *gpu,
                      double most_flop, struct quality_plan *plan, int n,
                      struct quality_next_run *picked);

#endif
