#include "exact/stack_case.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "exact/key_table.h"
#include "exact/params_parts.h"
#include "exact/stack_values.h"

enum { DEFAULT_MEMORY_GIB = 2, NOT_THERE = -1 };

/* What a label counts. */
struct count_of {
    enum { OF_QUANTITY, OF_PASS, OF_WHOLE } kind;
    enum stack_quantity quantity;
    enum phase phase; /* of OF_PASS and OF_WHOLE */
};

/* Places in the key of sums that are known to the last unit; NOT_THERE. */
struct sum_index {
    int params, blocks;
    int pass[2]; /* own + runs * kv */
    int own[2], kv[2];
};

struct running {
    const struct stack_work *work;
    const struct stack_case *of;
    const struct params_part *part;
    struct stack_dp dp;
    struct sum_index at;
    int64_t *sums;  /* [n_choices][n_sums] */
    bool *allowed;  /* [n_places][n_choices] */
    int64_t *least; /* [n_places][n_costs] */
    int64_t *table; /* [n_costs][n_choices][2]: by whether it is the first block */
    struct count_of count[MAX_COSTS];
    int of_objective[MAX_STACK_OBJECTIVES]; /* which label cost it is */
    struct stack_place place[2];            /* by phase: bytes at which costs are taken */
    struct pass_sums total[2];              /* of a reverse schedule */
    stack_dp_found *found;
    void *user;
};

static const struct schedule *schedule_of(const struct running *run)
{
    return &run->work->problem->frame->schedule;
}

static bool is_asked_for_each_place(const struct running *run, int cost)
{
    const struct count_of *count = &run->count[cost];
    return count->kind == OF_QUANTITY && schedule_of(run)->sharing == SHARING_REVERSE &&
           (count->quantity == STACK_DECODE || count->quantity == STACK_PREFILL ||
            count->quantity == STACK_ENERGY);
}

/* What a stack has of a quantity beside its blocks. */
static int64_t fixed_value(const struct running *run, enum stack_quantity quantity)
{
    int64_t n_known = run->at.blocks == NOT_THERE ? schedule_of(run)->n_layers : 0, sum = 0;
    if (quantity == STACK_SCORE)
        for (int64_t i = 0; i < schedule_of(run)->n_layers; i++)
            sum -= run->work->best_score[i];
    else
        sum = stack_edge_value(&run->work->costs, quantity, run->place, n_known);
    return quantity == STACK_PEAK ? sum + run->of->widest_bytes : sum;
}

static struct pass_sums sums_of(const struct running *run, enum phase phase, const int64_t *sums)
{
    int64_t kv = sums[run->at.kv[phase]];
    return (struct pass_sums){sums[run->at.own[phase]], kv, schedule_of(run)->repeats * kv};
}

/* A reverse schedule: from the bytes before the block. */
static int64_t value_after(const struct running *run, enum stack_quantity quantity, int class,
                           bool is_first, const int64_t *sums)
{
    enum phase phase = quantity == STACK_PREFILL ? PHASE_PREFILL : PHASE_DECODE;
    const struct class_counts *counts = &run->work->costs.counts[class];
    struct stack_place place[2] = {run->place[0], run->place[1]};
    struct stack_place *at = &place[phase];
    at->is_first = is_first;
    at->before = sums_of(run, phase, sums);
    at->after.own = run->total[phase].own - at->before.own - counts->own;
    at->after.kv = run->total[phase].kv - at->before.kv - counts->kv[phase];
    return stack_block_value(&run->work->costs, quantity, class, place);
}

