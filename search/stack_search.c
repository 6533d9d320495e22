#include "search/stack_search.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "exact/exact_front.h"
#include "model/count.h"
#include "model/ops.h"
#include "model/stack_json.h"
#include "model/stack_runs.h"
#include "search/evolved_front.h"
#include "search/fitted_front.h"
#include "search/front.h"
#include "search/layer_scores.h"
#include "search/space_frames.h"

/* A candidate's stack with its two texts. */
struct listed_stack {
    struct stack stack;
    char *json, *runs;
};

static const struct {
    const char *metric;
    enum stack_quantity quantity;
    double units; /* of the engine in one of the metric's */
} quantities[] = {
    {"decode_ns", STACK_DECODE, 1e3},
    {"prefill_ns", STACK_PREFILL, 1e3},
    {"init_ns", STACK_INIT, 1e3},
    {"energy_pj_per_token", STACK_ENERGY, 1e3},
    {"kv_bytes", STACK_KV, 1},
    {"peak_bytes", STACK_PEAK, 1},
    {"weight_bytes", STACK_WEIGHTS, 1},
    {"params", STACK_PARAMS, 1},
    {"score", STACK_SCORE, 1 / LAYER_SCORE_UNIT},
};
enum { N_QUANTITIES = sizeof quantities / sizeof *quantities };
#define WHAT_ADDS_UP \
    "decode_ns, prefill_ns, init_ns, energy_pj_per_token, kv_bytes, peak_bytes, weight_bytes, " \
    "params"

/* Index into quantities; -1: it does not add up. */
/* The score is no sum of layers: a predictor says it, or a table of stacks. */
static bool is_judged(const struct stack_search *search)
{
    return search->predictor != NULL || search->table != NULL;
}

static int find_quantity(const struct metric *metric)
{
    for (int i = 0; i < N_QUANTITIES; i++)
        if (strcmp(quantities[i].metric, metric->field->name) == 0)
            return i;
    return -1;
}

static enum status set_objectives(const struct stack_search *search, struct stack_problem *problem,
                                  struct err *err)
{
    const struct objectives *objectives = search->objectives;
    problem->n_objectives = objectives->n;
    for (int i = 0; i < objectives->n; i++) {
        const char *name = objectives->metric[i].field->name;
        int at = find_quantity(&objectives->metric[i]);
        if (at < 0)
            return err_set(err, STATUS_USAGE,
                           "'%s' does not add up over blocks, as an exact front needs: minimize "
                           "some of " WHAT_ADDS_UP ", maximize score",
                           name);
        bool is_score = quantities[at].quantity == STACK_SCORE;
        if (is_score != (objectives->sign[i] < 0))
            return err_set(err, STATUS_USAGE, "an exact front can only %s %s",
                           is_score ? "maximize" : "minimize", name);
        problem->objective[i] = quantities[at].quantity;
    }
    return STATUS_OK;
}

/* The largest whole number below (or at) a bound; far beyond what fits: that. */
static int64_t whole_below(double bound, bool may_equal)
{
    double whole = may_equal ? floor(bound) : ceil(bound) - 1;
    if (whole >= 0x1p62)
        return INT64_C(1) << 62;
    return whole <= -0x1p62 ? -(INT64_C(1) << 62) : (int64_t)whole;
}

static enum status refuse_condition(const char *name, struct err *err)
{
    return err_set(err, STATUS_USAGE,
                   "--where: an exact front takes an upper bound of " WHAT_ADDS_UP
                   " and a lower one of params and score, not this condition on %s: set other "
                   "dimensions in the space",
                   name);
}

