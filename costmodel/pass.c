#include "costmodel/pass.h"

#include <math.h>

#include "costmodel/found.h"
#include "costmodel/operator_time.h"
#include "costmodel/reuse.h"

static bool touches_cache(const struct op *op)
{
    return op->kv_read_bytes + op->kv_write_bytes > 0;
}

void block_cost(const struct machine *machine, const struct block_ops *block,
                struct block_cost *cost)
{
    *cost = (struct block_cost){.fixed_ns = machine->layer_ns,
                                .attention_bytes = block->attention_bytes,
                                .ffn_bytes = block->ffn_bytes};
    for (int i = 0; i < block->n_ops; i++) {
        const struct op *op = &block->ops[i];
        cost->fixed_ns += machine->op_ns[op->kind];
        cost->beyond_timings |= operator_beyond_timings(machine, op);
        cost->kv_bytes += op->kv_read_bytes + op->kv_write_bytes;
        cost->activation_bytes += op->activation_bytes;
        cost->flop += op->flop;
        if (op->group == GROUP_NONE && !touches_cache(op)) {
            cost->other_ns += operator_time(machine, op, 0).busy_ns;
            continue;
        }
        double *by_level = op->group == GROUP_ATTENTION ? cost->attention_ns
                           : op->group == GROUP_FFN     ? cost->ffn_ns
                                                        : cost->kv_ns;
        for (int level = 0; level < machine->n_levels; level++)
            by_level[level] += operator_time(machine, op, level).busy_ns;
        *(op->group == GROUP_ATTENTION ? &cost->attention_start_ns : &cost->ffn_start_ns) +=
            operator_start_ns(machine, op);
    }
}

/* Between two edges the time is a line in the distance, so the middle of a run speaks for all of
 * it. */
static double middle(int64_t first, const struct reuse_run *run)
{
    return (double)first + 0.5 * (double)(run->step * (run->count - 1));
}

static double middle_of_attention(const struct reuse_run *run)
{
    return middle(run->attention_distance, run);
}

static double middle_of_ffn(const struct reuse_run *run)
{
    return run->ffn_distance == run->attention_distance ? middle(run->ffn_distance, run)
                                                        : (double)run->ffn_distance;
}

/* Mean of share_of_starts over the n reads of a run; `distance` is that of the middle one. Along
 * the run the level before memory finds the share f + s x: f in the middle, s the slope per read, x
 * the reads from the middle. So this is 1 - E[(f + s x)^4], worked out in docs/method.md (Starts).
 */
static double starts_of_run(const struct machine *machine, const struct reuse_run *run,
                            double distance)
{
    double share = price_memory_share(machine, distance), found = 1 - share;
    bool grows = distance != (double)run->ffn_distance; /* not a shared FFN */
    if (share <= 0 || share >= 1 || run->count == 1 || run->step == 0 || !grows)
        return share_of_starts(share);
    double slope = (double)run->step * found_before(machine, machine->dram, distance).slope;
    double squares = (double)(run->count * run->count), square = slope * slope;
    return 1 - found * found * found * found - found * found * square * (squares - 1) / 2 -
           square * square * (squares - 1) * (3 * squares - 7) / 240;
}

/* A walk on its way. */
struct walk {
    const struct machine *machine;
    const struct operator_list *list;
    struct read_place once;   /* of what is used once a pass: edges and cache */
    struct read_place gather; /* of the gathered rows of an untied table: cold beyond it */
    /* Of the last first run of a block, for its repeats: level, time, share from memory. */
    int first_level;
    double first_ns, first_far;
    struct pass *pass;
    struct price_detail *detail;
};

static struct read_place once_a_pass(const struct machine *machine, int64_t distance)
{
    return (struct read_place){found_level(machine, distance), (double)distance,
                               share_of_starts(price_memory_share(machine, (double)distance))};
}

/* While a block repeats from a fast level, the DRAM channel is idle: the next block's stream runs
 * ahead as far as there is room beside the repeating block, for as long as the repeats compute.
 * What was streamed ahead is then read from the fast level, so at most the difference is won. */
