#include "exact/exact_front.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "exact/label_set.h"
#include "exact/stack_case.h"

/* Stacks that nothing met so far beats. */
struct finalists {
    const struct stack_work *work;
    struct label_rules rules;
    struct label_set set; /* from.label: a row of choices */
    struct label_room room;
    size_t n, capacity;
    int *choices;  /* [n][n_places] */
    size_t pruned; /* set.n after the last pruning */
};

static int64_t n_places(const struct stack_work *work)
{
    return work->problem->frame->schedule.n_layers;
}

static void release(struct finalists *finalists)
{
    label_set_release(&finalists->set);
    label_room_release(&finalists->room);
    memory_free(finalists->choices);
}

/* Rows that nothing points at go. */
static enum status collect(struct finalists *f, struct err *err)
{
    size_t width = (size_t)n_places(f->work);
    enum status status = label_set_prune(&f->rules, &f->set, &f->room, err);
    if (status)
        return status;
    int *kept = memory_new((f->set.n + 1) * width, sizeof *kept);
    if (!kept)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu stacks", f->set.n);
    for (size_t i = 0; i < f->set.n; i++) {
        memcpy(kept + i * width, f->choices + f->set.from[i].label * width, width * sizeof *kept);
        f->set.from[i].label = (uint32_t)i;
    }
    memory_free(f->choices);
    f->choices = kept;
    f->n = f->pruned = f->set.n;
    f->capacity = (f->set.n + 1) * width;
    return STATUS_OK;
}

static enum status add(const int *choices, const int64_t *value, void *user, struct err *err)
{
    struct finalists *f = user;
    size_t width = (size_t)n_places(f->work);
    static const int64_t nothing[MAX_COSTS];
    int64_t cost[MAX_COSTS], most[MAX_COSTS];
    struct label_set one = {.n = 1, .cost = cost};
    memcpy(cost, value, (size_t)f->rules.n_costs * sizeof *cost);
    for (int i = 0; i < f->rules.n_costs; i++)
        most[i] = INT64_MAX;
    enum status status =
        memory_grow((void **)&f->choices, &f->capacity, (f->n + 1) * width, sizeof *choices, err);
    if (status)
        return status;
    memcpy(f->choices + f->n * width, choices, width * sizeof *choices);
    status = label_set_add(&f->rules, &f->set, &f->room, &one, nothing, most, 0, 0, err);
    for (size_t i = 0; i < f->set.n && !status; i++) /* the new one, if it stayed, has choice -1 */
        if (f->set.from[i].choice == 0) {
            f->set.from[i] = (struct label_origin){0, (uint32_t)f->n, -1};
            break;
        }
    f->n++;
    if (!status && f->n > 2 * f->pruned + 4096)
        status = collect(f, err);
    return status;
}

/* Widths at which the widest block may end: each class's, ascending. Returns how many. */
static int list_widths(const struct stack_work *work, int64_t *width)
{
    int n = 0;
    for (int c = 0; c < work->problem->n_classes; c++) {
        int64_t value = work->costs.counts[c].wide_bytes;
        int at = n;
        while (at > 0 && width[at - 1] > value)
            at--;
        if (at > 0 && width[at - 1] == value)
            continue;
        memmove(width + at + 1, width + at, (size_t)(n - at) * sizeof *width);
        width[at] = value;
        n++;
    }
    if (!work->is_used[STACK_PEAK]) {
        width[0] = width[n - 1];
        n = 1;
    }
    return n;
}

/* The caches set the two passes of a stack apart, the weights do not. */
static bool is_possible(const struct stack_work *work, const struct stack_case *one)
{
    const struct byte_range *decode = &one->region[PHASE_DECODE].pass;
    const struct byte_range *prefill = &one->region[PHASE_PREFILL].pass;
    return decode->low - prefill->high <= work->apart.high &&
           decode->high - prefill->low >= work->apart.low;
}

static enum status run_cases(const struct stack_work *work, const struct pass_regions regions[2],
                             const int64_t *width, int n_widths, struct finalists *finalists,
                             int *n_cases, struct err *err)
{
    enum status status = STATUS_OK;
    for (int w = 0; w < n_widths; w++) {
        for (int d = 0; d < regions[PHASE_DECODE].n; d++) {
            for (int p = 0; p < regions[PHASE_PREFILL].n && !status; p++) {
                struct stack_case one = {.widest_bytes = width[w]};
                one.region[PHASE_DECODE] = regions[PHASE_DECODE].region[d];
                one.region[PHASE_PREFILL] = regions[PHASE_PREFILL].region[p];
                if (!is_possible(work, &one))
                    continue;
                status = stack_case_run(work, &one, add, finalists, err);
                ++*n_cases;
            }
        }
    }
    return status;
}

