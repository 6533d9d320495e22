#include "costmodel/pass.h"

#include <math.h>
#include <stddef.h>

#include "costmodel/found.h"
#include "costmodel/operator_time.h"
#include "costmodel/reuse.h"

/* Whether a group's distance grows along a run. What all blocks share stays as near as it is, even
 * where a run begins with all groups equally near, at the turn of a reverse schedule. */
static bool grows(const struct reuse_run *run, int group)
{
    return run->step > 0 && !(run->is_shared >> group & 1);
}

static bool is_like_first(const struct reuse_run *run, int group)
{
    return run->distance[group] == run->distance[0] && grows(run, group) == grows(run, 0);
}

/* Between two edges the time is a line in the distance, so the middle of a run speaks for all of
 * it. */
static double middle(const struct reuse_run *run, int group)
{
    double first = (double)run->distance[group];
    return grows(run, group) ? first + 0.5 * (double)(run->step * (run->count - 1)) : first;
}

/* Mean of share_of_starts over the n reads of a group in a run; `distance` is that of the middle
 * one. Along the run the level before memory finds the share f + s x: f in the middle, s the slope
 * per read, x the reads from the middle. So this is 1 - E[(f + s x)^4], worked out in docs/method.md
 * (Starts). */
static double starts_of_run(const struct machine *machine, const struct reuse_run *run, int group,
                            double distance)
{
    double share = price_memory_share(machine, distance), found = 1 - share;
    if (share <= 0 || share >= 1 || run->count == 1 || !grows(run, group))
        return share_of_starts(share);
    double slope = (double)run->step * found_before(machine, machine->dram, distance).slope;
    double squares = (double)(run->count * run->count), square = slope * slope;
    return 1 - found * found * found * found - found * found * square * (squares - 1) / 2 -
           square * square * (squares - 1) * (3 * squares - 7) / 240;
}

static struct read_place once_a_pass(const struct machine *machine, int64_t distance)
{
    int level = found_level(machine, distance);
    double found = found_before(machine, level, (double)distance).share;
    double memory = level < machine->dram ? 0 : 1 - found; /* price_memory_share */
    return (struct read_place){level, found, share_of_starts(memory)};
}

/* While a block repeats from a fast level, the DRAM channel is idle: the next block's stream runs
 * ahead as far as there is room beside the repeating block, for as long as the repeats compute.
 * What was streamed ahead is then read from the fast level, so at most the difference is won. */
static double hidden_stream_ns(const struct pass_steps *steps, const struct block_cost *cost,
                               const struct reuse_run *repeat, int64_t reruns)
{
    const struct machine *machine = steps->machine;
    int level = found_level(machine, repeat->distance[0]);
    if (machine->overlap_frac <= 0 || level >= steps->first_level)
        return 0;
    int64_t bytes = cost->weight_bytes;
    int64_t room = machine->levels[level].capacity_bytes - repeat->distance[0];
    double share = bytes == 0 ? 0 : fmin(1, fmax(0, (double)room / (double)bytes));
    double near = 0;
    for (int g = 0; g < cost->n_groups; g++)
        near += cost->groups[g].ns[level];
    double repeat_ns = (double)reruns * (near + cost->other_ns);
    return machine->overlap_frac * fmin(share * fmax(0, steps->first_ns - near), repeat_ns);
}

static int64_t reruns_of(const struct operator_list *list, const struct reuse_run *run)
{
    return ops_runs(list, &list->classes[run->class]) - 1;
}

/* Of the reads of a run, found in `level`, those that come from memory again, since the reads
 * before them did. */
static double lost_rereads(const struct pass_steps *steps, const struct reuse_run *run, int level)
{
    const struct machine *machine = steps->machine;
    const struct operator_list *list = steps->list;
    double n = (double)run->count, distance = middle(run, 0);
    if (list->schedule.share_ffn || machine->dram == 0)
        return 0;
    double share = price_lost_share(machine, level, distance);
    if (run->immediate)
        return n / (double)reruns_of(list, run) * steps->first_far * share;
    if (list->schedule.sharing != SHARING_REVERSE)
        return 0;
    /* A block is met on the way there and on the way back: what one way is short of a pass and a
     * block, the other is long. */
    const struct block_ops *block = &list->classes[run->class];
    double both_ways = (double)(steps->pass_bytes + block_weight_bytes(block));
    double before = both_ways - distance;
    return n * price_memory_share(machine, before) * share;
}

static void record_run(const struct pass_steps *steps, const struct reuse_run *run, double lost)
{
    const struct machine *machine = steps->machine;
    const struct block_ops *block = &steps->list->classes[run->class];
    struct read_run reads = {.count = (double)run->count, .lost = lost, .cache = steps->once};
    for (int g = 0; g < block->n_groups; g++) {
        int level = found_level(machine, run->distance[g]);
        double distance = middle(run, g);
        reads.groups[g] = (struct read_place){level, found_before(machine, level, distance).share,
                                              starts_of_run(machine, run, g, distance)};
    }
    breakdown_run(machine, block, &reads, steps->detail);
}

/* One execution of a run: its weights, each group from its level, the starts of its matrices among
 * them; and all of them from memory. */
struct weight_time {
    double ns, memory_ns;
};

