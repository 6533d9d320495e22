/* The front of a problem whose score is no sum over layers: a predictor's, asked a few thousand times.
 *
 * What is asked about is chosen in rounds. A sum over places is fitted to the scores so far
 * (search/additive_fit.h) and its front found exactly (exact/exact_front.h): far from what was seen
 * the fit leads. Then stacks of one or two other choices are tried beside those that nothing beats:
 * near them what the predictor said leads, and the fit says only the difference. The front is of what
 * was asked about, so no proof goes with it.
 *
 * The same seed gives the same front, whatever the number of threads. */
#ifndef LATHE_SEARCH_FITTED_FRONT_H
#define LATHE_SEARCH_FITTED_FRONT_H

#include "base/status.h"
#include "exact/exact_front.h"
#include "search/judged_stacks.h"

struct fitted_options {
    size_t evaluations; /* stacks that the predictor is asked about, at most */
    uint64_t seed;
    /* Called after each round; NULL: nothing. */
    void (*progress)(void *user, const struct judged_stacks *judged);
    void *user;
};
struct fitted_report {
    size_t evaluations;
    double explained_frac; /* of the last fit: struct additive_fit */
};
/* The problem's own scores are not looked at. Errors: those of exact_front and of the predictor; where the
 * run is interrupted `out` has what was found. */
enum status fitted_front(const struct stack_problem *problem,
                         const struct stack_predictor *predictor,
                         const struct fitted_options *options, struct stack_front *out,
                         struct fitted_report *report, struct err *err);

#endif
