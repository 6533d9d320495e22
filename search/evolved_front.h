/* The same as search/fitted_front.h by NSGA-II (search/nsga2.h): for predictors of which a sum over
 * layers says nothing, and to compare. Stacks that break a rule or the budget cost no evaluation. */
#ifndef LATHE_SEARCH_EVOLVED_FRONT_H
#define LATHE_SEARCH_EVOLVED_FRONT_H

#include "search/fitted_front.h"

enum { EVOLVED_POPULATION = 100 };

enum status evolved_front(const struct stack_problem *problem,
                          const struct stack_predictor *predictor,
                          const struct fitted_options *options, struct stack_front *out,
                          struct fitted_report *report, struct err *err);

#endif