/* Most groups share a distance with the first, so what follows from it is worked out once. */
static struct weight_time add_weights(struct pass_steps *steps, const struct reuse_run *run,
                                      const struct block_cost *cost, double lost)
{
    const struct machine *machine = steps->machine;
    struct weight_time time = {0, 0};
    double distance = 0, found = 0, starts = NAN;
    int level = 0;
    for (int g = 0; g < cost->n_groups; g++) {
        const struct group_cost *group = &cost->groups[g];
        if (g == 0 || !is_like_first(run, g)) {
            level = found_level(machine, run->distance[g]);
            distance = middle(run, g);
            found = found_before(machine, level, distance).share;
            starts = NAN;
        }
        double ns = found_share_ns(group->ns, level, found);
        if (group->start_ns > 0) {
            if (isnan(starts))
                starts = starts_of_run(machine, run, g, distance);
            ns += group->start_ns * starts;
        }
        time.ns += ns;
        time.memory_ns += group->ns[machine->dram];
        time.memory_ns += group->start_ns;
        steps->pass->level_bytes[level] += ((double)run->count - lost) * (double)group->bytes;
    }
    return time;
}

void pass_add_run(struct pass_steps *steps, const struct reuse_run *run,
                  const struct block_cost *cost)
{
    const struct machine *machine = steps->machine;
    const struct schedule *schedule = &steps->list->schedule;
    struct pass *pass = steps->pass;
    int level = found_level(machine, run->distance[0]);
    double n = (double)run->count;
    double lost = lost_rereads(steps, run, level);
    struct weight_time weights = add_weights(steps, run, cost, lost);
    pass->ns += lost * (weights.memory_ns - weights.ns);
    pass->ns += n * (weights.ns + cost->other_ns + cost->fixed_ns +
                     found_share_ns(cost->kv_ns, steps->once.level, steps->once.found));
    pass->beyond_timings |= cost->beyond_timings;
    pass->flop += n * (double)cost->flop;
    pass->activation_bytes += n * (double)cost->activation_bytes;
    pass->level_bytes[machine->dram] += lost * (double)cost->weight_bytes;
    pass->level_bytes[steps->once.level] += n * (double)cost->kv_bytes;
    if (steps->detail)
        record_run(steps, run, lost);
    if (!run->immediate) {
        steps->first_level = level;
        steps->first_ns = weights.ns;
        steps->first_far = price_memory_share(machine, middle(run, 0));
    } else if (!schedule->share_ffn) {
        /* `n` repeats belong to n / reruns blocks, and each block hides once. */
        int64_t reruns = reruns_of(steps->list, run);
        double blocks = n / (double)reruns;
        pass->hidden_level = steps->first_level;
        pass->hidden_ns += blocks * hidden_stream_ns(steps, cost, run, reruns);
    }
}

static void add_edge(struct pass_steps *steps, const struct op *op, const struct read_place *place)
{
    const struct machine *machine = steps->machine;
    struct pass *pass = steps->pass;
    if (op->kind == OP_SAMPLE) /* excluded by the contract */
        return;
    double ns = operator_time(machine, op, place->level).busy_ns;
    double found = place->found;
    if (found > 0)
        ns = (1 - found) * ns + found * operator_time(machine, op, place->level - 1).busy_ns;
    pass->ns += ns + place->starts * operator_start_ns(machine, op) + machine->op_ns[op->kind];
    pass->beyond_timings |= operator_beyond_timings(machine, op);
    pass->flop += (double)op->flop;
    pass->activation_bytes += (double)op->activation_bytes;
    pass->level_bytes[place->level] += (double)op->weight_bytes;
    if (steps->detail)
        breakdown_edge(machine, op, place, steps->detail);
}

void pass_begin(struct pass_steps *steps, int64_t table_bytes)
{
    const struct machine *machine = steps->machine;
    int64_t distance = steps->pass_bytes;
    steps->once = once_a_pass(machine, distance);
    steps->gather = once_a_pass(machine, distance + table_bytes);
    steps->first_level = machine->n_levels - 1;
    steps->first_far = 1;
    *steps->pass = (struct pass){.ns = machine->pass_ns};
    if (steps->detail)
        *steps->detail = (struct price_detail){.fixed_ns = machine->pass_ns};
}

void pass_add_edges(struct pass_steps *steps)
{
    const struct operator_list *list = steps->list;
    for (int i = 0; i < list->n_prologue; i++) {
        const struct op *op = &list->prologue[i];
        add_edge(steps, op, op->kind == OP_EMBED ? &steps->gather : &steps->once);
    }
    for (int i = 0; i < list->n_epilogue; i++)
        add_edge(steps, &list->epilogue[i], &steps->once);
}

void pass_end(struct pass_steps *steps)
{
    struct pass *pass = steps->pass;
    pass->ns -= pass->hidden_ns;
    if (steps->detail) {
        steps->detail->hidden_ns = pass->hidden_ns;
        steps->detail->hidden_level = pass->hidden_level;
    }
}

enum status pass_walk(const struct machine *machine, const struct operator_list *list,
                      const struct block_cost *costs, int64_t table_bytes, struct pass *pass,
                      struct price_detail *detail, struct err *err)
{
    struct pass_steps steps = {.machine = machine, .list = list, .pass = pass, .detail = detail};
    struct reuse_walk reuse;
    struct reuse_run run;
    int64_t edges[MAX_FOUND_EDGES];
    int n_edges = found_edges(machine, edges);
    enum status status = reuse_walk_start(&reuse, list, edges, n_edges, err);
    if (status)
        return status;
    steps.pass_bytes = reuse.pass_bytes;
    pass_begin(&steps, table_bytes);
    while (reuse_walk_next(&reuse, &run))
        pass_add_run(&steps, &run, &costs[run.class]);
    reuse_walk_end(&reuse);
    pass_add_edges(&steps);
    pass_end(&steps);
    return STATUS_OK;
}
