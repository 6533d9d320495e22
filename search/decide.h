/* Which points of a front to look at: its knee, a few that stand for it, and what a larger front
 * offers at a point's place.
 *
 * Points are [n][n_objectives], less is better, none beats another. Objectives are first brought to
 * 0 .. 1 over the front. A value that is not finite counts as the worst. */
#ifndef LATHE_SEARCH_DECIDE_H
#define LATHE_SEARCH_DECIDE_H

#include <stddef.h>

#include "base/status.h"

/* The knee: the least sum of the objectives, each from 0 to 1. With two that is the point furthest
 * below the chord between the ends of the front (Das, On characterizing the "knee" of the Pareto
 * curve, Structural Optimization 18, 1999); with any number it is the best for who values the ranges
 * of all objectives alike. The first of equals; n > 0. Errors: STATUS_NOMEM. */
enum status decide_knee(const double *point, size_t n, int n_objectives, size_t *knee,
                        struct err *err);

/* The k points (all, where there are fewer) with the largest hypervolume, against a reference 1/(k-1)
 * beyond the worst values (1 beyond for k = 1), which spreads them evenly over a straight front (Ishibuchi
 * et al., How to specify a reference point in hypervolume calculation for fair performance comparison,
 * Evolutionary Computation 26, 2018). With two objectives exactly, by dynamic programming in n^2 k
 * (Bringmann, Friedrich, Klitzke, Two-dimensional subset selection for hypervolume and
 * epsilon-indicator, GECCO 2014); with more greedily, at least 1 - 1/e of the best.
 *   picked  [k] out: ascending indices
 * Errors: STATUS_NOMEM. */
enum status decide_pick(const double *point, size_t n, int n_objectives, size_t k, size_t *picked,
                        size_t *n_picked, struct err *err);

/* How much less of objective i some point has that is nowhere else worse than `from`; 0: none has.
 *   point  [n][n_objectives], in the objectives' own units */
double decide_gain(const double *point, size_t n, int n_objectives, const double *from, int i);

#endif