/* params bound the budget too; a score of the engine is bounded from below. */
static enum status set_limits(const struct stack_search *search, struct stack_problem *problem,
                              struct err *err)
{
    problem->min_params = search->budget->min;
    problem->max_params = search->budget->max;
    problem->n_limits = 0;
    for (int i = 0; i < search->filter->n; i++) {
        const struct metric *metric = &search->filter->condition[i].metric;
        enum comparison comparison = search->filter->condition[i].comparison;
        bool is_upper = comparison == IS_LESS || comparison == IS_LESS_EQUAL;
        bool is_lower = comparison == IS_GREATER || comparison == IS_GREATER_EQUAL;
        bool may_equal = comparison == IS_LESS_EQUAL || comparison == IS_GREATER_EQUAL;
        int at = find_quantity(metric);
        if (at < 0 || (!is_upper && !is_lower))
            return refuse_condition(metric->field->name, err);
        double bound = search->filter->condition[i].value / metric->scale * quantities[at].units;
        int64_t value = is_upper ? whole_below(bound, may_equal) : -whole_below(-bound, may_equal);
        enum stack_quantity quantity = quantities[at].quantity;
        if (quantity == STACK_PARAMS && is_upper)
            problem->max_params = value < problem->max_params ? value : problem->max_params;
        else if (quantity == STACK_PARAMS)
            problem->min_params = value > problem->min_params ? value : problem->min_params;
        else if (is_upper == (quantity == STACK_SCORE))
            return refuse_condition(metric->field->name, err);
        else if (problem->n_limits == MAX_STACK_LIMITS)
            return err_set(err, STATUS_USAGE, "--where: an exact front takes %d bounds at most",
                           MAX_STACK_LIMITS);
        else
            problem->limit[problem->n_limits++] = (struct stack_limit){quantity, value};
    }
    return STATUS_OK;
}

static bool asks_for_score(const struct stack_problem *problem)
{
    bool asks = false;
    for (int i = 0; i < problem->n_objectives; i++)
        asks |= problem->objective[i] == STACK_SCORE;
    for (int i = 0; i < problem->n_limits; i++)
        asks |= problem->limit[i].quantity == STACK_SCORE;
    return asks;
}

/* The problem of a frame; *scores to be freed. */
static enum status make_problem(const struct stack_search *search, const struct space_frame *frame,
                                struct stack_problem *out, int64_t **scores, struct err *err)
{
    enum status status;
    *scores = NULL;
    *out = (struct stack_problem){
        .frame = &frame->net,
        .classes = frame->classes,
        .n_classes = frame->n_classes,
        .may_be_empty = frame->may_be_empty,
        .rules = search->space->layers.rules,
        .machine = search->machine,
        .workload = *search->workload,
        .eps = search->eps,
        .n_jobs = search->n_jobs,
        .stop = search->stop,
        .told = search->told,
        .told_user = search->told_user,
    };
    if ((status = set_objectives(search, out, err)) || (status = set_limits(search, out, err)))
        return status;
    if (is_judged(search) && !asks_for_score(out))
        status = err_set(err, STATUS_USAGE,
                         "a predictor is given, but no score is asked for: add --maximize score");
    else if (is_judged(search))
        status = STATUS_OK;
    else if (search->scores)
        status = layer_scores_read(search->scores, frame, scores, err);
    else if (asks_for_score(out) && search->ordering)
        status = layer_scores_of_law(search->ordering, frame, scores, err);
    else if (asks_for_score(out))
        status = err_set(err, STATUS_USAGE, "a score is asked for, but there is none");
    out->score = *scores;
    return status;
}

/* The stack of a frame that has one. */
static bool is_in_budget(const struct stack_search *search, const struct space_frame *frame)
{
    struct param_count params;
    transformer_count(&frame->net, &params);
    return params.total >= search->budget->min && params.total <= search->budget->max;
}

static enum status refuse_budget(const struct stack_search *search, struct err *err)
{
    char low[32], high[32];
    return err_set(err, STATUS_RANGE,
                   "no stack of the space has %s to %s parameters and is inside the limits: "
                   "change the budget, --where or the space",
                   format_count(search->budget->min, low, sizeof low),
                   format_count(search->budget->max, high, sizeof high));
}

struct check_walk {
    const struct stack_search *search;
    struct stack_count *count;
};

static enum status check_frame(const struct space_frame *frame, void *user, struct err *err)
{
    struct check_walk *walk = user;
    struct stack_problem problem;
    walk->count->n_frames++;
    if (frame->sequence && !is_in_budget(walk->search, frame))
        return STATUS_OK;
    int64_t *scores, places = frame->net.schedule.n_layers;
    int64_t classes = frame->n_classes + (frame->may_be_empty ? 1 : 0);
    enum status status = make_problem(walk->search, frame, &problem, &scores, err);
    memory_free(scores);
    walk->count->n_stacks += frame->sequence ? 1 : pow((double)classes, (double)places);
    if (places >= walk->count->n_places) {
        walk->count->n_places = places;
        walk->count->n_classes = classes;
    }
    return status;
}