static double hidden_stream_ns(const struct walk *walk, const struct block_cost *cost,
                               const struct reuse_run *repeat)
{
    const struct machine *machine = walk->machine;
    int level = found_level(machine, repeat->attention_distance);
    if (machine->overlap_frac <= 0 || level >= walk->first_level)
        return 0;
    int64_t bytes = cost->attention_bytes + cost->ffn_bytes;
    int64_t room = machine->levels[level].capacity_bytes - repeat->attention_distance;
    double share = bytes == 0 ? 0 : fmin(1, fmax(0, (double)room / (double)bytes));
    double near = cost->attention_ns[level] + cost->ffn_ns[level];
    double repeat_ns = (double)(walk->list->schedule.repeats - 1) * (near + cost->other_ns);
    return machine->overlap_frac * fmin(share * fmax(0, walk->first_ns - near), repeat_ns);
}

/* Of the reads of a run, found in `level`, those that come from memory again, since the reads
 * before them did. */
static double lost_rereads(const struct walk *walk, const struct reuse_run *run, int level)
{
    const struct machine *machine = walk->machine;
    const struct operator_list *list = walk->list;
    double n = (double)run->count, distance = middle_of_attention(run);
    if (list->schedule.share_ffn || machine->dram == 0)
        return 0;
    double share = price_lost_share(machine, level, distance);
    if (run->immediate)
        return n / (double)(list->schedule.repeats - 1) * walk->first_far * share;
    if (list->schedule.sharing != SHARING_REVERSE)
        return 0;
    /* A block is met on the way there and on the way back: what one way is short of a pass and a
     * block, the other is long. */
    const struct block_ops *block = &list->classes[run->class];
    double both_ways = (double)(reuse_pass_bytes(list) + block->attention_bytes + block->ffn_bytes);
    double before = both_ways - distance;
    return n * price_memory_share(machine, before) * share;
}

/* A run's weights of one group of operators, the starts of its matrices among them. */
static double group_ns(const struct machine *machine, const struct reuse_run *run,
                       const double *ns_by_level, double start, int level, double distance)
{
    double ns = found_ns(machine, ns_by_level, level, distance);
    return start > 0 ? ns + start * starts_of_run(machine, run, distance) : ns;
}

static void record_run(const struct walk *walk, const struct reuse_run *run, int attention, int ffn,
                       double lost)
{
    const struct machine *machine = walk->machine;
    double distance = middle_of_attention(run), ffn_distance = middle_of_ffn(run);
    struct read_run reads = {
        .count = (double)run->count,
        .lost = lost,
        .attention = {attention, distance, starts_of_run(machine, run, distance)},
        .ffn = {ffn, ffn_distance, starts_of_run(machine, run, ffn_distance)},
        .cache = walk->once,
    };
    breakdown_run(machine, &walk->list->classes[run->class], &reads, walk->detail);
}

static void add_run(struct walk *walk, const struct reuse_run *run, const struct block_cost *cost)
{
    const struct machine *machine = walk->machine;
    const struct schedule *schedule = &walk->list->schedule;
    struct pass *pass = walk->pass;
    int attention = found_level(machine, run->attention_distance);
    int ffn = found_level(machine, run->ffn_distance);
    double n = (double)run->count;
    double weights_ns =
        group_ns(machine, run, cost->attention_ns, cost->attention_start_ns, attention,
                 middle_of_attention(run)) +
        group_ns(machine, run, cost->ffn_ns, cost->ffn_start_ns, ffn, middle_of_ffn(run));
    double lost = lost_rereads(walk, run, attention);
    pass->ns += lost * (cost->attention_ns[machine->dram] + cost->attention_start_ns +
                        cost->ffn_ns[machine->dram] + cost->ffn_start_ns - weights_ns);
    pass->ns += n * (weights_ns + cost->other_ns + cost->fixed_ns +
                     found_ns(machine, cost->kv_ns, walk->once.level, walk->once.distance));
    pass->beyond_timings |= cost->beyond_timings;
    pass->flop += n * (double)cost->flop;
    pass->activation_bytes += n * (double)cost->activation_bytes;
    pass->level_bytes[attention] += (n - lost) * (double)cost->attention_bytes;
    pass->level_bytes[ffn] += (n - lost) * (double)cost->ffn_bytes;
    pass->level_bytes[machine->dram] += lost * (double)(cost->attention_bytes + cost->ffn_bytes);
    pass->level_bytes[walk->once.level] += n * (double)cost->kv_bytes;
    if (walk->detail)
        record_run(walk, run, attention, ffn, lost);
    if (!run->immediate) {
        walk->first_level = attention;
        walk->first_ns = weights_ns;
        walk->first_far = price_memory_share(machine, middle_of_attention(run));
    } else if (!schedule->share_ffn) {
        /* `n` repeats belong to n / (repeats - 1) blocks, and each block hides once. */
        double blocks = n / (double)(schedule->repeats - 1);
        pass->hidden_level = walk->first_level;
        pass->hidden_ns += blocks * hidden_stream_ns(walk, cost, run);
    }
}

