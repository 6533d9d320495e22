#include "costmodel/segment_price.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "costmodel/found.h"
#include "costmodel/operator_time.h"

enum { MAX_RUNS = 24 };

static void add_edge(const struct machine *machine, const struct op *op, struct edge_cost *out)
{
    out->weight_bytes += op->weight_bytes;
    if (op->kind == OP_SAMPLE) /* excluded by the contract */
        return;
    out->flop += op->flop;
    out->activation_bytes += op->activation_bytes;
    out->ops[out->n].weight_bytes = op->weight_bytes;
    out->ops[out->n].is_gathered = op->kind == OP_EMBED;
    out->gathered_bytes += op->kind == OP_EMBED ? op->weight_bytes : 0;
    for (int level = 0; level < machine->n_levels; level++) {
        double starts = level < machine->dram ? 0 : 1;
        out->ops[out->n].ns[level] = operator_time(machine, op, level).busy_ns +
                                     starts * operator_start_ns(machine, op) +
                                     machine->op_ns[op->kind];
    }
    out->n++;
}

void edge_cost_of(const struct machine *machine, const struct operator_list *list,
                  struct edge_cost *out)
{
    *out = (struct edge_cost){0};
    for (int i = 0; i < list->n_prologue; i++)
        add_edge(machine, &list->prologue[i], out);
    for (int i = 0; i < list->n_epilogue; i++)
        add_edge(machine, &list->epilogue[i], out);
}

static bool is_sharp(const struct machine *machine)
{
    for (int level = 0; level < machine->n_levels; level++)
        if (machine->levels[level].spill_bytes[N_SPILL - 1] != 0)
            return false;
    return true;
}

static bool loses_rereads(const struct machine *machine, const struct schedule *schedule)
{
    bool may = schedule->sharing == SHARING_IMMEDIATE || schedule->sharing == SHARING_REVERSE;
    for (int level = 0; may && !schedule->share_ffn && level < machine->n_levels; level++)
        if (machine->levels[level].reread_lost_frac != 0)
            return true;
    return false;
}

bool segment_covers(const struct machine *machine, const struct schedule *schedule)
{
    int64_t runs = schedule->repeats * machine->n_levels + 1;
    return schedule->sharing != SHARING_BY_BLOCK && is_sharp(machine) &&
           !loses_rereads(machine, schedule) &&
           (schedule->sharing != SHARING_REVERSE || runs <= MAX_RUNS);
}

/* Sums of counts and bytes are exact in a double, so that their order does not matter. */
bool segment_covers_energy(const struct segment_phase *phase, int64_t executions)
{
    const struct block_cost *block = phase->block;
    const struct edge_cost *edges = phase->edges;
    double each = (double)block->flop + (double)block->activation_bytes +
                  (double)block->weight_bytes + (double)block->kv_bytes;
    double once =
        (double)edges->flop + (double)edges->activation_bytes + (double)edges->weight_bytes;
    return (double)executions * each + once < 0x1p52;
}

/* A line in the depth. */
struct line {
    int64_t at_0, step;
};

static int64_t line_at(const struct line *line, int64_t n)
{
    return line->at_0 + line->step * n;
}

/* The level that holds the distance at depth n; *high: lowered to where it still does. */
static inline int level_along(const struct machine *machine, const struct line *distance, int64_t n,
                              int64_t *high)
{
    int level = found_level(machine, line_at(distance, n));
    int64_t capacity = machine->levels[level].capacity_bytes;
    if (level < machine->n_levels - 1 && line_at(distance, *high) > capacity)
        *high = (capacity - distance->at_0) / distance->step;
    return level;
}

/* Bytes that a walk touches, as struct reuse_sizes has them. */
struct sizes {
    int64_t own, shared, kv, edges;
};

/* Depths n .. high: ns = base + sum of (mul n + add) c + sum of edges - n hidden. */
struct segment {
    int64_t high;
    int n_runs, n_edges;
    double mul[MAX_RUNS], add[MAX_RUNS], run_ns[MAX_RUNS];
    double edge_ns[2 * MAX_EDGE_OPS];
    double hidden_ns; /* of a block */
    struct {
        double mul, add;
    } level_bytes[MAX_LEVELS];
};

/* One schedule of a phase, and its segment at a depth. */
struct plan {
    const struct segment_phase *phase;
    const struct machine *machine;
    const struct block_cost *block;
    const struct schedule *schedule;
    struct sizes sizes;
    struct line pass; /* distinct bytes of a pass */
    int64_t table_bytes;
    bool with_bytes;
    int64_t n;
    int once_level;
    int near_level; /* of what all blocks share */
    struct segment *segment;
};

