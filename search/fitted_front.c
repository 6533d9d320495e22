#include "search/fitted_front.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "search/additive_fit.h"

enum {
    FIRST_PART = 4, /* of the evaluations goes to random stacks */
    ROUNDS = 6,
    STEPS = 4,          /* of moves a round */
    MOVES_A_STACK = 30, /* drawn for each that is asked about */
    FIT_STEPS = 4096,   /* of the range of fitted sums: finer ones make a front, not a better one */
};
/* Of the front of a fit, where exact ones of three objectives and more take long. */
static const double FIT_EPS = 0.01;

struct fitted_search {
    const struct stack_choices *choices;
    const struct fitted_options *options;
    struct judged_stacks judged;
    struct additive_fit fit;
    uint64_t round; /* of random numbers */
};

static size_t left(const struct fitted_search *search)
{
    return search->judged.most - search->judged.n;
}

static int threads(const struct fitted_search *search)
{
    int n = search->choices->problem->n_jobs;
    return n > 0 ? n : omp_get_max_threads();
}

/* ---- random stacks ---- */

static enum status judge_random(struct fitted_search *search, size_t n, struct err *err)
{
    size_t width = (size_t)search->choices->n_places;
    int *choice = memory_new(n * width, sizeof *choice);
    if (!choice)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu stacks", n);
    search->round++;
#pragma omp parallel for num_threads(threads(search))
    for (size_t i = 0; i < n; i++) {
        struct counter_random random =
            counter_random_start(search->options->seed, search->round, i);
        stack_choices_draw(search->choices, &random, choice + i * width);
    }
    enum status status = judged_stacks_add(&search->judged, choice, n, err);
    memory_free(choice);
    return status;
}

/* ---- the front of the fit ---- */

/* Effects in whole numbers, the least of a place 0. */
static void fitted_scores(const struct additive_fit *fit, int64_t *score)
{
    double range = 0;
    for (int i = 0; i < fit->n_places; i++) {
        const double *effect = fit->effect + i * fit->n_choices;
        double least = INFINITY, most = -INFINITY;
        for (int c = 0; c < fit->n_choices; c++) {
            least = fmin(least, effect[c]);
            most = fmax(most, effect[c]);
        }
        range += most - least;
    }
    double step = range > 0 ? range / FIT_STEPS : 1;
    for (int i = 0; i < fit->n_places; i++) {
        const double *effect = fit->effect + i * fit->n_choices;
        double least = INFINITY;
        for (int c = 0; c < fit->n_choices; c++)
            least = fmin(least, effect[c]);
        for (int c = 0; c < fit->n_choices; c++)
            score[i * fit->n_choices + c] = llround((effect[c] - least) / step);
    }
}

/* The problem with the fit for a score; limits of the score are the predictor's to say. */
static struct stack_problem fitted_problem(const struct stack_problem *problem,
                                           const int64_t *score)
{
    struct stack_problem fitted = *problem;
    fitted.score = score;
    fitted.n_limits = 0;
    for (int i = 0; i < problem->n_limits; i++)
        if (problem->limit[i].quantity != STACK_SCORE)
            fitted.limit[fitted.n_limits++] = problem->limit[i];
    if (fitted.n_objectives > 2 && fitted.eps < FIT_EPS)
        fitted.eps = FIT_EPS;
    return fitted;
}

/* n of the front at most, evenly. */
static enum status judge_some(struct fitted_search *search, const struct stack_front *front,
                              size_t n, struct err *err)
{
    size_t width = (size_t)search->choices->n_places;
    n = n < front->n ? n : front->n;
    int *choice = memory_new((n + 1) * width, sizeof *choice);
    if (!choice)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu stacks", n);
    for (size_t i = 0; i < n; i++) {
        size_t at = n > 1 ? i * (front->n - 1) / (n - 1) : 0;
        stack_choices_of_classes(search->choices, front->stack[at].class_of_place,
                                 choice + i * width);
    }
    enum status status = judged_stacks_add(&search->judged, choice, n, err);
    memory_free(choice);
    return status;
}