/* One region over all for a phase that is not asked about. */
static enum status find_regions(const struct stack_work *work, enum phase phase,
                                struct pass_regions *out, struct err *err)
{
    if (work->uses_phase[phase])
        return pass_regions_find(&work->costs, phase, work->pass[phase], work->whole[phase],
                                 work->more_kv[phase], out, err);
    *out = (struct pass_regions){1, memory_new(1, sizeof *out->region)};
    if (!out->region)
        return err_set(err, STATUS_NOMEM, "out of memory for a range");
    out->region[0] = (struct pass_region){work->pass[phase], work->whole[phase], true};
    return STATUS_OK;
}

static enum status solve(const struct stack_work *work, struct finalists *finalists, int *n_cases,
                         struct err *err)
{
    struct pass_regions regions[2] = {{0}, {0}};
    int64_t *width = memory_new((size_t)work->problem->n_classes + 1, sizeof *width);
    enum status status = STATUS_OK;
    if (!width)
        status = err_set(err, STATUS_NOMEM, "out of memory for widths");
    for (int p = 0; p < 2 && !status; p++)
        status = find_regions(work, (enum phase)p, &regions[p], err);
    if (!status)
        status = run_cases(work, regions, width, list_widths(work, width), finalists, n_cases, err);
    pass_regions_release(&regions[0]);
    pass_regions_release(&regions[1]);
    memory_free(width);
    return status;
}

/* Whether the rules allow this class in every place. */
static bool is_uniform_allowed(const struct stack_work *work, int class)
{
    const struct rule_automaton automaton = {
        .rules = work->problem->rules,
        .n_places = n_places(work),
        .n_choices = work->n_choices,
        .kind = work->kind,
        .allowed = work->problem->allowed,
    };
    int64_t state = RULE_STATE_START;
    for (int64_t i = 0; i < automaton.n_places && state != RULE_STATE_DEAD; i++)
        state = rule_step(&automaton, state, i, class);
    return state != RULE_STATE_DEAD && rule_accepts(&automaton, state);
}

enum status stack_network(const struct stack_problem *problem, const int *class_of_place,
                          struct transformer *out, struct err *err)
{
    int64_t n = 0, places = problem->frame->schedule.n_layers;
    int *classes = memory_new((size_t)places, sizeof *classes);
    if (!classes)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", places);
    for (int64_t i = 0; i < places; i++)
        if (class_of_place[i] != EMPTY_PLACE)
            classes[n++] = class_of_place[i];
    assert(n > 0);
    *out = *problem->frame;
    out->schedule.n_layers = n;
    out->stack = (struct stack){.first = problem->classes[classes[0]]};
    enum status status = stack_set_classes(&out->stack, problem->classes, classes, n, err);
    memory_free(classes);
    if (!status && (status = transformer_settle(out, err)))
        transformer_release(out);
    return status;
}

static void set_values(const struct stack_problem *problem, const struct transformer *net,
                       struct found_stack *stack)
{
    const int n_choices = problem->n_classes + (problem->may_be_empty ? 1 : 0);
    const struct workload *load = &problem->workload;
    struct param_count params;
    struct weight_bytes bytes;
    int64_t held = load->prompt > load->context + 1 ? load->prompt : load->context + 1;
    transformer_stored(net, &params, &bytes);
    int64_t *value = stack->value;
    value[STACK_DECODE] = exact_ps(stack->price.decode_ns);
    value[STACK_PREFILL] = exact_ps(stack->price.prefill_ns);
    value[STACK_INIT] = exact_ps(stack->price.init_ns);
    value[STACK_ENERGY] = exact_fj(stack->price.energy_pj_per_token);
    value[STACK_KV] = transformer_kv_bytes(net, held);
    value[STACK_PEAK] = stack->price.peak_bytes;
    value[STACK_WEIGHTS] = bytes.total;
    value[STACK_PARAMS] = params.total;
    value[STACK_SCORE] = 0;
    for (int64_t i = 0; problem->score && i < problem->frame->schedule.n_layers; i++) {
        int choice = stack->class_of_place[i];
        value[STACK_SCORE] +=
            problem->score[i * n_choices + (choice == EMPTY_PLACE ? problem->n_classes : choice)];
    }
}

bool stack_is_within(const struct stack_problem *problem, const struct found_stack *stack)
{
    bool within = stack->value[STACK_PARAMS] >= problem->min_params &&
                  stack->value[STACK_PARAMS] <= problem->max_params;
    for (int i = 0; i < problem->n_limits; i++) {
        const struct stack_limit *limit = &problem->limit[i];
        int64_t value = stack->value[limit->quantity];
        within &= limit->quantity == STACK_SCORE ? value >= limit->value : value <= limit->value;
    }
    return within;
}

enum status stack_price(const struct stack_problem *problem, struct found_stack *stack,
                        struct err *err)
{
    struct transformer net;
    enum status status = stack_network(problem, stack->class_of_place, &net, err);
    if (status)
        return status;
    status = price_network(&net, problem->machine, &problem->workload, &stack->price, NULL, err);
    if (!status)
        set_values(problem, &net, stack);
    transformer_release(&net);
    return status;
}