/* One execution's weights, as pass_walk adds them up. */
static double weights_at(const struct machine *machine, const struct block_cost *block, int level,
                         int shareable_level)
{
    double ns = 0;
    for (int g = 0; g < block->n_groups; g++) {
        const struct group_cost *group = &block->groups[g];
        int at = group_is_shareable(g) ? shareable_level : level;
        double group_ns = group->ns[at];
        if (group->start_ns > 0)
            group_ns += group->start_ns * (at < machine->dram ? 0 : 1);
        ns += group_ns;
    }
    return ns;
}

void segment_phase_init(struct segment_phase *phase, const struct machine *machine,
                        const struct block_cost *block, const struct edge_cost *edges)
{
    phase->machine = machine;
    phase->block = block;
    phase->edges = edges;
    phase->shareable_bytes = 0;
    for (int g = 0; g < block->n_groups; g++)
        phase->shareable_bytes += group_is_shareable(g) ? block->groups[g].bytes : 0;
    for (int level = 0; level < machine->n_levels; level++)
        phase->weights_ns[level] = weights_at(machine, block, level, level);
}

static double weights_ns(const struct plan *plan, int level, int shared_level)
{
    return plan->schedule->share_ffn ? weights_at(plan->machine, plan->block, level, shared_level)
                                     : plan->phase->weights_ns[level];
}

static void add_bytes(struct segment *segment, int level, double mul, double add, int64_t bytes)
{
    segment->level_bytes[level].mul += mul * (double)bytes;
    segment->level_bytes[level].add += add * (double)bytes;
}

/* mul n + add executions alike. */
static inline double add_run(struct plan *plan, double mul, double add, int level, int shared_level)
{
    struct segment *segment = plan->segment;
    const struct block_cost *block = plan->block;
    double weights = weights_ns(plan, level, shared_level);
    int at = segment->n_runs++;
    assert(at < MAX_RUNS);
    segment->mul[at] = mul;
    segment->add[at] = add;
    segment->run_ns[at] =
        weights + block->other_ns + block->fixed_ns + block->kv_ns[plan->once_level];
    if (plan->with_bytes) {
        add_bytes(segment, level, mul, add, plan->sizes.own);
        if (plan->sizes.shared > 0)
            add_bytes(segment, shared_level, mul, add, plan->sizes.shared);
    }
    return weights;
}

/* The first execution meets what all blocks share behind the head, the others near by. */
static inline double add_first_round(struct plan *plan, int level)
{
    if (!plan->schedule->share_ffn)
        return add_run(plan, 1, 0, level, level);
    const struct sizes *s = &plan->sizes;
    int behind_head = found_level(plan->machine, s->own + s->shared + s->kv + s->edges);
    add_run(plan, 0, 1, level, behind_head);
    return add_run(plan, 1, -1, level, plan->near_level);
}

/* As pass_walk's hidden_stream_ns, for a block. */
static double hidden_ns(const struct plan *plan, double first_ns, int first_level, int64_t distance,
                        int level)
{
    const struct machine *machine = plan->machine;
    const struct block_cost *block = plan->block;
    if (plan->schedule->share_ffn || machine->overlap_frac <= 0 || level >= first_level)
        return 0;
    int64_t bytes = block->weight_bytes;
    int64_t room = machine->levels[level].capacity_bytes - distance;
    double share = bytes == 0 ? 0 : fmin(1, fmax(0, (double)room / (double)bytes));
    double near = 0;
    for (int g = 0; g < block->n_groups; g++)
        near += block->groups[g].ns[level];
    double repeat_ns = (double)(plan->schedule->repeats - 1) * (near + block->other_ns);
    return machine->overlap_frac * fmin(share * fmax(0, first_ns - near), repeat_ns);
}

static void add_immediate(struct plan *plan)
{
    const struct sizes *s = &plan->sizes;
    int64_t r = plan->schedule->repeats, again = s->own + s->shared + s->kv;
    struct line whole = {s->shared + s->edges - (r - 1) * s->kv, s->own + r * s->kv};
    int level = level_along(plan->machine, &whole, plan->n, &plan->segment->high);
    double first_ns = add_first_round(plan, level);
    int near = found_level(plan->machine, again);
    add_run(plan, (double)(r - 1), 0, near, plan->near_level);
    plan->segment->hidden_ns = hidden_ns(plan, first_ns, level, again, near);
}

/* A round that comes back the way it went: every distance is the whole stack. */
static inline void add_whole_round(struct plan *plan)
{
    const struct sizes *s = &plan->sizes;
    struct line whole = {s->shared + s->edges, s->own + s->kv};
    add_first_round(plan, level_along(plan->machine, &whole, plan->n, &plan->segment->high));
}