enum status stack_search_check(const struct stack_search *search, struct stack_count *out,
                               struct err *err)
{
    struct check_walk walk = {search, out};
    *out = (struct stack_count){0};
    enum status status = space_each_frame(search->space, check_frame, &walk, err);
    if (!status && out->n_frames == 0)
        status = err_set(err, STATUS_RANGE,
                         "the space is empty: no d_head divides a d_model, or no n_kv_heads "
                         "divides an n_heads");
    if (!status && out->n_stacks == 0)
        status = refuse_budget(search, err);
    return status;
}

/* ---- candidates ---- */

static void listed_stack_free(struct listed_stack *stack)
{
    if (!stack)
        return;
    stack_release(&stack->stack);
    memory_free(stack->json);
    memory_free(stack->runs);
    memory_free(stack);
}

/* Takes the network's stack over. */
static enum status add_stack(struct stack_candidates *list, struct transformer *net,
                             struct listed_stack **out, struct err *err)
{
    int64_t n = net->schedule.n_layers;
    const struct stack_usual usual = stack_usual(&net->stack, n);
    enum status status = memory_grow((void **)&list->stack, &list->stacks_capacity,
                                     list->n_stacks + 1, sizeof(struct listed_stack *), err);
    *out = status ? NULL : memory_new(1, sizeof **out);
    if (!*out)
        return err_set(err, STATUS_NOMEM, "out of memory for a stack");
    list->stack[list->n_stacks++] = *out;
    (*out)->stack = net->stack;
    net->stack = (struct stack){.first = net->stack.first};
    (*out)->json = stack_print(&(*out)->stack, n);
    (*out)->runs = stack_runs_print(&(*out)->stack, n, &usual);
    return (*out)->json && (*out)->runs ? STATUS_OK
                                        : err_set(err, STATUS_NOMEM, "out of memory for a stack");
}

static int64_t same_or_unknown(int64_t known, int64_t value)
{
    return known == 0 || known == value ? value : UNKNOWN_INT;
}

/* Kinds of its blocks, and the dimensions that all with attention, or all, have in common. */
static void describe_stack(const struct transformer *net, struct candidate_row *row)
{
    row->n_full = row->n_windowed = row->n_without_attention = 0;
    row->n_heads = row->n_kv_heads = row->d_head = row->d_ff = 0;
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        const struct block *block = transformer_block(net, i);
        row->d_ff = same_or_unknown(row->d_ff, block->d_ff);
        if (block->mixer == MIXER_NONE) {
            row->n_without_attention++;
            continue;
        }
        row->n_full += block->window == 0;
        row->n_windowed += block->window > 0;
        row->n_heads = same_or_unknown(row->n_heads, block->n_heads);
        row->n_kv_heads = same_or_unknown(row->n_kv_heads, block->n_kv_heads);
        row->d_head = same_or_unknown(row->d_head, block->d_head);
    }
    if (row->n_heads == 0)
        row->n_heads = row->n_kv_heads = row->d_head = UNKNOWN_INT;
}

static void describe_counts(const struct transformer *net, const struct workload *load,
                            struct candidate_row *row)
{
    struct param_count params;
    struct weight_bytes bytes;
    int64_t held = load->prompt > load->context + 1 ? load->prompt : load->context + 1;
    transformer_stored(net, &params, &bytes);
    row->params = params.total;
    row->params_embedding = net->vocab_size * net->d_model;
    row->params_blocks = params.blocks;
    row->weight_bytes = bytes.total;
    row->kv_bytes_per_token = transformer_kv_bytes_per_token(net);
    row->kv_bytes = transformer_kv_bytes(net, held);
}

static void describe_frame(const struct transformer *net, struct candidate_row *row)
{
    row->n_layers = net->schedule.n_layers;
    row->n_layers_effective = transformer_executions(net);
    row->sharing = sharing_name(net->schedule.sharing);
    row->repeats = net->schedule.sharing == SHARING_BY_BLOCK ? UNKNOWN_INT : net->schedule.repeats;
    row->share_ffn = net->schedule.share_ffn;
    row->d_model = net->d_model;
    row->vocab_size = net->vocab_size;
    row->tie_embeddings = net->tie_embeddings;
    row->ffn_kind = ffn_kind_name(net->ffn);
    row->dtype = dtype_name(net->block_dtype);
    row->head_dtype = dtype_name(net->head_dtype);
    row->kv_dtype = dtype_name(net->kv_dtype);
}