enum status stack_front_add(struct stack_front *front, const struct found_stack *stack,
                            struct err *err)
{
    size_t places = (size_t)front->n_places;
    int *classes = memory_new(places, sizeof *classes);
    if (!classes)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu blocks", places);
    enum status status = memory_grow((void **)&front->stack, &front->capacity, front->n + 1,
                                     sizeof *front->stack, err);
    if (status) {
        memory_free(classes);
        return status;
    }
    memcpy(classes, stack->class_of_place, places * sizeof *classes);
    front->stack[front->n] = *stack;
    front->stack[front->n++].class_of_place = classes;
    return STATUS_OK;
}

/* Prices a stack as a network and keeps it if it is within budget and limits. `classes` is room for
 * it. */
static enum status keep(const struct stack_work *work, const int *choices, int *classes,
                        struct stack_front *front, struct err *err)
{
    const struct stack_problem *problem = work->problem;
    struct found_stack stack = {.class_of_place = classes};
    for (int64_t i = 0; i < n_places(work); i++)
        classes[i] = choices[i] >= problem->n_classes ? EMPTY_PLACE : choices[i];
    enum status status = stack_price(problem, &stack, err);
    if (status || !stack_is_within(problem, &stack))
        return status;
    return stack_front_add(front, &stack, err);
}

static enum status price_finalists(const struct stack_work *work, struct finalists *finalists,
                                   struct stack_front *front, struct err *err)
{
    size_t places = (size_t)n_places(work);
    int *room = memory_new(2 * places, sizeof *room), *uniform = room ? room + places : NULL;
    enum status status =
        room ? collect(finalists, err)
             : err_set(err, STATUS_NOMEM, "out of memory for %zu blocks", 2 * places);
    for (size_t i = 0; i < finalists->set.n && !status; i++)
        status = keep(work, finalists->choices + i * places, room, front, err);
    for (int c = 0; work->is_uneven && c < work->problem->n_classes && !status; c++) {
        for (size_t i = 0; i < places; i++)
            uniform[i] = c;
        if (is_uniform_allowed(work, c))
            status = keep(work, uniform, room, front, err);
    }
    memory_free(room);
    return status;
}

enum status stack_front_select(const struct stack_problem *problem, struct stack_front *front,
                               struct err *err)
{
    const struct label_rules rules = {.n_costs = problem->n_objectives};
    static const int64_t nothing[MAX_COSTS];
    struct label_set set = {0};
    struct label_room room = {.order = NULL};
    struct found_stack *kept = memory_new(front->n, sizeof *kept);
    enum status status = STATUS_OK;
    if (!kept)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu stacks", front->n);
    for (size_t i = 0; i < front->n && !status; i++) {
        int64_t cost[MAX_COSTS], most[MAX_COSTS];
        struct label_set one = {.n = 1, .cost = cost};
        for (int k = 0; k < problem->n_objectives; k++) {
            int64_t value = front->stack[i].value[problem->objective[k]];
            cost[k] = problem->objective[k] == STACK_SCORE ? -value : value;
            most[k] = INT64_MAX;
        }
        status = label_set_add(&rules, &set, &room, &one, nothing, most, (uint32_t)i, 0, err);
    }
    if (!status)
        status = label_set_prune(&rules, &set, &room, err);
    for (size_t i = 0; i < set.n && !status; i++) {
        kept[i] = front->stack[set.from[i].set];
        front->stack[set.from[i].set].class_of_place = NULL;
    }
    if (!status) {
        for (size_t i = 0; i < front->n; i++)
            memory_free(front->stack[i].class_of_place);
        memory_free(front->stack);
        front->stack = kept;
        front->capacity = front->n;
        front->n = set.n;
        kept = NULL;
    }
    memory_free(kept);
    label_set_release(&set);
    label_room_release(&room);
    return status;
}

enum status exact_front(const struct stack_problem *problem, struct stack_front *out,
                        struct err *err)
{
    struct stack_work work;
    *out = (struct stack_front){.n_places = problem->frame->schedule.n_layers};
    enum status status = stack_work_start(problem, &work, err);
    if (status)
        return status;
    struct finalists finalists = {.work = &work, .rules = {.n_costs = problem->n_objectives}};
    status = solve(&work, &finalists, &out->n_cases, err);
    bool is_interrupted = status == STATUS_INTERRUPTED;
    if (!status || is_interrupted)
        status = price_finalists(&work, &finalists, out, err);
    if (!status)
        status = stack_front_select(problem, out, err);
    if (!status && is_interrupted)
        status = err_set(err, STATUS_INTERRUPTED, "interrupted");
    else if (!status && out->n == 0)
        status = err_set(err, STATUS_NOT_FOUND, "no stack is inside the budget and the limits");
    release(&finalists);
    stack_work_end(&work);
    if (status && status != STATUS_INTERRUPTED)
        stack_front_release(out);
    return status;
}

void stack_front_release(struct stack_front *front)
{
    for (size_t i = 0; i < front->n; i++)
        memory_free(front->stack[i].class_of_place);
    memory_free(front->stack);
    *front = (struct stack_front){0};
}
