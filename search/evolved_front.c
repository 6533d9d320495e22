#include "search/evolved_front.h"

#include <math.h>

#include "search/nsga2.h"

enum { IDLE_GENERATIONS = 200 }; /* after so many without a new stack there is none to find */
/* Of a stack that may not be asked about any more: further than any other. */
static const double FAR = 1e9;

struct evolution {
    const struct stack_choices *choices;
    const struct fitted_options *options;
    struct judged_stacks judged;
    size_t before; /* judged at the end of the generation before */
    int idle;
};

static enum status evaluate(void *user, const int *choice, size_t n, double *objective,
                            double *violation, struct err *err)
{
    struct evolution *evolution = user;
    const struct stack_problem *problem = evolution->choices->problem;
    enum status status = judged_stacks_add(&evolution->judged, choice, n, err);
    for (size_t i = 0; i < n && !status; i++) {
        const int *of = choice + i * (size_t)evolution->choices->n_places;
        size_t row;
        violation[i] = stack_choices_violation(evolution->choices, of);
        if (violation[i] > 0)
            continue;
        if (!judged_stacks_find(&evolution->judged, of, &row)) {
            violation[i] = FAR;
            continue;
        }
        double all[MAX_STACK_OBJECTIVES];
        violation[i] = judged_stacks_violation(&evolution->judged, row);
        stack_objectives(problem, &evolution->judged.stack[row], all);
        for (int k = 0; k < problem->n_objectives; k++)
            objective[i * (size_t)problem->n_objectives + (size_t)k] = all[k];
    }
    return status;
}

static bool go_on(void *user)
{
    struct evolution *evolution = user;
    evolution->idle = evolution->judged.n > evolution->before ? 0 : evolution->idle + 1;
    evolution->before = evolution->judged.n;
    if (evolution->options->progress)
        evolution->options->progress(evolution->options->user, &evolution->judged);
    return evolution->judged.n < evolution->judged.most && evolution->idle < IDLE_GENERATIONS;
}

enum status evolved_front(const struct stack_problem *problem,
                          const struct stack_predictor *predictor,
                          const struct fitted_options *options, struct stack_front *out,
                          struct fitted_report *report, struct err *err)
{
    struct stack_choices choices;
    struct evolution evolution = {.choices = &choices, .options = options};
    *out = (struct stack_front){.n_places = problem->frame->schedule.n_layers};
    enum status status = stack_choices_start(problem, &choices, err);
    if (status)
        return status;
    const struct nsga2_problem nsga2 = {
        choices.n_places, choices.n_choices, problem->n_objectives, evaluate, go_on, &evolution};
    const struct nsga2_options with = {EVOLVED_POPULATION, options->seed};
    status = judged_stacks_start(&choices, predictor, options->evaluations, &evolution.judged, err);
    if (!status)
        status = nsga2_run(&nsga2, &with, err);
    status = judged_stacks_end_with(&evolution.judged, status, out, err);
    *report = (struct fitted_report){evolution.judged.n, NAN};
    judged_stacks_end(&evolution.judged);
    stack_choices_end(&choices);
    return status;
}