static void cost(const void *user, int64_t at, int choice, bool is_first, const int64_t *sums,
                 int64_t *out)
{
    const struct running *run = user;
    const struct stack_work *work = run->work;
    bool is_empty = choice >= work->problem->n_classes;
    for (int i = 0; i < run->dp.labels.n_costs; i++) {
        const struct count_of *count = &run->count[i];
        if (count->kind == OF_QUANTITY && count->quantity == STACK_SCORE)
            out[i] = work->best_score[at] - work->problem->score[at * work->n_choices + choice];
        else if (is_asked_for_each_place(run, i) && !is_empty)
            out[i] = value_after(run, count->quantity, choice, is_first, sums);
        else
            out[i] = run->table[(i * work->n_choices + choice) * 2 + is_first];
        if (count->kind == OF_QUANTITY && count->quantity == STACK_INIT && !is_empty &&
            run->at.blocks != NOT_THERE)
            out[i] += exact_ps(work->costs.machine->init_block_sq_ns *
                               (double)(2 * sums[run->at.blocks] + 1));
    }
}

static int64_t table_value(const struct running *run, const struct count_of *count, int class,
                           bool is_first)
{
    const struct class_counts *counts = &run->work->costs.counts[class];
    struct stack_place place[2] = {run->place[0], run->place[1]};
    place[0].is_first = place[1].is_first = is_first;
    switch (count->kind) {
    case OF_PASS:
        return counts->own + counts->runs * counts->kv[count->phase];
    case OF_WHOLE:
        return counts->own + counts->kv[count->phase];
    case OF_QUANTITY:
        break;
    }
    return stack_block_value(&run->work->costs, count->quantity, class, place);
}

static int64_t least_of(const struct running *run, int cost_index, int64_t at)
{
    const struct stack_work *work = run->work;
    const struct count_of *count = &run->count[cost_index];
    int64_t least = INT64_MAX;
    if (is_asked_for_each_place(run, cost_index) ||
        (count->kind == OF_QUANTITY && count->quantity == STACK_SCORE))
        return 0;
    for (int c = 0; c < work->n_choices; c++) {
        const int64_t *value = &run->table[(cost_index * work->n_choices + c) * 2];
        if (!run->allowed[at * work->n_choices + c])
            continue;
        least = value[0] < least ? value[0] : least;
        least = value[1] < least ? value[1] : least;
    }
    return least == INT64_MAX ? 0 : least;
}

static void fill_tables(struct running *run)
{
    const struct stack_work *work = run->work;
    for (int i = 0; i < run->dp.labels.n_costs; i++) {
        const struct count_of *count = &run->count[i];
        for (int c = 0; c < work->problem->n_classes; c++)
            for (int first = 0; first < 2; first++)
                if (!is_asked_for_each_place(run, i))
                    run->table[(i * work->n_choices + c) * 2 + first] =
                        table_value(run, count, c, first != 0);
        for (int64_t at = 0; at < schedule_of(run)->n_layers; at++)
            run->least[at * run->dp.labels.n_costs + i] = least_of(run, i, at);
    }
}

static int count_index(struct running *run, struct count_of count)
{
    for (int i = 0; i < run->dp.labels.n_costs; i++) {
        const struct count_of *known = &run->count[i];
        if (known->kind == count.kind && known->quantity == count.quantity &&
            known->phase == count.phase)
            return i;
    }
    int at = run->dp.labels.n_costs++;
    run->count[at] = count;
    run->dp.most[at] = INT64_MAX;
    return at;
}

static void limit(struct running *run, int cost_index, int64_t most)
{
    int64_t *at = &run->dp.most[cost_index];
    *at = most < *at ? most : *at;
    run->dp.labels.is_untrimmed[cost_index] = true;
}

/* Objectives, what is limited, and the ends of regions that a stack could pass. */
static void choose_counts(struct running *run)
{
    const struct stack_problem *problem = run->work->problem;
    for (int i = 0; i < problem->n_objectives; i++)
        run->of_objective[i] =
            count_index(run, (struct count_of){OF_QUANTITY, problem->objective[i], 0});
    for (int i = 0; i < problem->n_limits; i++)
        count_index(run, (struct count_of){OF_QUANTITY, problem->limit[i].quantity, 0});
    for (int p = 0; p < 2; p++) {
        const struct pass_region *region = &run->of->region[p];
        const struct stack_costs *costs = &run->work->costs;
        if (!run->work->uses_phase[p] || !region->is_constant)
            continue;
        if (region->pass.high < run->work->pass[p].high)
            limit(run, count_index(run, (struct count_of){OF_PASS, 0, (enum phase)p}),
                  region->pass.high - costs->edge_bytes[p] - costs->shared);
        if (region->whole.high < run->work->whole[p].high)
            limit(run, count_index(run, (struct count_of){OF_WHOLE, 0, (enum phase)p}),
                  region->whole.high - costs->shared);
    }
}

