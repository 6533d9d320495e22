/* Fronts of predictors: those that add up against the exact front, others against all stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "random_stacks.h"
#include "search/fitted_front.h"
#include "search/hypervolume.h"

enum { MAX_PLACES = 6, EVALUATIONS = 300 };

/* A sum over places, and what neighbours and the whole make of it. */
struct predictor {
    double effect[MAX_PLACES][MAX_RANDOM_CLASSES], pair[MAX_RANDOM_CLASSES][MAX_RANDOM_CLASSES];
    double interaction; /* 0: it adds up */
    size_t asked;
};

static double predict(const struct predictor *p, const int *class_of_place, int n_places)
{
    double sum = 0;
    for (int i = 0; i < n_places; i++) {
        sum += p->effect[i][class_of_place[i]];
        if (i > 0)
            sum += p->interaction * p->pair[class_of_place[i - 1]][class_of_place[i]];
    }
    return sum + p->interaction * 0.02 * sum * sum;
}

static enum status score(void *user, const struct stack_problem *problem, const int *class_of_place,
                         size_t n, double *out, struct err *err)
{
    struct predictor *p = user;
    int n_places = (int)problem->frame->schedule.n_layers;
    (void)err;
    for (size_t i = 0; i < n; i++)
        out[i] = predict(p, class_of_place + i * (size_t)n_places, n_places);
    p->asked += n;
    return STATUS_OK;
}

static void draw_predictor(struct random_state *random, double interaction, struct predictor *out)
{
    *out = (struct predictor){.interaction = interaction};
    for (int c = 0; c < MAX_RANDOM_CLASSES; c++) {
        for (int i = 0; i < MAX_PLACES; i++)
            out->effect[i][c] = (double)random_below(random, 40);
        for (int b = 0; b < MAX_RANDOM_CLASSES; b++)
            out->pair[c][b] = (double)random_below(random, 10);
    }
}

/* Only the schedules whose exact fronts are quick. */
static struct stack_problem draw_problem(struct random_state *random, int trial,
                                         struct random_stacks *stacks)
{
    random_stacks(random, trial % 4, stacks);
    struct stack_problem problem = {
        .frame = &stacks->frame,
        .classes = stacks->classes,
        .n_classes = stacks->n_classes,
        .max_params = INT64_MAX / 2,
        .n_objectives = 2,
        .objective = {STACK_DECODE, STACK_SCORE},
        .machine = &stacks->machine,
        .workload = stacks->workload,
        .n_jobs = 1,
    };
    if (trial % 3 == 1 && layer_kind_of(&stacks->classes[0]) != LAYER_WINDOWED)
        problem.rules.max_windowed_run = 2;
    return problem;
}

static struct stack_front find(const struct stack_problem *problem, struct predictor *predictor,
                               uint64_t seed, struct fitted_report *report)
{
    const struct stack_predictor of = {score, predictor, 1e-6};
    const struct fitted_options options = {.evaluations = EVALUATIONS, .seed = seed};
    struct stack_front front;
    struct err err;
    if (fitted_front(problem, &of, &options, &front, report, &err))
        fail_msg("%s", err.message);
    assert_true(report->evaluations <= EVALUATIONS);
    assert_true(predictor->asked == report->evaluations);
    return front;
}

/* Every stack that keeps the rules. */
static struct stack_front price_all(const struct stack_problem *problem,
                                    struct predictor *predictor)
{
    int n_places = (int)problem->frame->schedule.n_layers, n = 1;
    int classes[MAX_PLACES], choice[MAX_PLACES];
    struct stack_front all = {.n_places = n_places};
    struct stack_choices choices;
    struct err err;
    assert_false(stack_choices_start(problem, &choices, &err));
    for (int i = 0; i < n_places; i++)
        n *= choices.n_choices;
    for (int code = 0; code < n; code++) {
        struct found_stack stack = {.class_of_place = classes};
        for (int i = 0, rest = code; i < n_places; i++, rest /= choices.n_choices)
            choice[i] = rest % choices.n_choices;
        if (stack_choices_violation(&choices, choice) > 0)
            continue;
        stack_choices_classes(&choices, choice, classes);
        assert_false(stack_price(problem, &stack, &err));
        stack.value[STACK_SCORE] = llround(predict(predictor, classes, n_places) * 1e6);
        assert_false(stack_front_add(&all, &stack, &err));
    }
    stack_choices_end(&choices);
    assert_false(stack_front_select(problem, &all, &err));
    return all;
}

