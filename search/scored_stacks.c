#include "search/scored_stacks.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/stack_runs.h"
#include "search/layer_scores.h"
#include "search/stack_choices.h"

static const double MOST_SCORE = 1e6;

enum status scored_stacks_start(const struct csv *table, struct scored_stacks *out, struct err *err)
{
    *out = (struct scored_stacks){.table = table, .sign = 1};
    enum status status = csv_column(table, "stack", &out->stack, err);
    if (status != STATUS_OK)
        return status;
    out->value = csv_find_column(table, "score");
    if (out->value < 0 && (out->value = csv_find_column(table, "loss")) >= 0)
        out->sign = -1;
    if (out->value < 0 && (status = csv_column(table, "score", &out->value, err)))
        return status;
    out->is_taken = memory_new((size_t)csv_n_rows(table) + 1, sizeof *out->is_taken);
    return out->is_taken != NULL ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}

void scored_stacks_end(struct scored_stacks *stacks)
{
    memory_free(stacks->is_taken);
    stacks->is_taken = NULL;
}

const char *scored_stacks_left(const struct scored_stacks *stacks)
{
    for (int row = 0; row < csv_n_rows(stacks->table); row++)
        if (!stacks->is_taken[row])
            return csv_text(stacks->table, row, stacks->stack);
    return NULL;
}

/* Whether the row's columns about the network are those of the frame. */
static enum status is_of_frame(const struct csv *table, int row, const struct transformer *net,
                               bool *out, struct err *err)
{
    const struct {
        const char *name;
        int64_t value;
    } columns[] = {
        {"d_model", net->d_model},
        {"vocab_size", net->vocab_size},
        {"tie_embeddings", net->tie_embeddings},
    };
    *out = true;
    for (size_t i = 0; i < sizeof columns / sizeof *columns && *out; i++) {
        int column = csv_find_column(table, columns[i].name);
        int64_t value = columns[i].value;
        enum status status =
            column < 0 ? STATUS_OK : csv_int(table, row, column, 0, INT32_MAX, &value, err);
        if (status != STATUS_OK)
            return status;
        *out = value == columns[i].value;
    }
    return STATUS_OK;
}

static enum status d_head_of_row(const struct csv *table, int row, struct stack_usual *usual,
                                 bool *is_usual, struct err *err)
{
    int column = csv_find_column(table, "d_head");
    int64_t d_head = usual->d_head;
    enum status status =
        column < 0 ? STATUS_OK : csv_int(table, row, column, 0, INT32_MAX, &d_head, err);
    *is_usual = d_head == usual->d_head;
    return status;
}

/* False: a block is none of the frame's, or there are more than it has places for. */
static bool find_classes(const struct space_frame *frame, const struct stack *stack, int64_t n,
                         int *class_of_place)
{
    int64_t n_places = frame->net.schedule.n_layers;
    if (n > n_places || (n < n_places && !frame->may_be_empty))
        return false;
    for (int64_t place = 0; place < n_places; place++) {
        int class = 0;
        class_of_place[place] = EMPTY_PLACE;
        if (place >= n)
            continue;
        while (class < frame->n_classes &&
               !block_equal(&frame->classes[class], stack_block(stack, place)))
            class ++;
        if (class == frame->n_classes)
            return false;
        class_of_place[place] = class;
    }
    return true;
}

/* What one frame is asked with. */
struct walk {
    struct scored_stacks *stacks;
    const struct space_frame *frame;
    const struct stack_problem *problem;
    struct stack_choices choices;
    struct stack_usual usual;
    int *class_of_place, *choice; /* [n_places] */
    struct stack_front *front;
};