/* Once the bytes are known at which costs are taken. */
static void set_limits(struct running *run)
{
    const struct stack_problem *problem = run->work->problem;
    for (int i = 0; i < problem->n_limits; i++) {
        enum stack_quantity quantity = problem->limit[i].quantity;
        int64_t value = problem->limit[i].value;
        int at = count_index(run, (struct count_of){OF_QUANTITY, quantity, 0});
        int64_t most = (quantity == STACK_SCORE ? -value : value) - fixed_value(run, quantity);
        run->dp.most[at] = INT64_MAX;
        limit(run, at, most);
        for (int k = 0; k < i; k++) /* two limits on one quantity */
            if (problem->limit[k].quantity == quantity)
                limit(
                    run, at,
                    (quantity == STACK_SCORE ? -problem->limit[k].value : problem->limit[k].value) -
                        fixed_value(run, quantity));
    }
}

static int new_sum(struct running *run, int64_t min, int64_t max)
{
    int at = run->dp.n_sums++;
    run->dp.sum_min[at] = min;
    run->dp.sum_max[at] = max;
    return at;
}

static void choose_sums(struct running *run)
{
    const struct stack_work *work = run->work;
    const struct stack_problem *problem = work->problem;
    const struct stack_costs *costs = &work->costs;
    enum sharing sharing = schedule_of(run)->sharing;
    run->at = (struct sum_index){NOT_THERE, NOT_THERE, {-1, -1}, {-1, -1}, {-1, -1}};
    if (run->part->unit > 0)
        run->at.params = new_sum(run, run->part->range.low, run->part->range.high);
    if (work->is_used[STACK_INIT] && problem->may_be_empty && costs->machine->init_block_sq_ns > 0)
        run->at.blocks = new_sum(run, 0, INT64_MAX);
    for (int p = 0; p < 2; p++) {
        const struct pass_region *region = &run->of->region[p];
        int64_t fixed = costs->edge_bytes[p] + costs->shared;
        if (!work->uses_phase[p] || region->is_constant)
            continue;
        if (sharing != SHARING_REPEAT_ALL && sharing != SHARING_REVERSE) {
            run->at.pass[p] = new_sum(run, region->pass.low - fixed, region->pass.high - fixed);
        } else {
            run->at.own[p] = new_sum(run, 0, INT64_MAX);
            run->at.kv[p] = new_sum(run, 0, INT64_MAX);
        }
    }
}

static void put_sum(struct running *run, int class, int at, int64_t value)
{
    if (at != NOT_THERE)
        run->sums[class * run->dp.n_sums + at] = value;
}

static void fill_sums(struct running *run)
{
    const struct stack_work *work = run->work;
    for (int c = 0; c < work->problem->n_classes; c++) {
        const struct class_counts *counts = &work->costs.counts[c];
        put_sum(run, c, run->at.params, run->part->unit > 0 ? counts->params / run->part->unit : 0);
        put_sum(run, c, run->at.blocks, 1);
        for (int p = 0; p < 2; p++) {
            put_sum(run, c, run->at.pass[p], counts->own + counts->runs * counts->kv[p]);
            put_sum(run, c, run->at.own[p], counts->own);
            put_sum(run, c, run->at.kv[p], counts->kv[p]);
        }
    }
}

