/* NSGA-II over stacks of one choice a place: what others search such spaces with, to hold our methods
 * against, and a method for predictors of which a sum of layers says nothing.
 *
 * Source: Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE Transactions on
 * Evolutionary Computation 6, 2002, with its domination under constraints; ranks by Zhang et al., An
 * efficient approach to nondominated sorting, the same 19, 2015. Uniform crossover of nine pairs in ten,
 * one place mutated on average. Random numbers are by counter: the same seed gives the same stacks,
 * whatever the number of threads. */
#ifndef LATHE_SEARCH_NSGA2_H
#define LATHE_SEARCH_NSGA2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct nsga2_problem {
    int n_places, n_choices, n_objectives;
    /* Of n stacks: objectives, all minimised, and how far each is from keeping the constraints, 0
     * being within; the objectives of one that is not are not looked at.
     *   choice  [n][n_places]; objective [n][n_objectives]; violation [n] */
    enum status (*evaluate)(void *user, const int *choice, size_t n, double *objective,
                            double *violation, struct err *err);
    /* After each generation: whether to go on. */
    bool (*go_on)(void *user);
    void *user;
};
struct nsga2_options {
    size_t population; /* at least 2, made even */
    uint64_t seed;
};
/* What it finds its callbacks see. Errors: theirs, STATUS_NOMEM. */
enum status nsga2_run(const struct nsga2_problem *problem, const struct nsga2_options *options,
                      struct err *err);

#endif