/* `*found`: the row is a stack of this frame, in class_of_place. */
static enum status match(const struct walk *walk, int row, bool *found, struct err *err)
{
    const struct csv *table = walk->stacks->table;
    struct stack_usual usual = walk->usual;
    struct stack stack;
    struct err inner;
    int64_t n = 0;
    enum status status = is_of_frame(table, row, &walk->frame->net, found, err);
    if (status != STATUS_OK || !*found ||
        (status = d_head_of_row(table, row, &usual, found, err)) || !*found)
        return status;
    status =
        stack_runs_parse(csv_text(table, row, walk->stacks->stack), &usual, &stack, &n, &inner);
    *found = status == STATUS_OK; /* with the heads of another network it may be one */
    if (status != STATUS_OK)
        return status == STATUS_INPUT ? STATUS_OK : err_set(err, status, "%s", inner.message);
    *found = find_classes(walk->frame, &stack, n, walk->class_of_place);
    stack_release(&stack);
    return STATUS_OK;
}

static enum status price_row(struct walk *walk, double score, struct err *err)
{
    struct found_stack found = {.class_of_place = walk->class_of_place};
    stack_choices_of_classes(&walk->choices, walk->class_of_place, walk->choice);
    if (stack_choices_violation(&walk->choices, walk->choice) > 0)
        return STATUS_OK;
    enum status status = stack_price(walk->problem, &found, err);
    if (status != STATUS_OK)
        return status;
    walk->stacks->n_priced++;
    found.value[STACK_SCORE] = llround(walk->stacks->sign * score / LAYER_SCORE_UNIT);
    if (!stack_is_within(walk->problem, &found))
        return STATUS_OK;
    return stack_front_add(walk->front, &found, err);
}

static enum status take_row(struct walk *walk, int row, struct err *err)
{
    struct scored_stacks *stacks = walk->stacks;
    bool found = false;
    double score = 0;
    enum status status = match(walk, row, &found, err);
    if (status != STATUS_OK || !found)
        return status;
    if (stacks->is_taken[row])
        return csv_error(
            stacks->table, row, stacks->stack, err,
            "two networks of the space have such a stack: add a column d_model, d_head, "
            "vocab_size or tie_embeddings that says which, or make the space smaller");
    stacks->is_taken[row] = true;
    stacks->n_taken++;
    status = csv_number(stacks->table, row, stacks->value, -MOST_SCORE, MOST_SCORE, &score, err);
    return status == STATUS_OK ? price_row(walk, score, err) : status;
}

static enum status take_rows(struct walk *walk, struct err *err)
{
    enum status status = STATUS_OK;
    for (int row = 0; row < csv_n_rows(walk->stacks->table) && status == STATUS_OK; row++) {
        if (walk->problem->stop && *walk->problem->stop)
            return err_set(err, STATUS_INTERRUPTED, "interrupted");
        status = take_row(walk, row, err);
    }
    if (status == STATUS_OK && walk->front->n == 0)
        return err_set(err, STATUS_NOT_FOUND,
                       "no stack of the table is inside budget, rules and limits");
    return status == STATUS_OK ? stack_front_select(walk->problem, walk->front, err) : status;
}

enum status scored_stacks_front(struct scored_stacks *stacks, const struct space_frame *frame,
                                const struct stack_problem *problem, struct stack_front *out,
                                struct err *err)
{
    size_t n_places = (size_t)frame->net.schedule.n_layers;
    struct walk walk = {.stacks = stacks, .frame = frame, .problem = problem, .front = out};
    *out = (struct stack_front){.n_places = (int64_t)n_places};
    enum status status = stack_choices_start(problem, &walk.choices, err);
    if (status != STATUS_OK)
        return status;
    walk.usual = layer_scores_usual(frame);
    walk.class_of_place = memory_new(n_places, sizeof *walk.class_of_place);
    walk.choice = memory_new(n_places, sizeof *walk.choice);
    status = walk.class_of_place != NULL && walk.choice != NULL
                 ? take_rows(&walk, err)
                 : err_set(err, STATUS_NOMEM, "out of memory");
    memory_free(walk.class_of_place);
    memory_free(walk.choice);
    stack_choices_end(&walk.choices);
    if (status != STATUS_OK && status != STATUS_INTERRUPTED)
        stack_front_release(out);
    return status;
}