static void fill_allowed(struct running *run)
{
    const struct stack_work *work = run->work;
    for (int64_t at = 0; at < schedule_of(run)->n_layers; at++) {
        for (int c = 0; c < work->n_choices; c++) {
            int64_t cell = at * work->n_choices + c;
            bool fits = c >= work->problem->n_classes ||
                        work->costs.counts[c].wide_bytes <= run->of->widest_bytes;
            run->allowed[cell] = fits && (!work->problem->allowed || work->problem->allowed[cell]);
        }
    }
}

static enum status start(const struct stack_work *work, const struct stack_case *of,
                         const struct params_part *part, struct running *run, struct err *err)
{
    const struct stack_problem *problem = work->problem;
    size_t places = (size_t)problem->frame->schedule.n_layers, choices = (size_t)work->n_choices;
    memset(run, 0, sizeof *run);
    run->work = work;
    run->of = of;
    run->part = part;
    choose_counts(run);
    choose_sums(run);
    size_t n_costs = (size_t)run->dp.labels.n_costs;
    run->sums = memory_new(choices * (size_t)run->dp.n_sums, sizeof *run->sums);
    run->allowed = memory_new(places * choices, sizeof *run->allowed);
    run->least = memory_new(places * n_costs, sizeof *run->least);
    run->table = memory_new(n_costs * choices * 2, sizeof *run->table);
    if (!run->sums || !run->allowed || !run->least || !run->table)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu layers in %zu places", choices,
                       places);
    fill_sums(run);
    fill_allowed(run);
    run->dp.rules = (struct rule_automaton){
        .rules = problem->rules,
        .n_places = problem->frame->schedule.n_layers,
        .n_choices = work->n_choices,
        .kind = work->kind,
        .allowed = run->allowed,
        .is_uneven = work->is_uneven,
    };
    run->dp.sum = run->sums;
    run->dp.labels.trim =
        problem->eps > 0 ? pow(1 + problem->eps, 1.0 / ((double)places + 1)) - 1 : 0;
    run->dp.cost = cost;
    run->dp.user = run;
    run->dp.least = run->least;
    run->dp.n_jobs = problem->n_jobs;
    run->dp.memory_bytes =
        problem->memory_bytes > 0 ? problem->memory_bytes : (int64_t)DEFAULT_MEMORY_GIB << 30;
    run->dp.stop = problem->stop;
    run->dp.told = problem->told;
    run->dp.told_user = problem->told_user;
    return STATUS_OK;
}

static void end(struct running *run)
{
    memory_free(run->sums);
    memory_free(run->allowed);
    memory_free(run->least);
    memory_free(run->table);
}

static enum status hand_on(const int *choices, const int64_t *costs, void *user, struct err *err)
{
    const struct running *run = user;
    int64_t value[MAX_STACK_OBJECTIVES];
    for (int i = 0; i < run->work->problem->n_objectives; i++)
        value[i] = costs[run->of_objective[i]] + fixed_value(run, run->work->problem->objective[i]);
    return run->found(choices, value, run->user, err);
}

static enum status solve(struct running *run, struct err *err)
{
    set_limits(run);
    fill_tables(run);
    return stack_dp_run(&run->dp, hand_on, run, err);
}

/* The sums that stacks of the case reach. */
struct reached {
    const struct running *run;
    size_t n, capacity;
    int64_t *sums; /* [n][n_sums] */
};

static enum status note_reached(const int *unused, const int64_t *sums, void *user, struct err *err)
{
    struct reached *reached = user;
    size_t width = (size_t)reached->run->dp.n_sums;
    (void)unused;
    enum status status = memory_grow((void **)&reached->sums, &reached->capacity,
                                     (reached->n + 1) * width, sizeof *reached->sums, err);
    if (!status)
        memcpy(reached->sums + reached->n++ * width, sums, width * sizeof *sums);
    return status;
}