/* Up to the worst corner of a front. */
static double volume(const struct stack_problem *problem, const struct stack_front *front,
                     const struct stack_front *corner)
{
    double *point = memory_new(front->n * 2 + 1, sizeof *point), out;
    const struct found_stack *last = &corner->stack[corner->n - 1], *first = corner->stack;
    double reference[2] = {(double)last->value[STACK_DECODE] * 1.01,
                           -(double)first->value[STACK_SCORE] * 0.99};
    struct err err;
    for (size_t i = 0; i < front->n; i++) {
        double objective[MAX_STACK_OBJECTIVES];
        stack_objectives(problem, &front->stack[i], objective);
        memcpy(point + 2 * i, objective, 2 * sizeof *point);
    }
    assert_false(hypervolume(point, front->n, 2, reference, &out, &err));
    memory_free(point);
    return out;
}

static void a_predictor_that_adds_up_gives_the_exact_front(void **state)
{
    (void)state;
    for (int trial = 0; trial < 12; trial++) {
        struct random_state random = {(uint64_t)trial};
        struct random_stacks stacks;
        struct predictor predictor;
        struct fitted_report report;
        struct stack_problem problem = draw_problem(&random, trial, &stacks);
        draw_predictor(&random, 0, &predictor);
        struct stack_front found = find(&problem, &predictor, (uint64_t)trial, &report);
        struct stack_front all = price_all(&problem, &predictor);
        assert_true(report.evaluations < 50 || report.explained_frac > 0.9999);
        assert_int_equal(found.n, all.n);
        for (size_t i = 0; i < found.n; i++) {
            assert_true(found.stack[i].value[STACK_DECODE] == all.stack[i].value[STACK_DECODE]);
            assert_true(found.stack[i].value[STACK_SCORE] == all.stack[i].value[STACK_SCORE]);
        }
        stack_front_release(&found);
        stack_front_release(&all);
    }
}

static void interactions_leave_nearly_the_whole_front(void **state)
{
    (void)state;
    for (int trial = 0; trial < 12; trial++) {
        struct random_state random = {100 + (uint64_t)trial};
        struct random_stacks stacks;
        struct predictor predictor;
        struct fitted_report report;
        struct stack_problem problem = draw_problem(&random, trial, &stacks);
        draw_predictor(&random, 0.5 + trial % 3, &predictor);
        struct stack_front found = find(&problem, &predictor, (uint64_t)trial, &report);
        struct stack_front all = price_all(&problem, &predictor);
        double share = volume(&problem, &found, &all) / volume(&problem, &all, &all);
        assert_true(share >= 0.98 && share <= 1 + 1e-12);
        stack_front_release(&found);
        stack_front_release(&all);
    }
}

static void the_same_seed_gives_the_same_front_whatever_the_threads(void **state)
{
    (void)state;
    struct stack_front first = {0};
    for (int threads = 1; threads <= 3; threads++) {
        struct random_state random = {5};
        struct random_stacks stacks;
        struct predictor predictor;
        struct fitted_report report;
        struct stack_problem problem = draw_problem(&random, 0, &stacks);
        draw_predictor(&random, 1, &predictor);
        problem.n_jobs = threads;
        omp_set_num_threads(threads);
        struct stack_front found = find(&problem, &predictor, 3, &report);
        if (threads == 1) {
            first = found;
            continue;
        }
        assert_int_equal(first.n, found.n);
        for (size_t i = 0; i < found.n; i++)
            assert_memory_equal(first.stack[i].class_of_place, found.stack[i].class_of_place,
                                (size_t)found.n_places * sizeof(int));
        stack_front_release(&found);
    }
    stack_front_release(&first);
}

static void limits_hold_for_the_predicted_score_too(void **state)
{
    (void)state;
    struct random_state random = {8};
    struct random_stacks stacks;
    struct predictor predictor;
    struct fitted_report report;
    struct stack_problem problem = draw_problem(&random, 0, &stacks);
    draw_predictor(&random, 1, &predictor);
    struct stack_front free_front = find(&problem, &predictor, 1, &report);
    int64_t middle = free_front.stack[free_front.n / 2].value[STACK_SCORE];
    problem.n_limits = 1;
    problem.limit[0] = (struct stack_limit){STACK_SCORE, middle};
    predictor.asked = 0;
    struct stack_front found = find(&problem, &predictor, 1, &report);
    for (size_t i = 0; i < found.n; i++)
        assert_true(found.stack[i].value[STACK_SCORE] >= middle);
    stack_front_release(&found);
    stack_front_release(&free_front);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_predictor_that_adds_up_gives_the_exact_front),
        cmocka_unit_test(interactions_leave_nearly_the_whole_front),
        cmocka_unit_test(the_same_seed_gives_the_same_front_whatever_the_threads),
        cmocka_unit_test(limits_hold_for_the_predicted_score_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