static void add_repeat_all(struct plan *plan)
{
    const struct sizes *s = &plan->sizes;
    struct line again = {s->shared, s->own + s->kv};
    add_whole_round(plan);
    add_run(plan, (double)(plan->schedule->repeats - 1), 0,
            level_along(plan->machine, &again, plan->n, &plan->segment->high), plan->near_level);
}

/* A round whose blocks were last met before the turn: distances grow by `step` from execution to
 * execution, and runs end where the next passes a capacity. Only the last run grows with depth. */
static void add_turned_round(struct plan *plan, bool is_first)
{
    const struct machine *machine = plan->machine;
    const struct sizes *s = &plan->sizes;
    int64_t step = s->own + 2 * s->kv;
    int64_t first = s->own + s->shared + s->kv + (is_first ? s->edges : 0);
    int64_t at = 0;
    if (is_first && plan->schedule->share_ffn) {
        int behind_head = found_level(machine, s->own + s->shared + s->kv + s->edges);
        add_run(plan, 0, 1, found_level(machine, first), behind_head);
        at = 1;
        if (plan->n == 1)
            plan->segment->high = 1;
    }
    while (at < plan->n) {
        int level = found_level(machine, first + at * step);
        bool is_last = level == machine->n_levels - 1;
        int64_t capacity = machine->levels[level].capacity_bytes, end = plan->segment->high;
        if (!is_last && first + (plan->segment->high - 1) * step > capacity)
            end = at + (capacity - first - at * step) / step + 1;
        if (end < plan->n) {
            add_run(plan, 0, (double)(end - at), level, plan->near_level);
        } else {
            add_run(plan, 1, -(double)at, level, plan->near_level);
            plan->segment->high = end < plan->segment->high ? end : plan->segment->high;
        }
        at = end;
    }
}

static void add_reverse(struct plan *plan)
{
    int64_t r = plan->schedule->repeats;
    if (r % 2 == 0)
        add_turned_round(plan, true);
    else
        add_whole_round(plan);
    for (int64_t round = 1; round < r; round++)
        add_turned_round(plan, false);
}

static void add_edges(struct plan *plan)
{
    struct segment *segment = plan->segment;
    struct line gathered = {plan->pass.at_0 + plan->table_bytes, plan->pass.step};
    int gather_level = level_along(plan->machine, &gathered, plan->n, &segment->high);
    segment->n_edges = plan->phase->edges->n;
    for (int i = 0; i < plan->phase->edges->n; i++) {
        int level = plan->phase->edges->ops[i].is_gathered ? gather_level : plan->once_level;
        segment->edge_ns[i] = plan->phase->edges->ops[i].ns[level];
    }
    if (plan->with_bytes) {
        const struct edge_cost *edges = plan->phase->edges;
        add_bytes(segment, gather_level, 0, 1, edges->gathered_bytes);
        add_bytes(segment, plan->once_level, 0, 1, edges->weight_bytes - edges->gathered_bytes);
        add_bytes(segment, plan->once_level, (double)plan->schedule->repeats, 0,
                  plan->block->kv_bytes);
    }
}

static void find_segment(struct plan *plan, int64_t n, int64_t high, struct segment *segment)
{
    segment->high = high;
    segment->n_runs = 0;
    segment->hidden_ns = 0;
    for (int level = 0; plan->with_bytes && level < plan->machine->n_levels; level++)
        segment->level_bytes[level].mul = segment->level_bytes[level].add = 0;
    plan->segment = segment;
    plan->n = n;
    plan->once_level = level_along(plan->machine, &plan->pass, n, &segment->high);
    add_edges(plan);
    switch (plan->schedule->sharing) {
    case SHARING_NONE:
        add_whole_round(plan);
        break;
    case SHARING_IMMEDIATE:
        add_immediate(plan);
        break;
    case SHARING_REPEAT_ALL:
        add_repeat_all(plan);
        break;
    case SHARING_REVERSE:
        add_reverse(plan);
        break;
    case SHARING_BY_BLOCK: /* segment_covers */
    case N_SHARINGS:
        assert(!"no such sharing mode");
    }
}

/* `runs` and `edges` are constants where that is worth a loop of its own. */
static inline void sum_ns(const struct segment *segment, double base, const double *restrict depth,
                          int64_t count, int runs, int edges, double *restrict ns)
{
    for (int64_t i = 0; i < count; i += DEPTH_STEP) {
        double sum[DEPTH_STEP];
        for (int j = 0; j < DEPTH_STEP; j++)
            sum[j] = base;
        for (int k = 0; k < runs; k++)
            for (int j = 0; j < DEPTH_STEP; j++)
                sum[j] += (segment->mul[k] * depth[i + j] + segment->add[k]) * segment->run_ns[k];
        for (int e = 0; e < edges; e++)
            for (int j = 0; j < DEPTH_STEP; j++)
                sum[j] += segment->edge_ns[e];
        for (int j = 0; j < DEPTH_STEP; j++)
            ns[i + j] = sum[j] - depth[i + j] * segment->hidden_ns;
    }
}