static void add_edge(struct walk *walk, const struct op *op, const struct read_place *place)
{
    const struct machine *machine = walk->machine;
    struct pass *pass = walk->pass;
    if (op->kind == OP_SAMPLE) /* excluded by the contract */
        return;
    double ns = operator_time(machine, op, place->level).busy_ns;
    double found = found_before(machine, place->level, place->distance).share;
    if (found > 0)
        ns = (1 - found) * ns + found * operator_time(machine, op, place->level - 1).busy_ns;
    pass->ns += ns + place->starts * operator_start_ns(machine, op) + machine->op_ns[op->kind];
    pass->beyond_timings |= operator_beyond_timings(machine, op);
    pass->flop += (double)op->flop;
    pass->activation_bytes += (double)op->activation_bytes;
    pass->level_bytes[place->level] += (double)op->weight_bytes;
    if (walk->detail)
        breakdown_edge(machine, op, place, walk->detail);
}

static void start(struct walk *walk, int64_t table_bytes)
{
    const struct machine *machine = walk->machine;
    int64_t distance = reuse_pass_bytes(walk->list);
    walk->once = once_a_pass(machine, distance);
    walk->gather = once_a_pass(machine, distance + table_bytes);
    walk->first_level = machine->n_levels - 1;
    walk->first_far = 1;
    *walk->pass = (struct pass){.ns = machine->pass_ns};
    if (walk->detail)
        *walk->detail = (struct price_detail){.fixed_ns = machine->pass_ns};
}

static void finish(struct walk *walk)
{
    struct pass *pass = walk->pass;
    pass->ns -= pass->hidden_ns;
    if (walk->detail) {
        walk->detail->hidden_ns = pass->hidden_ns;
        walk->detail->hidden_level = pass->hidden_level;
    }
}

enum status pass_walk(const struct machine *machine, const struct operator_list *list,
                      const struct block_cost *costs, int64_t table_bytes, struct pass *pass,
                      struct price_detail *detail, struct err *err)
{
    struct walk walk = {.machine = machine, .list = list, .pass = pass, .detail = detail};
    struct reuse_walk reuse;
    struct reuse_run run;
    int64_t edges[MAX_FOUND_EDGES];
    int n_edges = found_edges(machine, edges);
    enum status status = reuse_walk_start(&reuse, list, edges, n_edges, err);
    if (status)
        return status;
    start(&walk, table_bytes);
    while (reuse_walk_next(&reuse, &run))
        add_run(&walk, &run, &costs[run.class]);
    reuse_walk_end(&reuse);
    for (int i = 0; i < list->n_prologue; i++) {
        const struct op *op = &list->prologue[i];
        add_edge(&walk, op, op->kind == OP_EMBED ? &walk.gather : &walk.once);
    }
    for (int i = 0; i < list->n_epilogue; i++)
        add_edge(&walk, &list->epilogue[i], &walk.once);
    finish(&walk);
    return STATUS_OK;
}
