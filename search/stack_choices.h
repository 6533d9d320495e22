/* Stacks of a problem (exact/exact_front.h) as one choice a place, without a price: which keep the rules
 * and the budget, random ones that do, and neighbours.
 *
 * Choices are 0 .. n_choices - 1: the classes, then the empty place if there is one. */
#ifndef LATHE_SEARCH_STACK_CHOICES_H
#define LATHE_SEARCH_STACK_CHOICES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exact/exact_front.h"
#include "search/counter_random.h"

struct stack_choices {
    const struct stack_problem *problem;
    int n_places, n_choices;
    enum layer_kind *kind; /* [n_choices]; owned */
    int64_t *params;       /* [n_choices]; owned */
    int64_t frame_params;
    struct rule_automaton automaton;
    bool *live; /* rule_live; owned */
};
/* Errors: STATUS_INPUT (rules that contradict), STATUS_NOMEM and those of
 * stack_costs_start. */
enum status stack_choices_start(const struct stack_problem *problem, struct stack_choices *out,
                                struct err *err);
void stack_choices_end(struct stack_choices *choices);

/* How far a stack is from the rules (places after which none can be kept, of all) and the budget (of
 * its nearer end); 0: it keeps both and has a block. */
double stack_choices_violation(const struct stack_choices *choices, const int *choice);

/* The same as struct found_stack has it, and back. */
void stack_choices_classes(const struct stack_choices *choices, const int *choice,
                           int *class_of_place);
void stack_choices_of_classes(const struct stack_choices *choices, const int *class_of_place,
                              int *choice);

/* A stack that keeps the rules and, where steps from place to place find a way, the budget. Some
 * choices are likelier than others, which ones is drawn too: stacks of a few kinds of layers are
 * met as well as mixed ones.
 *   choice  [n_places], out */
void stack_choices_draw(const struct stack_choices *choices, struct counter_random *random,
                        int *choice);
/* Another choice in one or two places, or two places swapped. */
void stack_choices_move(const struct stack_choices *choices, struct counter_random *random,
                        int *choice);

#endif