static enum status judge_front_of_fit(struct fitted_search *search, size_t n, struct err *err)
{
    const struct stack_choices *choices = search->choices;
    struct stack_front front = {0};
    int64_t *score =
        memory_new((size_t)choices->n_places * (size_t)choices->n_choices, sizeof *score);
    if (!score)
        return err_set(err, STATUS_NOMEM, "out of memory for scores");
    fitted_scores(&search->fit, score);
    struct stack_problem fitted = fitted_problem(choices->problem, score);
    enum status status = exact_front(&fitted, &front, err);
    if (!status)
        status = judge_some(search, &front, n, err);
    stack_front_release(&front);
    memory_free(score);
    return status;
}

/* ---- moves ---- */

struct move {
    bool is_open; /* keeps rules and budget */
    double objective[MAX_STACK_OBJECTIVES];
    struct found_stack stack; /* without its class_of_place */
};

static bool beats(const double *a, const double *b, int n)
{
    for (int k = 0; k < n; k++)
        if (a[k] > b[k])
            return false;
    return true;
}

/* A stack beside one of the front, with its price and the score that is expected of it. */
static enum status make_move(const struct fitted_search *search, const struct found_stack *parent,
                             struct counter_random *random, int *choice, int *classes,
                             struct move *out)
{
    const struct stack_choices *choices = search->choices;
    const struct stack_problem *problem = choices->problem;
    struct err ignored;
    stack_choices_of_classes(choices, parent->class_of_place, choice);
    double before = additive_fit_value(&search->fit, choice);
    stack_choices_move(choices, random, choice);
    out->is_open = stack_choices_violation(choices, choice) == 0;
    if (!out->is_open)
        return STATUS_OK;
    stack_choices_classes(choices, choice, classes);
    out->stack.class_of_place = classes;
    enum status status = stack_price(problem, &out->stack, &ignored);
    out->stack.class_of_place = NULL;
    if (status)
        return status;
    double gain =
        (additive_fit_value(&search->fit, choice) - before) / search->judged.predictor.unit;
    out->stack.value[STACK_SCORE] = parent->value[STACK_SCORE] + llround(gain);
    out->is_open = stack_is_within(problem, &out->stack);
    stack_objectives(problem, &out->stack, out->objective);
    return STATUS_OK;
}

/* Whether nothing of the front is expected to be as good. */
static bool is_promising(const struct move *move, double (*front)[MAX_STACK_OBJECTIVES],
                         size_t n_front, int n_objectives)
{
    for (size_t i = 0; i < n_front; i++)
        if (beats(front[i], move->objective, n_objectives))
            return false;
    return true;
}

struct move_room {
    size_t n_moves;
    int *choice, *classes; /* [n_moves][n_places] */
    int *chosen;           /* [n][n_places] */
    struct move *move;     /* [n_moves] */
    double (
        *front)[MAX_STACK_OBJECTIVES]; /* [n_front + n]: objectives of the front, then of moves */
    size_t n_front;
};

static enum status move_room_new(const struct fitted_search *search, size_t n, size_t n_front,
                                 struct move_room *out, struct err *err)
{
    size_t width = (size_t)search->choices->n_places, n_moves = n * MOVES_A_STACK;
    *out = (struct move_room){
        .n_moves = n_moves,
        .choice = memory_new(n_moves * width, sizeof *out->choice),
        .classes = memory_new(n_moves * width, sizeof *out->classes),
        .chosen = memory_new(n * width, sizeof *out->chosen),
        .move = memory_new(n_moves, sizeof *out->move),
        .front = memory_new(n + n_front, sizeof *out->front),
        .n_front = n_front,
    };
    return out->choice && out->classes && out->chosen && out->move && out->front
               ? STATUS_OK
               : err_set(err, STATUS_NOMEM, "out of memory for %zu stacks", n_moves);
}

static void move_room_free(struct move_room *room)
{
    memory_free(room->choice);
    memory_free(room->classes);
    memory_free(room->chosen);
    memory_free(room->move);
    memory_free(room->front);
}

/* Chooses n moves at most: those that nothing of the front or before them beats, then others, for where
 * the fit is wrong. Returns how many. */
static size_t choose_moves(struct fitted_search *search, struct move_room *room, size_t n)
{
    const int n_objectives = search->choices->problem->n_objectives;
    size_t width = (size_t)search->choices->n_places, chosen = 0, row;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < room->n_moves && chosen < n; i++) {
            struct move *move = &room->move[i];
            const int *choice = room->choice + i * width;
            if (!move->is_open || judged_stacks_find(&search->judged, choice, &row) ||
                (pass == 0 && !is_promising(move, room->front, room->n_front, n_objectives)))
                continue;
            move->is_open = false;
            memcpy(room->chosen + chosen++ * width, choice, width * sizeof *choice);
            if (pass == 0)
                memcpy(room->front[room->n_front++], move->objective, sizeof *room->front);
        }
    }
    return chosen;
}

