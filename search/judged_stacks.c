#include "search/judged_stacks.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double MOST_UNITS = 0x1p50;

enum status judged_stacks_start(const struct stack_choices *choices,
                                const struct stack_predictor *predictor, size_t most,
                                struct judged_stacks *out, struct err *err)
{
    *out = (struct judged_stacks){.choices = choices, .predictor = *predictor, .most = most};
    out->rows.width = choices->n_places;
    out->key = memory_new((size_t)choices->n_places, sizeof *out->key);
    return out->key ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for a stack");
}

void judged_stacks_end(struct judged_stacks *judged)
{
    memory_free(judged->choice);
    memory_free(judged->score);
    memory_free(judged->stack);
    memory_free(judged->key);
    key_table_release(&judged->rows);
    *judged = (struct judged_stacks){.choices = NULL};
}

static const int64_t *key_of(struct judged_stacks *judged, const int *choice)
{
    for (int i = 0; i < judged->choices->n_places; i++)
        judged->key[i] = choice[i];
    return judged->key;
}

bool judged_stacks_find(struct judged_stacks *judged, const int *choice, size_t *row)
{
    uint32_t found;
    if (!key_table_find(&judged->rows, key_of(judged, choice), &found) || found >= judged->n)
        return false;
    *row = found;
    return true;
}

static enum status make_room(struct judged_stacks *judged, size_t need, struct err *err)
{
    enum status status;
    size_t width = (size_t)judged->choices->n_places;
    if ((status = memory_grow((void **)&judged->choice, &judged->choice_capacity, need * width,
                              sizeof *judged->choice, err)) ||
        (status = memory_grow((void **)&judged->score, &judged->score_capacity, need,
                              sizeof *judged->score, err)))
        return status;
    return memory_grow((void **)&judged->stack, &judged->stack_capacity, need,
                       sizeof *judged->stack, err);
}

/* Those that are new go behind the rows that are judged. */
static enum status line_up(struct judged_stacks *judged, const int *choice, size_t n, size_t *n_new,
                           struct err *err)
{
    size_t width = (size_t)judged->choices->n_places;
    enum status status = STATUS_OK;
    *n_new = 0;
    for (size_t i = 0; i < n && judged->n + *n_new < judged->most && !status; i++) {
        uint32_t row;
        if (stack_choices_violation(judged->choices, choice + i * width) > 0)
            continue;
        status = key_table_row(&judged->rows, key_of(judged, choice + i * width), &row, err);
        if (status || row < judged->n + *n_new)
            continue;
        status = make_room(judged, judged->n + *n_new + 1, err);
        if (status)
            continue;
        memcpy(judged->choice + row * width, choice + i * width, width * sizeof *choice);
        ++*n_new;
    }
    return status;
}

static enum status price_rows(struct judged_stacks *judged, int *class_of_place, size_t n_new,
                              struct err *err)
{
    const struct stack_problem *problem = judged->choices->problem;
    size_t width = (size_t)judged->choices->n_places;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n_new; i++)
        stack_choices_classes(judged->choices, judged->choice + (judged->n + i) * width,
                              class_of_place + i * width);
    for (size_t i = 0; i < n_new && !status; i++) {
        struct found_stack *stack = &judged->stack[judged->n + i];
        *stack = (struct found_stack){.class_of_place = class_of_place + i * width};
        status = stack_price(problem, stack, err);
        stack->class_of_place = NULL;
    }
    return status;
}

static enum status set_scores(struct judged_stacks *judged, size_t n_new, struct err *err)
{
    for (size_t i = judged->n; i < judged->n + n_new; i++) {
        double units = judged->score[i] / judged->predictor.unit;
        if (!(fabs(units) < MOST_UNITS))
            return err_set(err, STATUS_RANGE, "a score of %g: expected %g at most",
                           judged->score[i], MOST_UNITS * judged->predictor.unit);
        judged->stack[i].value[STACK_SCORE] = llround(units);
    }
    return STATUS_OK;
}

enum status judged_stacks_add(struct judged_stacks *judged, const int *choice, size_t n,
                              struct err *err)
{
    const struct stack_problem *problem = judged->choices->problem;
    size_t n_new;
    if (problem->stop && *problem->stop)
        return err_set(err, STATUS_INTERRUPTED, "interrupted");
    enum status status = line_up(judged, choice, n, &n_new, err);
    if (status || n_new == 0)
        return status;
    int *class_of_place =
        memory_new(n_new * (size_t)judged->choices->n_places, sizeof *class_of_place);
    if (!class_of_place)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu stacks", n_new);
    if (!(status = price_rows(judged, class_of_place, n_new, err)) &&
        !(status = judged->predictor.score(judged->predictor.user, problem, class_of_place, n_new,
                                           judged->score + judged->n, err)))
        status = set_scores(judged, n_new, err);
    memory_free(class_of_place);
    if (!status)
        judged->n += n_new;
    return status;
}

double judged_stacks_violation(const struct judged_stacks *judged, size_t row)
{
    const struct stack_problem *problem = judged->choices->problem;
    double sum = 0;
    for (int i = 0; i < problem->n_limits; i++) {
        const struct stack_limit *limit = &problem->limit[i];
        double value = (double)judged->stack[row].value[limit->quantity];
        double beyond = value - (double)limit->value;
        if (limit->quantity == STACK_SCORE)
            beyond = -beyond;
        if (beyond > 0)
            sum += beyond / fmax(fabs((double)limit->value), 1);
    }
    return sum;
}

void stack_objectives(const struct stack_problem *problem, const struct found_stack *stack,
                      double out[MAX_STACK_OBJECTIVES])
{
    for (int k = 0; k < problem->n_objectives; k++) {
        double value = (double)stack->value[problem->objective[k]];
        out[k] = problem->objective[k] == STACK_SCORE ? -value : value;
    }
}

/* Every row within the limits. class_of_place: [n_places], room. */
static enum status list_rows(const struct judged_stacks *judged, int *class_of_place,
                             struct stack_front *out, struct err *err)
{
    const struct stack_problem *problem = judged->choices->problem;
    size_t width = (size_t)judged->choices->n_places;
    enum status status = STATUS_OK;
    for (size_t row = 0; row < judged->n && !status; row++) {
        struct found_stack stack = judged->stack[row];
        if (!stack_is_within(problem, &stack))
            continue;
        stack_choices_classes(judged->choices, judged->choice + row * width, class_of_place);
        stack.class_of_place = class_of_place;
        status = stack_front_add(out, &stack, err);
    }
    return status;
}

enum status judged_stacks_front(const struct judged_stacks *judged, struct stack_front *out,
                                struct err *err)
{
    *out = (struct stack_front){.n_places = judged->choices->n_places};
    int *class_of_place = memory_new((size_t)out->n_places, sizeof *class_of_place);
    enum status status = class_of_place ? list_rows(judged, class_of_place, out, err)
                                        : err_set(err, STATUS_NOMEM, "out of memory for a stack");
    memory_free(class_of_place);
    if (!status && out->n == 0)
        status = err_set(err, STATUS_NOT_FOUND, "no stack is inside the budget and the limits");
    if (!status)
        status = stack_front_select(judged->choices->problem, out, err);
    if (status)
        stack_front_release(out);
    return status;
}

enum status judged_stacks_end_with(const struct judged_stacks *judged, enum status status,
                                   struct stack_front *out, struct err *err)
{
    struct err inner;
    if (status && status != STATUS_INTERRUPTED)
        return status;
    enum status found = judged_stacks_front(judged, out, &inner);
    return found && !status ? err_set(err, found, "%s", inner.message) : status;
}