static void price_ns(const struct segment *segment, double base, const double *depth, int64_t count,
                     double *ns)
{
    const int runs = segment->n_runs, edges = segment->n_edges;
    if (edges == 3 && runs == 1)
        sum_ns(segment, base, depth, count, 1, 3, ns);
    else if (edges == 3 && runs == 2)
        sum_ns(segment, base, depth, count, 2, 3, ns);
    else if (edges == 3 && runs == 3)
        sum_ns(segment, base, depth, count, 3, 3, ns);
    else
        sum_ns(segment, base, depth, count, runs, edges, ns);
}

/* A level that gives nothing adds nothing, even if nobody knows its energy. */
static void add_level_pj(double mul, double add, double pj, const double *restrict depth,
                         int64_t count, double *restrict energy_pj)
{
    if (mul == 0 && add == 0)
        return;
    for (int64_t i = 0; i < count; i += DEPTH_STEP)
        for (int j = 0; j < DEPTH_STEP; j++) {
            double bytes = mul * depth[i + j] + add, more = energy_pj[i + j] + bytes * pj;
            energy_pj[i + j] = bytes > 0 ? more : energy_pj[i + j];
        }
}

static void price_energy(const struct plan *plan, const double *restrict depth, int64_t count,
                         double *restrict energy_pj)
{
    const struct machine *machine = plan->machine;
    const struct edge_cost *edges = plan->phase->edges;
    double repeats = (double)plan->schedule->repeats;
    double flop = repeats * (double)plan->block->flop, flop_once = (double)edges->flop;
    double bytes = repeats * (double)plan->block->activation_bytes;
    double bytes_once = (double)edges->activation_bytes;
    double per_flop = machine->energy_pj_per_flop, near = machine->levels[0].energy_pj_per_byte;
    for (int64_t i = 0; i < count; i += DEPTH_STEP)
        for (int j = 0; j < DEPTH_STEP; j++)
            energy_pj[i + j] = (flop * depth[i + j] + flop_once) * per_flop +
                               (bytes * depth[i + j] + bytes_once) * near;
    for (int level = 0; level < machine->n_levels; level++)
        add_level_pj(plan->segment->level_bytes[level].mul, plan->segment->level_bytes[level].add,
                     machine->levels[level].energy_pj_per_byte, depth, count, energy_pj);
}

static struct sizes sizes_of(const struct segment_phase *phase, const struct schedule *schedule)
{
    int64_t shared = schedule->share_ffn ? phase->shareable_bytes : 0;
    return (struct sizes){phase->block->weight_bytes - shared, shared, phase->block->kv_read_bytes,
                          phase->edges->weight_bytes};
}

static struct line pass_of(const struct sizes *sizes, const struct schedule *schedule)
{
    return (struct line){sizes->edges + sizes->shared, sizes->own + schedule->repeats * sizes->kv};
}

bool segment_ignores_table(const struct segment_phase *phase, const struct schedule *schedule,
                           int64_t table_bytes, int64_t low, int64_t high)
{
    const struct sizes sizes = sizes_of(phase, schedule);
    const struct line pass = pass_of(&sizes, schedule);
    return found_level(phase->machine, line_at(&pass, low)) ==
           found_level(phase->machine, line_at(&pass, high) + table_bytes);
}

void segment_price(const struct segment_phase *phase, const struct schedule *schedule,
                   int64_t table_bytes, const double *depth, int64_t low, int64_t n, double *ns,
                   double *energy_pj)
{
    struct segment segment;
    struct plan plan = {
        .phase = phase,
        .machine = phase->machine,
        .block = phase->block,
        .schedule = schedule,
        .sizes = sizes_of(phase, schedule),
        .table_bytes = table_bytes,
        .with_bytes = energy_pj != NULL,
    };
    const struct sizes *s = &plan.sizes;
    plan.pass = pass_of(s, schedule);
    plan.near_level = found_level(phase->machine, s->own + s->shared + s->kv);
    for (int64_t i = 0; i < n;) {
        find_segment(&plan, low + i, low + n - 1, &segment);
        int64_t count = segment.high - (low + i) + 1;
        price_ns(&segment, phase->machine->pass_ns, depth + i, count, ns + i);
        if (energy_pj != NULL)
            price_energy(&plan, depth + i, count, energy_pj + i);
        i += count;
    }
}