static enum status make_moves(struct fitted_search *search, const struct stack_front *front,
                              struct move_room *room, struct err *err)
{
    size_t width = (size_t)search->choices->n_places;
    enum status worst = STATUS_OK;
    search->round++;
#pragma omp parallel for num_threads(threads(search)) reduction(max : worst)
    for (size_t i = 0; i < room->n_moves; i++) {
        struct counter_random random =
            counter_random_start(search->options->seed, search->round, i);
        size_t parent = (size_t)counter_random_below(&random, (int)front->n);
        enum status status =
            make_move(search, &front->stack[parent], &random, room->choice + i * width,
                      room->classes + i * width, &room->move[i]);
        worst = status > worst ? status : worst;
    }
    return worst ? err_set(err, worst, "cannot price a stack") : STATUS_OK;
}

static enum status judge_moves(struct fitted_search *search, size_t n, struct err *err)
{
    const struct stack_problem *problem = search->choices->problem;
    struct stack_front front;
    struct move_room room;
    enum status status = judged_stacks_front(&search->judged, &front, err);
    if (status)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    status = move_room_new(search, n, front.n, &room, err);
    if (!status)
        status = make_moves(search, &front, &room, err);
    for (size_t i = 0; i < front.n && !status; i++)
        stack_objectives(problem, &front.stack[i], room.front[i]);
    if (!status)
        status =
            judged_stacks_add(&search->judged, room.chosen, choose_moves(search, &room, n), err);
    move_room_free(&room);
    stack_front_release(&front);
    return status;
}

/* ---- rounds ---- */

static enum status fit_all(struct fitted_search *search, struct err *err)
{
    additive_fit_release(&search->fit);
    return additive_fit_make(search->judged.choice, search->judged.score, search->judged.n,
                             search->choices->n_places, search->choices->n_choices, &search->fit,
                             err);
}

static size_t at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

static enum status run_round(struct fitted_search *search, size_t n, struct err *err)
{
    size_t until = search->judged.n + (n < left(search) ? n : left(search));
    enum status status = fit_all(search, err);
    if (!status)
        status = judge_front_of_fit(search, at_least_one(n / 2), err);
    for (int step = 0; step < STEPS && search->judged.n < until && !status; step++)
        status = judge_moves(
            search, at_least_one((until - search->judged.n) / (size_t)(STEPS - step)), err);
    if (!status && search->options->progress)
        search->options->progress(search->options->user, &search->judged);
    return status;
}

/* Rounds end where there is nothing new to ask about. */
static enum status run_rounds(struct fitted_search *search, struct err *err)
{
    size_t before = SIZE_MAX;
    enum status status = judge_random(search, at_least_one(search->judged.most / FIRST_PART), err);
    size_t n = at_least_one(left(search) / ROUNDS);
    while (!status && left(search) > 0 && search->judged.n != before) {
        before = search->judged.n;
        status = run_round(search, left(search) < 2 * n ? left(search) : n, err);
    }
    return status;
}

enum status fitted_front(const struct stack_problem *problem,
                         const struct stack_predictor *predictor,
                         const struct fitted_options *options, struct stack_front *out,
                         struct fitted_report *report, struct err *err)
{
    struct stack_choices choices;
    struct fitted_search search = {.choices = &choices, .options = options};
    *out = (struct stack_front){.n_places = problem->frame->schedule.n_layers};
    enum status status = stack_choices_start(problem, &choices, err);
    if (status)
        return status;
    status = judged_stacks_start(&choices, predictor, options->evaluations, &search.judged, err);
    if (!status)
        status = run_rounds(&search, err);
    status = judged_stacks_end_with(&search.judged, status, out, err);
    *report = (struct fitted_report){search.judged.n,
                                     search.fit.effect ? search.fit.explained_frac : NAN};
    additive_fit_release(&search.fit);
    judged_stacks_end(&search.judged);
    stack_choices_end(&choices);
    return status;
}
