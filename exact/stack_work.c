#include "exact/stack_work.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/divisor.h"
#include "base/memory.h"

const char *const stack_quantity_names[N_STACK_QUANTITIES] = {
    "decode",     "prefill",      "init",   "energy", "kv_bytes",
    "peak_bytes", "weight_bytes", "params", "score"};

static int n_choices(const struct stack_problem *problem)
{
    return problem->n_classes + (problem->may_be_empty ? 1 : 0);
}

static void note_used(struct stack_work *work)
{
    const struct stack_problem *problem = work->problem;
    for (int i = 0; i < problem->n_objectives; i++)
        work->is_used[problem->objective[i]] = true;
    for (int i = 0; i < problem->n_limits; i++)
        work->is_used[problem->limit[i].quantity] = true;
    work->uses_phase[PHASE_DECODE] = work->is_used[STACK_DECODE] || work->is_used[STACK_ENERGY];
    work->uses_phase[PHASE_PREFILL] = work->is_used[STACK_PREFILL];
}

static enum status check(const struct stack_work *work, struct err *err)
{
    const struct stack_problem *problem = work->problem;
    if (problem->n_classes < 1 || problem->n_objectives < 1)
        return err_set(err, STATUS_INPUT, "a search of stacks needs layers and an objective");
    if (work->is_used[STACK_SCORE] && !problem->score)
        return err_set(err, STATUS_INPUT, "no score of layers is given, but 'score' is asked for");
    const struct machine *machine = problem->machine;
    bool knows_energy = !isnan(machine->energy_pj_per_flop);
    for (int level = 0; level <= machine->dram; level++)
        knows_energy &= !isnan(machine->levels[level].energy_pj_per_byte);
    if (work->is_used[STACK_ENERGY] && !knows_energy)
        return err_set(err, STATUS_INPUT, "the profile '%s' has no energies", machine->device);
    for (int c = 0; c < problem->n_classes; c++) {
        struct transformer net = *problem->frame;
        net.stack = (struct stack){.first = problem->classes[c]};
        enum status status = transformer_settle(&net, err);
        status = status ? status : transformer_check(&net, err);
        if (status)
            return err_prefix(err, status, "layer %d of the choices: ", c);
    }
    return STATUS_OK;
}

static bool is_allowed(const struct stack_work *work, int64_t place, int choice)
{
    const bool *allowed = work->problem->allowed;
    return !allowed || allowed[place * work->n_choices + choice];
}

/* What the blocks of a stack add up to, in the order of find_ranges. */
enum { N_BLOCK_SUMS = 9, FIRST_GROWING = 4, LAST_GROWING = 7 }; /* those that hold weights */

static void block_sums(const struct stack_work *work, int choice, int64_t sum[N_BLOCK_SUMS])
{
    static const struct class_counts none;
    const struct class_counts *counts =
        choice < work->problem->n_classes ? &work->costs.counts[choice] : &none;
    const int64_t *kv = counts->kv, runs = counts->runs;
    const int64_t sums[N_BLOCK_SUMS] = {
        counts->params,
        work->unit > 0 ? counts->params % work->unit : 0,
        (runs - 1) * kv[0],
        (runs - 1) * kv[1],
        counts->own + kv[0],
        counts->own + kv[1],
        counts->own + runs * kv[0],
        counts->own + runs * kv[1],
        runs * (kv[PHASE_DECODE] - kv[PHASE_PREFILL]),
    };
    memcpy(sum, sums, sizeof sums);
}

/* Place by place, so that the ranges are reached or a little wide. */
static void add_place(const struct stack_work *work, int64_t place,
                      struct byte_range *ranges[N_BLOCK_SUMS])
{
    struct byte_range here[N_BLOCK_SUMS];
    bool is_first = true;
    for (int c = 0; c < work->n_choices; c++) {
        int64_t sum[N_BLOCK_SUMS];
        if (!is_allowed(work, place, c))
            continue;
        block_sums(work, c, sum);
        for (int i = 0; i < N_BLOCK_SUMS; i++) {
            here[i].low = is_first || sum[i] < here[i].low ? sum[i] : here[i].low;
            here[i].high = is_first || sum[i] > here[i].high ? sum[i] : here[i].high;
        }
        is_first = false;
    }
    for (int i = 0; i < N_BLOCK_SUMS && !is_first; i++) { /* no choice at all: the rules say so */
        ranges[i]->low += here[i].low;
        ranges[i]->high += here[i].high;
    }
}

/* Bytes of weights that a parameter has at least. */
static double least_rate(const struct stack_work *work)
{
    double least = INFINITY;
    for (int c = 0; c < work->problem->n_classes; c++) {
        const struct class_counts *counts = &work->costs.counts[c];
        if (counts->params > 0)
            least = fmin(least, (double)counts->own / (double)counts->params);
    }
    return isfinite(least) ? least : 0;
}

/* Least (sign 1) or most (-1) that a stack has of a sum beyond so much a parameter. */
static double beyond_rate(const struct stack_work *work, int sum, double rate, int sign)
{
    double total = 0;
    for (int64_t place = 0; place < work->problem->frame->schedule.n_layers; place++) {
        double least = INFINITY;
        for (int c = 0; c < work->n_choices; c++) {
            int64_t sums[N_BLOCK_SUMS];
            if (!is_allowed(work, place, c))
                continue;
            block_sums(work, c, sums);
            least = fmin(least, sign * ((double)sums[sum] - rate * (double)sums[0]));
        }
        total += isfinite(least) ? sign * least : 0;
    }
    return total;
}

/* No more of a sum that grows with parameters than stacks of the budget have: of the others no
 * region needs a look. A byte is spared for the rounding. */