/* Takes the costs of a phase at these sums. False: outside the case's region. */
static bool set_bytes(struct running *run, enum phase phase, const int64_t *sums)
{
    const struct stack_costs *costs = &run->work->costs;
    const struct pass_region *region = &run->of->region[phase];
    struct stack_place *place = &run->place[phase];
    if (run->at.pass[phase] != NOT_THERE) {
        place->pass_bytes = costs->edge_bytes[phase] + costs->shared + sums[run->at.pass[phase]];
        return true;
    }
    run->total[phase] = sums_of(run, phase, sums);
    place->pass_bytes = stack_pass_bytes(costs, phase, &run->total[phase]);
    place->whole_bytes = stack_whole_bytes(costs, &run->total[phase]);
    return place->pass_bytes >= region->pass.low && place->pass_bytes <= region->pass.high &&
           place->whole_bytes >= region->whole.low && place->whole_bytes <= region->whole.high;
}

/* Whether a row with these bytes was met before: of those that agree in all but parameters and blocks
 * the first one stands for all. */
static enum status is_known_target(const struct running *run, const int64_t *sums,
                                   struct key_table *known, bool *is_known, struct err *err)
{
    int64_t key[MAX_SUMS] = {0};
    uint32_t row;
    size_t n = known->n;
    for (int i = 0; i < run->dp.n_sums; i++)
        key[i] = i == run->at.params || i == run->at.blocks ? 0 : sums[i];
    enum status status = key_table_row(known, key, &row, err);
    *is_known = known->n == n;
    return status;
}

/* The table of one number of bytes. */
static enum status solve_at(struct running *run, const int64_t *sums, struct err *err)
{
    bool is_inside = true;
    for (int p = 0; p < 2; p++)
        if (run->at.pass[p] != NOT_THERE || run->at.own[p] != NOT_THERE)
            is_inside &= set_bytes(run, (enum phase)p, sums);
    if (!is_inside)
        return STATUS_OK;
    for (int s = 0; s < run->dp.n_sums; s++)
        if (s != run->at.params && s != run->at.blocks)
            run->dp.sum_min[s] = run->dp.sum_max[s] = sums[s];
    return solve(run, err);
}

/* One number of bytes after the other. */
static enum status solve_each(struct running *run, const struct reached *reached, struct err *err)
{
    struct key_table known = {.width = run->dp.n_sums};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < reached->n && !status; i++) {
        const int64_t *sums = reached->sums + i * (size_t)run->dp.n_sums;
        bool is_known;
        status = is_known_target(run, sums, &known, &is_known, err);
        if (!status && run->dp.stop && *run->dp.stop)
            status = err_set(err, STATUS_INTERRUPTED, "interrupted");
        if (!status && !is_known)
            status = solve_at(run, sums, err);
    }
    key_table_release(&known);
    return status;
}

static enum status run_part(const struct stack_work *work, const struct stack_case *of,
                            const struct params_part *part, stack_dp_found *found, void *user,
                            struct err *err)
{
    struct running run;
    struct reached reached = {&run, 0, 0, NULL};
    bool is_constant = true;
    enum status status = start(work, of, part, &run, err);
    run.found = found;
    run.user = user;
    for (int p = 0; p < 2; p++) {
        run.place[p].pass_bytes = of->region[p].pass.high;
        run.place[p].whole_bytes = of->region[p].whole.high;
        is_constant &= !work->uses_phase[p] || of->region[p].is_constant;
    }
    if (!status && is_constant)
        status = solve(&run, err);
    if (!status && !is_constant)
        status = stack_dp_sums(&run.dp, note_reached, &reached, err);
    if (!status && !is_constant)
        status = solve_each(&run, &reached, err);
    memory_free(reached.sums);
    end(&run);
    return status;
}

enum status stack_case_run(const struct stack_work *work, const struct stack_case *of,
                           stack_dp_found *found, void *user, struct err *err)
{
    struct params_part parts[MAX_PARAMS_PARTS];
    enum status status = STATUS_OK;
    int n = params_parts(work, parts);
    for (int i = 0; i < n && !status; i++)
        status = run_part(work, of, &parts[i], found, user, err);
    return status;
}
