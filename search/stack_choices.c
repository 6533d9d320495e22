#include "search/stack_choices.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "exact/stack_costs.h"

enum status stack_choices_start(const struct stack_problem *problem, struct stack_choices *out,
                                struct err *err)
{
    struct stack_costs costs;
    size_t n = (size_t)problem->n_classes + (problem->may_be_empty ? 1 : 0);
    *out = (struct stack_choices){
        .problem = problem,
        .n_places = (int)problem->frame->schedule.n_layers,
        .n_choices = (int)n,
        .kind = memory_new(n, sizeof *out->kind),
        .params = memory_new(n, sizeof *out->params),
    };
    if (!out->kind || !out->params) {
        stack_choices_end(out);
        return err_set(err, STATUS_NOMEM, "out of memory for %zu layers", n);
    }
    enum status status = stack_costs_start(problem->frame, problem->classes, problem->n_classes,
                                           problem->machine, &problem->workload, &costs, err);
    if (status) {
        stack_choices_end(out);
        return status;
    }
    out->frame_params = costs.params;
    for (int c = 0; c < problem->n_classes; c++) {
        out->kind[c] = layer_kind_of(&problem->classes[c]);
        out->params[c] = costs.counts[c].params;
    }
    stack_costs_end(&costs);
    if (problem->may_be_empty)
        out->kind[problem->n_classes] = LAYER_SKIP;
    out->automaton = (struct rule_automaton){
        .rules = problem->rules,
        .n_places = out->n_places,
        .n_choices = out->n_choices,
        .kind = out->kind,
        .allowed = problem->allowed,
    };
    status = rules_check(&out->automaton, err);
    if (!status && !(out->live = rule_live(&out->automaton)))
        status = err_set(err, STATUS_NOMEM, "out of memory for the rules");
    if (status)
        stack_choices_end(out);
    return status;
}

void stack_choices_end(struct stack_choices *choices)
{
    memory_free(choices->kind);
    memory_free(choices->params);
    memory_free(choices->live);
    *choices = (struct stack_choices){.problem = NULL};
}

static bool is_live(const struct stack_choices *choices, int64_t state, int places_done)
{
    return state != RULE_STATE_DEAD &&
           choices->live[places_done * rule_states(&choices->automaton) + state];
}

static double rules_violation(const struct stack_choices *choices, const int *choice)
{
    int64_t state = RULE_STATE_START;
    for (int i = 0; i < choices->n_places; i++) {
        state = rule_step(&choices->automaton, state, i, choice[i]);
        if (!is_live(choices, state, i + 1))
            return (double)(choices->n_places - i) / choices->n_places;
    }
    return 0;
}

static double budget_violation(const struct stack_choices *choices, const int *choice)
{
    const struct stack_problem *problem = choices->problem;
    int64_t params = choices->frame_params;
    for (int i = 0; i < choices->n_places; i++)
        params += choices->params[choice[i]];
    if (params < problem->min_params)
        return (double)(problem->min_params - params) / (double)problem->min_params;
    if (params > problem->max_params)
        return (double)(params - problem->max_params) / (double)problem->max_params;
    return 0;
}

static bool has_block(const struct stack_choices *choices, const int *choice)
{
    for (int i = 0; i < choices->n_places; i++)
        if (choice[i] < choices->problem->n_classes)
            return true;
    return false;
}

double stack_choices_violation(const struct stack_choices *choices, const int *choice)
{
    if (!has_block(choices, choice))
        return 2;
    return rules_violation(choices, choice) + budget_violation(choices, choice);
}

void stack_choices_classes(const struct stack_choices *choices, const int *choice,
                           int *class_of_place)
{
    for (int i = 0; i < choices->n_places; i++)
        class_of_place[i] = choice[i] < choices->problem->n_classes ? choice[i] : EMPTY_PLACE;
}

void stack_choices_of_classes(const struct stack_choices *choices, const int *class_of_place,
                              int *choice)
{
    for (int i = 0; i < choices->n_places; i++)
        choice[i] =
            class_of_place[i] == EMPTY_PLACE ? choices->problem->n_classes : class_of_place[i];
}

/* One choice for a place; where thirds are equal, for its third. */
static void set_place(const struct stack_choices *choices, int place, int value, int *choice)
{
    if (!choices->problem->rules.equal_thirds) {
        choice[place] = value;
        return;
    }
    for (int i = 0; i < choices->n_places; i++)
        if (i * 3 / choices->n_places == place * 3 / choices->n_places)
            choice[i] = value;
}

static void change_place(const struct stack_choices *choices, struct counter_random *random,
                         int *choice)
{
    int place = counter_random_below(random, choices->n_places);
    set_place(choices, place, counter_random_below(random, choices->n_choices), choice);
}

static void swap_places(const struct stack_choices *choices, struct counter_random *random,
                        int *choice)
{
    int a = counter_random_below(random, choices->n_places);
    int b = counter_random_below(random, choices->n_places);
    int of_a = choice[a], of_b = choice[b];
    set_place(choices, a, of_b, choice);
    set_place(choices, b, of_a, choice);
}

void stack_choices_move(const struct stack_choices *choices, struct counter_random *random,
                        int *choice)
{
    int kind = counter_random_below(random, 4);
    if (kind == 0) {
        swap_places(choices, random, choice);
        return;
    }
    change_place(choices, random, choice);
    if (kind > 1)
        change_place(choices, random, choice);
}

/* From left to right, by the choices that leave a way to the end. */
static void draw_within_rules(const struct stack_choices *choices, struct counter_random *random,
                              const struct counter_random *likely, int *choice)
{
    int64_t state = RULE_STATE_START;
    for (int i = 0; i < choices->n_places; i++) {
        double best = -1;
        int64_t next = state;
        for (int c = 0; c < choices->n_choices; c++) {
            int64_t after = rule_step(&choices->automaton, state, i, c);
            struct counter_random weight = counter_random_start(likely->key, 0, (uint64_t)c);
            /* The largest of u^(1/w) is c with a chance of w of all (Efraimidis, 2006). */
            double w = pow(-log(1 - counter_random_uniform(&weight)), 3);
            double lot = pow(counter_random_uniform(random), 1 / fmax(w, 1e-3));
            if (lot <= best || !is_live(choices, after, i + 1))
                continue;
            best = lot;
            choice[i] = c;
            next = after;
        }
        state = next;
    }
}

void stack_choices_draw(const struct stack_choices *choices, struct counter_random *random,
                        int *choice)
{
    struct counter_random likely = {counter_random_next(random)};
    draw_within_rules(choices, random, &likely, choice);
    double gap = budget_violation(choices, choice);
    for (int tries = 0; tries < 40 * choices->n_places && gap > 0; tries++) {
        int place = counter_random_below(random, choices->n_places), before = choice[place];
        set_place(choices, place, counter_random_below(random, choices->n_choices), choice);
        double after = budget_violation(choices, choice);
        if (after < gap && rules_violation(choices, choice) == 0)
            gap = after;
        else
            set_place(choices, place, before, choice);
    }
}