static void hold_to_budget(const struct stack_work *work, int sum, struct byte_range *range)
{
    double rate = least_rate(work), fixed = (double)work->costs.params;
    double low = rate * ((double)work->problem->min_params - fixed) +
                 beyond_rate(work, sum, rate, 1) * (1 - 1e-12) - 1;
    double high = rate * ((double)work->problem->max_params - fixed) +
                  beyond_rate(work, sum, rate, -1) * (1 + 1e-12) + 1;
    struct byte_range held = *range;
    if (low > (double)range->low)
        held.low = (int64_t)low;
    if (high < (double)range->high)
        held.high = (int64_t)high;
    if (held.low <= held.high) /* else there are none, which the table finds */
        *range = held;
}

static void shift(struct byte_range *range, int64_t by)
{
    range->low += by;
    range->high += by;
}

/* Matrices are large multiples of the width, norms small ones: blocks with equal norms differ by
 * multiples of the unit. */
static int64_t find_unit(const struct stack_work *work)
{
    const struct stack_problem *problem = work->problem;
    int64_t unit = 0;
    for (int a = 0; a < problem->n_classes; a++) {
        for (int b = 0; b < a; b++) {
            int64_t more = work->costs.counts[a].params - work->costs.counts[b].params;
            if (problem->classes[a].mixer == problem->classes[b].mixer)
                unit = common_divisor(unit, more < 0 ? -more : more);
        }
    }
    return unit;
}

static void find_ranges(struct stack_work *work)
{
    const struct stack_costs *costs = &work->costs;
    struct byte_range *ranges[N_BLOCK_SUMS] = {
        &work->params,   &work->odd,     &work->more_kv[0], &work->more_kv[1], &work->whole[0],
        &work->whole[1], &work->pass[0], &work->pass[1],    &work->apart,
    };
    work->unit = find_unit(work);
    for (int64_t place = 0; place < work->problem->frame->schedule.n_layers; place++)
        add_place(work, place, ranges);
    if (work->odd.high >= work->unit || work->odd.high == work->odd.low)
        work->unit = 0;
    for (int i = FIRST_GROWING; i <= LAST_GROWING; i++)
        hold_to_budget(work, i, ranges[i]);
    for (int p = 0; p < 2; p++) {
        shift(&work->whole[p], costs->shared);
        shift(&work->pass[p], costs->edge_bytes[p] + costs->shared);
    }
    shift(&work->apart, costs->edge_bytes[PHASE_DECODE] - costs->edge_bytes[PHASE_PREFILL]);
}

static void find_best_scores(struct stack_work *work)
{
    const struct stack_problem *problem = work->problem;
    for (int64_t place = 0; problem->score && place < problem->frame->schedule.n_layers; place++) {
        const int64_t *score = problem->score + place * work->n_choices;
        int64_t best = INT64_MIN;
        for (int c = 0; c < work->n_choices; c++)
            best = is_allowed(work, place, c) && score[c] > best ? score[c] : best;
        work->best_score[place] = best;
    }
}

static bool loses_rereads(const struct stack_work *work)
{
    const struct machine *machine = work->problem->machine;
    bool loses = false;
    for (int level = 0; level < machine->dram; level++)
        loses |= machine->levels[level].reread_lost_frac > 0;
    return loses && !work->problem->frame->schedule.share_ffn;
}

static enum status check_rules(const struct stack_work *work, struct err *err)
{
    const struct rule_automaton automaton = {
        .rules = work->problem->rules,
        .n_places = work->problem->frame->schedule.n_layers,
        .n_choices = work->n_choices,
        .kind = work->kind,
        .allowed = work->problem->allowed,
    };
    return rules_check(&automaton, err);
}

enum status stack_work_start(const struct stack_problem *problem, struct stack_work *out,
                             struct err *err)
{
    const struct schedule *schedule = &problem->frame->schedule;
    memset(out, 0, sizeof *out);
    out->problem = problem;
    out->n_choices = n_choices(problem);
    note_used(out);
    enum status status = check(out, err);
    if (status)
        return status;
    status = stack_costs_start(problem->frame, problem->classes, problem->n_classes,
                               problem->machine, &problem->workload, &out->costs, err);
    if (status)
        return status;
    out->kind = memory_new((size_t)out->n_choices, sizeof *out->kind);
    out->best_score = memory_new((size_t)schedule->n_layers, sizeof *out->best_score);
    if (!out->kind || !out->best_score) {
        stack_work_end(out);
        return err_set(err, STATUS_NOMEM, "out of memory for %d layers", out->n_choices);
    }
    for (int c = 0; c < out->n_choices; c++)
        out->kind[c] = c < problem->n_classes ? layer_kind_of(&problem->classes[c]) : LAYER_SKIP;
    find_ranges(out);
    find_best_scores(out);
    bool uses_time = out->uses_phase[PHASE_DECODE] || out->uses_phase[PHASE_PREFILL];
    out->is_uneven = uses_time && schedule->sharing == SHARING_REVERSE && loses_rereads(out);
    if (out->is_uneven && problem->may_be_empty)
        status = err_set(err, STATUS_UNSUPPORTED,
                         "places that may be empty in a reverse schedule, on a device that loses "
                         "rereads: give the depths one by one");
    if (!status)
        status = check_rules(out, err);
    if (status)
        stack_work_end(out);
    return status;
}

void stack_work_end(struct stack_work *work)
{
    stack_costs_end(&work->costs);
    memory_free(work->kind);
    memory_free(work->best_score);
    work->kind = NULL;
    work->best_score = NULL;
}
