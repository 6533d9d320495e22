/* Stacks of a problem that a predictor was asked about, each once: priced as networks, with the score
 * that the predictor gave. What a score is not a sum of layers is searched by (search/fitted_front.h,
 * search/nsga2.h). */
#ifndef LATHE_SEARCH_JUDGED_STACKS_H
#define LATHE_SEARCH_JUDGED_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "exact/exact_front.h"
#include "exact/key_table.h"
#include "search/stack_choices.h"

/* Scores of stacks, the more the better, finite. The same stack has the same score whenever it is asked
 * for.
 *   class_of_place  [n][n_places] */
typedef enum status stack_score_callback(void *user, const struct stack_problem *problem,
                                         const int *class_of_place, size_t n, double *score,
                                         struct err *err);

/* What a score is asked of, in units of one in the problem's whole numbers. */
struct stack_predictor {
    stack_score_callback *score;
    void *user;
    double unit; /* of struct stack_problem's score */
};

struct judged_stacks {
    const struct stack_choices *choices;
    struct stack_predictor predictor;
    size_t n, most;            /* judged; that may be */
    int *choice;               /* [n][n_places]; owned */
    double *score;             /* [n]; owned */
    struct found_stack *stack; /* [n], without their class_of_place; owned */
    struct key_table rows;     /* of choices */
    size_t choice_capacity, score_capacity, stack_capacity;
    int64_t *key; /* [n_places], room; owned */
};
/* most: stacks that the predictor is asked about. `choices` is borrowed. Errors: STATUS_NOMEM. */
enum status judged_stacks_start(const struct stack_choices *choices,
                                const struct stack_predictor *predictor, size_t most,
                                struct judged_stacks *out, struct err *err);
void judged_stacks_end(struct judged_stacks *judged);

/* Judges those of the stacks that keep rules and budget and were not judged, as long as there may be
 * more.
 *   choice  [n][n_places]
 * Errors: the predictor's, STATUS_INTERRUPTED (problem->stop), STATUS_RANGE (a score too large),
 * STATUS_NOMEM. */
enum status judged_stacks_add(struct judged_stacks *judged, const int *choice, size_t n,
                              struct err *err);
/* The row of a stack; false: it was not judged. */
bool judged_stacks_find(struct judged_stacks *judged, const int *choice, size_t *row);
/* How far a row is beyond the limits, as a part of them; 0: within. */
double judged_stacks_violation(const struct judged_stacks *judged, size_t row);
/* The objectives of a stack, all minimised. */
void stack_objectives(const struct stack_problem *problem, const struct found_stack *stack,
                      double out[MAX_STACK_OBJECTIVES]);
/* What is within the limits and beaten by nothing, in the order of stack_front_select. Errors:
 * STATUS_NOT_FOUND (nothing is), STATUS_NOMEM. */
enum status judged_stacks_front(const struct judged_stacks *judged, struct stack_front *out,
                                struct err *err);
/* The same at the end of a search that had this status: interrupted, it has a front too. Returns that
 * status, or the front's if it was STATUS_OK. */
enum status judged_stacks_end_with(const struct judged_stacks *judged, enum status status,
                                   struct stack_front *out, struct err *err);

#endif