static enum status count_flop(const struct transformer *net, int64_t *flop, struct err *err)
{
    struct operator_list list;
    struct op_totals totals;
    enum status status = ops_decode(net, 0, &list, err);
    if (status)
        return status;
    ops_totals(&list, &totals);
    ops_release(&list);
    *flop = totals.flop;
    return STATUS_OK;
}

/* score: in the engine's units; NULL: none */
static enum status add_candidate(const struct stack_problem *problem, const int *class_of_place,
                                 const struct price *price, const int64_t *score,
                                 struct stack_candidates *list, struct err *err)
{
    struct transformer net;
    struct listed_stack *stack;
    struct candidate candidate = {.stack = NULL};
    struct candidate_row *row = &candidate.row;
    enum status status = memory_grow((void **)&list->candidate, &list->capacity, list->n + 1,
                                     sizeof *list->candidate, err);
    if (status || (status = stack_network(problem, class_of_place, &net, err)))
        return status;
    record_clear(&candidate_fields, row);
    row->id = (int64_t)list->n;
    row->on_front = 0;
    row->price = *price;
    if (score)
        row->score = (double)*score * LAYER_SCORE_UNIT;
    describe_frame(&net, row);
    describe_stack(&net, row);
    describe_counts(&net, &problem->workload, row);
    status = count_flop(&net, &row->flop_per_token, err);
    candidate.schedule = net.schedule;
    candidate.dtype = net.block_dtype;
    candidate.kv_dtype = net.kv_dtype;
    candidate.ffn = net.ffn;
    candidate.max_context = net.max_context;
    if (!status)
        status = add_stack(list, &net, &stack, err);
    transformer_release(&net);
    if (status)
        return status;
    candidate.stack = &stack->stack;
    row->layers = stack->json;
    row->layers_text = stack->runs;
    list->candidate[list->n++] = candidate;
    return STATUS_OK;
}

struct run_walk {
    const struct stack_search *search;
    struct stack_candidates *list;
    int frames_left;
};

static bool is_of_front(const struct front *front, const struct stack *stack)
{
    for (size_t i = 0; i < front->n; i++)
        if (front->member[i].stack == stack)
            return true;
    return false;
}

/* Only the front stays, with its stacks. */
static void keep_members(const struct front *front, struct stack_candidates *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n_stacks; i++) {
        if (is_of_front(front, &list->stack[i]->stack))
            list->stack[kept++] = list->stack[i];
        else
            listed_stack_free(list->stack[i]);
    }
    list->n_stacks = kept;
    list->n = front->n;
    for (size_t i = 0; i < front->n; i++) {
        list->candidate[i] = front->member[i];
        list->candidate[i].row.id = (int64_t)i;
    }
}

/* Of all that was found: what passes the conditions and nothing beats. */
static enum status select_front(const struct stack_search *search, struct stack_candidates *list,
                                struct err *err)
{
    struct front front;
    enum status status = STATUS_OK;
    front_init(&front, search->objectives);
    for (size_t i = 0; i < list->n && !status; i++)
        if (filter_passes(search->filter, &list->candidate[i]))
            status = front_add(&front, &list->candidate[i], err);
    if (!status)
        keep_members(&front, list);
    front_release(&front);
    return status;
}

/* Prices the stack of a frame that has one. */
static enum status add_one(const struct stack_problem *problem, const int *sequence,
                           struct stack_candidates *list, struct err *err)
{
    const struct transformer *net = problem->frame;
    struct price price;
    int64_t score = 0, choices = problem->n_classes;
    for (int64_t place = 0; problem->score && place < net->schedule.n_layers; place++)
        score += problem->score[place * choices + sequence[place]];
    enum status status =
        price_network(net, problem->machine, &problem->workload, &price, NULL, err);
    return status ? status
                  : add_candidate(problem, sequence, &price, problem->score ? &score : NULL, list,
                                  err);
}

/* What nothing can bring to the front goes now and then, so that memory is that of the front. */
static enum status run_sequence(const struct stack_search *search, const struct space_frame *frame,
                                struct stack_candidates *list, struct err *err)
{
    enum { MOST_WAITING = 1024 };
    struct stack_problem problem;
    int64_t *scores;
    enum status status = STATUS_OK;
    if (!is_in_budget(search, frame))
        return STATUS_OK;
    if (search->stop && *search->stop)
        return err_set(err, STATUS_INTERRUPTED, "interrupted");
    if ((status = make_problem(search, frame, &problem, &scores, err)))
        return status;
    status = add_one(&problem, frame->sequence, list, err);
    memory_free(scores);
    if (!status && list->n >= list->waiting_from + MOST_WAITING) {
        status = select_front(search, list, err);
        list->waiting_from = list->n;
    }
    return status;
}

/* Each frame has an equal part of the evaluations that are left. */
static enum status predicted_front(struct run_walk *walk, const struct stack_problem *problem,
                                   struct stack_front *out, struct err *err)
{
    const struct stack_search *search = walk->search;
    struct stack_candidates *list = walk->list;
    const size_t left = search->evaluations - list->evaluations;
    const size_t part = left / (size_t)(walk->frames_left > 1 ? walk->frames_left : 1);
    const struct fitted_options options = {.evaluations = part > 0 ? part : 1,
                                           .seed = search->seed};
    struct fitted_report report = {0, NAN};
    walk->frames_left--;
    if (left == 0)
        return err_set(err, STATUS_NOT_FOUND, "no evaluations are left");
    enum status status =
        search->is_evolved ? evolved_front(problem, search->predictor, &options, out, &report, err)
                           : fitted_front(problem, search->predictor, &options, out, &report, err);
    list->evaluations += report.evaluations;
    list->explained_frac = report.explained_frac;
    return status;
}

static enum status count_frame(const struct space_frame *frame, void *user, struct err *err)
{
    (void)frame;
    (void)err;
    ((struct run_walk *)user)->frames_left++;
    return STATUS_OK;
}

/* A frame without a stack inside budget and limits is none of the front. */
static enum status run_frame(const struct space_frame *frame, void *user, struct err *err)
{
    struct run_walk *walk = user;
    struct stack_problem problem;
    struct stack_front front = {0};
    int64_t *scores;
    struct err inner = {""};
    enum status ended, status;
    if (frame->sequence)
        return run_sequence(walk->search, frame, walk->list, err);
    status = make_problem(walk->search, frame, &problem, &scores, err);
    if (status)
        goto out;
    ended = walk->search->table
                ? scored_stacks_front(walk->search->table, frame, &problem, &front, &inner)
            : walk->search->predictor ? predicted_front(walk, &problem, &front, &inner)
                                      : exact_front(&problem, &front, &inner);
    if (ended && ended != STATUS_NOT_FOUND && ended != STATUS_INTERRUPTED)
        status = err_set(err, ended, "%s", inner.message);
    for (size_t i = 0; i < front.n && !status; i++)
        status = add_candidate(
            &problem, front.stack[i].class_of_place, &front.stack[i].price,
            problem.score || is_judged(walk->search) ? &front.stack[i].value[STACK_SCORE] : NULL,
            walk->list, err);
    if (!status && ended == STATUS_INTERRUPTED)
        status = err_set(err, ended, "%s", inner.message);
    stack_front_release(&front);
out:
    memory_free(scores);
    return status;
}

enum status stack_search_run(const struct stack_search *search, struct stack_candidates *out,
                             struct err *err)
{
    struct run_walk walk = {search, out, 0};
    *out = (struct stack_candidates){.explained_frac = NAN};
    enum status status =
        search->predictor ? space_each_frame(search->space, count_frame, &walk, err) : STATUS_OK;
    if (!status)
        status = space_each_frame(search->space, run_frame, &walk, err);
    bool is_interrupted = status == STATUS_INTERRUPTED;
    if (!status || is_interrupted)
        status = select_front(search, out, err);
    if (!status && is_interrupted)
        return err_set(err, STATUS_INTERRUPTED, "interrupted");
    if (!status && out->n == 0)
        status = refuse_budget(search, err);
    return status;
}

void stack_candidates_release(struct stack_candidates *candidates)
{
    for (size_t i = 0; i < candidates->n_stacks; i++)
        listed_stack_free(candidates->stack[i]);
    memory_free(candidates->stack);
    memory_free(candidates->candidate);
    *candidates = (struct stack_candidates){0};
}
