#include "costmodel/price.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "costmodel/reuse.h"

enum { BYTES_F32 = 4 };

/* The fastest level that holds `distance` bytes; the last one always does. */
static int level_of(const struct machine *machine, int64_t distance)
{
    int level = 0;
    while (level < machine->n_levels - 1 && machine->levels[level].capacity_bytes < distance)
        level++;
    return level;
}

/* Where the time of a read bends with its distance: the levels' capacities and the edges of their
 * spill, ascending. */
enum { MAX_EDGES = N_SPILL * MAX_LEVELS };
static int distance_edges(const struct machine *machine, int64_t edges[MAX_EDGES])
{
    int n = 0;
    for (int level = 0; level < machine->n_levels - 1; level++)
        edges[n++] = machine->levels[level].capacity_bytes;
    for (int level = 0; level < machine->n_levels - 1; level++) {
        const int64_t *spill = machine->levels[level].spill_bytes;
        for (int i = 1; i < N_SPILL && spill[i] > 0; i++) {
            int at = n++;
            for (; at > 0 && edges[at - 1] > spill[i]; at--)
                edges[at] = edges[at - 1];
            edges[at] = spill[i];
        }
    }
    return n;
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

/* What bounds an operator, for the breakdown. */
struct op_time {
    double weight_ns, kv_ns, activation_ns, compute_ns;
    double busy_ns; /* the slowest of the four, or their sum */
    bool adds_up;
};

static double slowest(double a, double b)
{
    return a > b ? a : b;
}

static double weight_gbps(const struct machine *machine, const struct op *op, int level)
{
    bool of_its_own = op->role == ROLE_HEAD && level == machine->dram && machine->head_gbps > 0;
    return of_its_own ? machine->head_gbps : machine->weight_gbps[op->dtype][level];
}

static double flop_per_ns(const struct machine *machine, const struct op *op)
{
    bool of_its_own = op->kind == OP_ATTENTION && op->m == 1 && machine->attention_gflops > 0;
    return of_its_own ? machine->attention_gflops : machine->peak_gflops[op->dtype];
}

/* Timings are trusted to this many times the largest shape that was timed. */
#define TIMINGS_REACH 4

static bool is_timed(const struct machine *machine, const struct op *op)
{
    return machine->has_timings && (op->kind != OP_MATMUL || machine->is_timed[op->dtype]);
}

static bool is_beyond_timings(const struct machine *machine, const struct op *op)
{
    if (!machine->has_timings)
        return false;
    if (op->kind == OP_MATMUL)
        return !machine->is_timed[op->dtype] ||
               (double)op->k > TIMINGS_REACH * machine->timed_d_in ||
               (double)op->m > TIMINGS_REACH * machine->timed_tokens;
    double positions =
        op->kind == OP_ATTENTION ? (double)op->flop / (4.0 * (double)(op->m * op->n * op->k)) : 0;
    return positions > TIMINGS_REACH * (machine->timed_context + machine->timed_tokens);
}

/* q, k and v read one input, as do gate and up: it is made ready once. */
static bool makes_input_ready(enum op_role role)
{
    return role != ROLE_K && role != ROLE_V && role != ROLE_GATE;
}

/* Rows end in a rest that takes as long as a whole step, at the rate of the last cache, which the
 * products bound. */
static double rest_of_rows_ns(const struct machine *machine, const struct op *op)
{
    int64_t step = machine->matvec_step[op->dtype];
    if (step == 0 || op->k % step == 0)
        return 0;
    double more = (double)(step - op->k % step) / (double)op->k;
    int cache = machine->dram > 0 ? machine->dram - 1 : 0;
    return more * (double)op->weight_bytes / machine->weight_gbps[op->dtype][cache];
}

static struct op_time timed_matmul(const struct machine *machine, const struct op *op,
                                   int weight_level)
{
    struct op_time time = {0};
    const double *ns = machine->timing_ns;
    double rows = (double)(op->m * op->n);
    double columns = makes_input_ready(op->role) ? (double)(op->m * op->k) : 0;
    if (op->m == 1) {
        time.weight_ns = (double)op->weight_bytes / weight_gbps(machine, op, weight_level);
        time.compute_ns = rows * ns[TIMING_ROW + op->dtype] + rest_of_rows_ns(machine, op) +
                          columns * ns[TIMING_COLUMN + op->dtype];
        return time;
    }
    int64_t batches = (op->m + TIMING_BATCH - 1) / TIMING_BATCH;
    time.weight_ns = (double)(op->weight_bytes * batches) * ns[TIMING_PROMPT_BYTE + op->dtype];
    time.compute_ns = (double)op->flop / machine->peak_gflops[op->dtype] +
                      rows * ns[TIMING_PROMPT_ROW] + columns * ns[TIMING_PROMPT_COLUMN + op->dtype];
    return time;
}

/* Threads take whole heads, of which the one with most has this many. */
static int64_t heads_of_a_thread(const struct machine *machine, const struct op *op)
{
    return (op->n + machine->threads - 1) / machine->threads;
}

/* By how much longer the cache takes than if every thread read an equal part of it: query heads of
 * one group that go to different threads read the same keys and values. */
static double uneven_cache(const struct machine *machine, const struct op *op)
{
    if (op->kind != OP_ATTENTION || op->n_kv == 0 || !is_timed(machine, op))
        return 1;
    int64_t group = op->n / op->n_kv;
    int64_t most = (heads_of_a_thread(machine, op) + group - 1) / group;
    return (double)(most * machine->threads) / (double)op->n_kv;
}

static struct op_time timed_attention(const struct machine *machine, const struct op *op,
                                      int kv_level)
{
    struct op_time time = {0};
    const double *ns = machine->timing_ns;
    double uneven = (double)(heads_of_a_thread(machine, op) * machine->threads) / (double)op->n;
    double flop = (double)op->flop, scores = flop / (double)op->k;
    time.kv_ns = price_cache_ns(machine, op, kv_level, op->kv_read_bytes + op->kv_write_bytes);
    time.compute_ns =
        op->m == 1
            ? uneven * ((double)(op->n * op->k) * ns[TIMING_QUERY] + scores * ns[TIMING_POSITION] +
                        flop * ns[TIMING_SCORE])
            : uneven * (scores * ns[TIMING_PROMPT_POSITION] + flop * ns[TIMING_PROMPT_SCORE]);
    return time;
}

/* In decode every thread norms the whole vector for itself and one looks the token up; a prompt's
 * tokens are shared out. */
static double element_ns(const struct machine *machine, const struct op *op)
{
    bool shared_out = op->m > 1 && (op->kind == OP_NORM || op->kind == OP_EMBED);
    double ns = machine->timing_ns[TIMING_ELEMENT + op->kind];
    return shared_out ? ns / machine->threads : ns;
}

static struct op_time timed_op(const struct machine *machine, const struct op *op, int weight_level,
                               int kv_level)
{
    struct op_time time = {0};
    if (op->kind == OP_MATMUL)
        time = timed_matmul(machine, op, weight_level);
    else if (op->kind == OP_ATTENTION)
        time = timed_attention(machine, op, kv_level);
    else
        time.activation_ns = (double)(op->m * op->n) * element_ns(machine, op);
    time.busy_ns = time.weight_ns + time.kv_ns + time.activation_ns + time.compute_ns;
    time.adds_up = true;
    return time;
}

static struct op_time roofline_op(const struct machine *machine, const struct op *op,
                                  int weight_level, int kv_level)
{
    int near = level_of(machine, op->activation_bytes);
    int64_t kv = op->kv_read_bytes + op->kv_write_bytes;
    struct op_time time = {
        .weight_ns = op->weight_bytes == 0
                         ? 0
                         : (double)op->weight_bytes / weight_gbps(machine, op, weight_level),
        .kv_ns = kv == 0 ? 0 : price_cache_ns(machine, op, kv_level, kv),
        .activation_ns = (double)op->activation_bytes / machine->levels[near].read_gbps,
        .compute_ns = (double)op->flop / flop_per_ns(machine, op),
    };
    time.busy_ns =
        slowest(slowest(time.weight_ns, time.kv_ns), slowest(time.activation_ns, time.compute_ns));
    return time;
}

static struct op_time time_op(const struct machine *machine, const struct op *op, int weight_level,
                              int kv_level)
{
    if (!is_timed(machine, op))
        return roofline_op(machine, op, weight_level, kv_level);
    struct op_time timed = timed_op(machine, op, weight_level, kv_level);
    if (is_beyond_timings(machine, op)) {
        struct op_time bound = roofline_op(machine, op, weight_level, kv_level);
        return bound.busy_ns > timed.busy_ns ? bound : timed;
    }
    return timed;
}

struct op_work price_op_work(const struct machine *machine, const struct op *op)
{
    struct op_time time = time_op(machine, op, 0, 0);
    if (!time.adds_up)
        return (struct op_work){(double)op->flop / flop_per_ns(machine, op), false};
    return (struct op_work){time.compute_ns + time.activation_ns, true};
}

double price_weight_gbps(const struct machine *machine, const struct op *op, int level)
{
    return weight_gbps(machine, op, level);
}

/* Until the first bytes of a matrix come from memory. */
static double start_ns(const struct machine *machine, const struct op *op)
{
    bool starts = op->kind == OP_MATMUL && op->m == 1 && is_timed(machine, op);
    return starts ? machine->timing_ns[TIMING_START + op->dtype] : 0;
}

/* Of matrices a share of whose bytes come from memory, those that wait for it at their start: they
 * are read in four streams (kernels/matvec_body.h), and any first line makes them wait. */
static double share_of_starts(double memory_share)
{
    double none = 1 - memory_share;
    return 1 - none * none * none * none;
}

double price_weight_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes,
                       double memory_share)
{
    double ns = (double)bytes / weight_gbps(machine, op, level);
    if (level < machine->dram)
        return ns;
    double starts = memory_share > 0 ? share_of_starts(memory_share) / memory_share : 1;
    return ns + starts * start_ns(machine, op) * (double)bytes / (double)op->weight_bytes;
}

double price_cache_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes)
{
    return uneven_cache(machine, op) * (double)bytes / machine->kv_gbps[level];
}

static bool touches_cache(const struct op *op)
{
    return op->kv_read_bytes + op->kv_write_bytes > 0;
}

static void cost_block(const struct machine *machine, const struct block_ops *block,
                       struct block_cost *cost)
{
    *cost = (struct block_cost){.fixed_ns = machine->layer_ns,
                                .attention_bytes = block->attention_bytes,
                                .ffn_bytes = block->ffn_bytes};
    for (int i = 0; i < block->n_ops; i++) {
        const struct op *op = &block->ops[i];
        cost->fixed_ns += machine->op_ns[op->kind];
        cost->beyond_timings |= is_beyond_timings(machine, op);
        cost->kv_bytes += op->kv_read_bytes + op->kv_write_bytes;
        cost->activation_bytes += op->activation_bytes;
        cost->flop += op->flop;
        if (op->group == GROUP_NONE && !touches_cache(op)) {
            cost->other_ns += time_op(machine, op, 0, 0).busy_ns;
            continue;
        }
        double *by_level = op->group == GROUP_ATTENTION ? cost->attention_ns
                           : op->group == GROUP_FFN     ? cost->ffn_ns
                                                        : cost->kv_ns;
        for (int level = 0; level < machine->n_levels; level++)
            by_level[level] += time_op(machine, op, level, level).busy_ns;
        *(op->group == GROUP_ATTENTION ? &cost->attention_start_ns : &cost->ffn_start_ns) +=
            start_ns(machine, op);
    }
}

/* Everything about one pass that the result is made of. */
struct pass {
    double ns, hidden_ns;
    int hidden_level; /* the level whose stream hid */
    double flop, activation_bytes;
    double level_bytes[MAX_LEVELS]; /* weights and KV cache */
    bool beyond_timings;
};

/* Of a read whose reuse distance `level` holds: the share that the level before still has, a line
 * between two edges of its spill, and by how much it falls with a byte of distance. */
struct found {
    double share, slope;
};

static struct found find_before(const struct machine *machine, int level, double distance)
{
    static const double share[N_SPILL] = SPILL_FOUND;
    if (level == 0)
        return (struct found){0};
    const int64_t *edge = machine->levels[level - 1].spill_bytes;
    for (int i = 1; i < N_SPILL; i++)
        if (distance < (double)edge[i]) {
            double slope = (share[i - 1] - share[i]) / (double)(edge[i] - edge[i - 1]);
            return (struct found){share[i] + slope * ((double)edge[i] - distance), slope};
        }
    return (struct found){0};
}

static double found_before(const struct machine *machine, int level, double distance)
{
    return find_before(machine, level, distance).share;
}

static double at_distance(const struct machine *machine, const double *ns_by_level, int level,
                          double distance)
{
    double found = found_before(machine, level, distance);
    return found > 0 ? found * ns_by_level[level - 1] + (1 - found) * ns_by_level[level]
                     : ns_by_level[level];
}

/* While a block repeats from a fast level, the DRAM channel is idle: the next block's stream runs
 * ahead as far as there is room beside the repeating block, for as long as the repeats compute.
 * What was streamed ahead is then read from the fast level, so at most the difference is won. */
static double hidden_stream_ns(const struct machine *machine, const struct block_cost *cost,
                               const struct reuse_run *repeat, int first_level, double far,
                               int64_t repeats)
{
    int level = level_of(machine, repeat->attention_distance);
    if (machine->overlap_frac <= 0 || level >= first_level)
        return 0;
    int64_t bytes = cost->attention_bytes + cost->ffn_bytes;
    int64_t room = machine->levels[level].capacity_bytes - repeat->attention_distance;
    double share = bytes == 0 ? 0 : fmin(1, fmax(0, (double)room / (double)bytes));
    double near = cost->attention_ns[level] + cost->ffn_ns[level];
    double repeat_ns = (double)(repeats - 1) * (near + cost->other_ns);
    return machine->overlap_frac * fmin(share * fmax(0, far - near), repeat_ns);
}

double price_lost_share(const struct machine *machine, int level, double distance)
{
    level = level < machine->dram ? level : machine->dram - 1;
    double fill = distance / (double)machine->levels[level].capacity_bytes;
    return fmin(1, machine->levels[level].reread_lost_frac * sqrt(fill));
}

double price_memory_share(const struct machine *machine, double distance)
{
    int level = level_of(machine, (int64_t)distance);
    return level < machine->dram ? 0 : 1 - found_before(machine, level, distance);
}

/* Of the reads of a run, found in `level`, those that come from memory again, since the reads
 * before them did. `first_far`: the share of a block's first run that did. */
static double lost_rereads(const struct machine *machine, const struct operator_list *list,
                           const struct reuse_run *run, int level, double first_far)
{
    double n = (double)run->count, distance = middle_of_attention(run);
    if (list->schedule.share_ffn || machine->dram == 0)
        return 0;
    double share = price_lost_share(machine, level, distance);
    if (run->immediate)
        return n / (double)(list->schedule.repeats - 1) * first_far * share;
    if (list->schedule.sharing != SHARING_REVERSE)
        return 0;
    /* A block is met on the way there and on the way back: what one way is short of a pass and a
     * block, the other is long. */
    const struct block_ops *block = &list->classes[run->class];
    double both_ways = (double)(reuse_pass_bytes(list) + block->attention_bytes + block->ffn_bytes);
    double before = both_ways - distance;
    return n * price_memory_share(machine, before) * share;
}

/* share_of_starts over a run of reads, `distance` being the middle one's: what the level before
 * memory finds is a line along the run, and of its fourth power the mean counts. */
static double starts_of_run(const struct machine *machine, const struct reuse_run *run,
                            double distance)
{
    double share = price_memory_share(machine, distance), found = 1 - share;
    bool grows = distance != (double)run->ffn_distance; /* not a shared FFN */
    if (share <= 0 || share >= 1 || run->count == 1 || run->step == 0 || !grows)
        return share_of_starts(share);
    double slope = (double)run->step * find_before(machine, machine->dram, distance).slope;
    double squares = (double)(run->count * run->count), square = slope * slope;
    return 1 - found * found * found * found - found * found * square * (squares - 1) / 2 -
           square * square * (squares - 1) * (3 * squares - 7) / 240;
}

/* A run's weights of one group of operators, the starts of its matrices among them. */
static double group_ns(const struct machine *machine, const struct reuse_run *run,
                       const double *ns_by_level, double start, int level, double distance)
{
    double ns = at_distance(machine, ns_by_level, level, distance);
    return start > 0 ? ns + start * starts_of_run(machine, run, distance) : ns;
}

/* Time of an operator whose weights or cache were last touched `distance` bytes ago. */
static double ns_at_distance(const struct machine *machine, const struct op *op, int level,
                             double distance)
{
    double ns = time_op(machine, op, level, level).busy_ns;
    double found = found_before(machine, level, distance);
    if (found > 0)
        ns = (1 - found) * ns + found * time_op(machine, op, level - 1, level - 1).busy_ns;
    return ns + share_of_starts(price_memory_share(machine, distance)) * start_ns(machine, op);
}

static void add_edge(const struct machine *machine, const struct op *op, int level, double distance,
                     struct pass *pass)
{
    if (op->kind == OP_SAMPLE) /* excluded by the contract */
        return;
    pass->ns += ns_at_distance(machine, op, level, distance) + machine->op_ns[op->kind];
    pass->beyond_timings |= is_beyond_timings(machine, op);
    pass->flop += (double)op->flop;
    pass->activation_bytes += (double)op->activation_bytes;
    pass->level_bytes[level] += (double)op->weight_bytes;
}

/* Levels of what is used once a pass. The gathered rows of an untied table are cold beyond it. */
struct edge_levels {
    int weights, kv, gather;
    double distance; /* of the first two */
};

static struct edge_levels edge_levels(const struct machine *machine,
                                      const struct operator_list *list, int64_t table_bytes)
{
    int64_t distance = reuse_pass_bytes(list);
    return (struct edge_levels){level_of(machine, distance), level_of(machine, distance),
                                level_of(machine, distance + table_bytes), (double)distance};
}

/* costs: [list->n_classes] */
static enum status run_pass(const struct machine *machine, const struct operator_list *list,
                            const struct block_cost *costs, int64_t table_bytes, struct pass *pass,
                            struct err *err)
{
    struct reuse_walk walk;
    struct reuse_run run;
    int64_t distances[MAX_EDGES];
    int n_distances = distance_edges(machine, distances);
    enum status status = reuse_walk_start(&walk, list, distances, n_distances, err);
    if (status)
        return status;
    *pass = (struct pass){.ns = machine->pass_ns};
    struct edge_levels edges = edge_levels(machine, list, table_bytes);
    int first_level = machine->n_levels - 1;
    double first_ns = 0, first_far = 1;
    while (reuse_walk_next(&walk, &run)) {
        const struct block_cost *cost = &costs[run.class];
        int attention = level_of(machine, run.attention_distance);
        int ffn = level_of(machine, run.ffn_distance);
        double n = (double)run.count;
        double weights_ns =
            group_ns(machine, &run, cost->attention_ns, cost->attention_start_ns, attention,
                     middle_of_attention(&run)) +
            group_ns(machine, &run, cost->ffn_ns, cost->ffn_start_ns, ffn, middle_of_ffn(&run));
        double lost = lost_rereads(machine, list, &run, attention, first_far);
        pass->ns += lost * (cost->attention_ns[machine->dram] + cost->attention_start_ns +
                            cost->ffn_ns[machine->dram] + cost->ffn_start_ns - weights_ns);
        pass->ns += n * (weights_ns + cost->other_ns + cost->fixed_ns +
                         at_distance(machine, cost->kv_ns, edges.kv, edges.distance));
        pass->beyond_timings |= cost->beyond_timings;
        pass->flop += n * (double)cost->flop;
        pass->activation_bytes += n * (double)cost->activation_bytes;
        pass->level_bytes[attention] += (n - lost) * (double)cost->attention_bytes;
        pass->level_bytes[ffn] += (n - lost) * (double)cost->ffn_bytes;
        pass->level_bytes[machine->dram] +=
            lost * (double)(cost->attention_bytes + cost->ffn_bytes);
        pass->level_bytes[edges.kv] += n * (double)cost->kv_bytes;
        if (!run.immediate) {
            first_level = attention;
            first_ns = weights_ns;
            first_far = price_memory_share(machine, middle_of_attention(&run));
        } else if (!list->schedule.share_ffn) {
            /* `n` repeats belong to n / (repeats - 1) blocks, and each block hides once. */
            double blocks = n / (double)(list->schedule.repeats - 1);
            pass->hidden_level = first_level;
            pass->hidden_ns += blocks * hidden_stream_ns(machine, cost, &run, first_level, first_ns,
                                                         list->schedule.repeats);
        }
    }
    reuse_walk_end(&walk);
    for (int i = 0; i < list->n_prologue; i++)
        add_edge(machine, &list->prologue[i],
                 list->prologue[i].kind == OP_EMBED ? edges.gather : edges.weights,
                 list->prologue[i].kind == OP_EMBED ? edges.distance + (double)table_bytes
                                                    : edges.distance,
                 pass);
    for (int i = 0; i < list->n_epilogue; i++)
        add_edge(machine, &list->epilogue[i], edges.weights, edges.distance, pass);
    pass->ns -= pass->hidden_ns;
    return STATUS_OK;
}

static double energy_pj(const struct machine *machine, const struct pass *pass)
{
    double sum = pass->flop * machine->energy_pj_per_flop +
                 pass->activation_bytes * machine->levels[0].energy_pj_per_byte;
    for (int level = 0; level < machine->n_levels; level++) {
        if (pass->level_bytes[level] > 0)
            sum += pass->level_bytes[level] * machine->levels[level].energy_pj_per_byte;
    }
    return sum;
}

/* Widest set of f32 arrays alive at once in a prefill: residual, normed input, and the block's
 * largest products (q, k, v and the attention output, or gate and up), and the logits. */
static int64_t live_activation_bytes(const struct transformer *net,
                                     const struct operator_list *list)
{
    int64_t widest = 0;
    for (int64_t i = 0; i < (net->blocks ? net->schedule.n_layers : 1); i++) {
        const struct block *b = transformer_block(net, i);
        int64_t attention = 2 * (b->n_heads + b->n_kv_heads) * b->d_head;
        int64_t ffn = 2 * b->d_ff;
        int64_t wide = attention > ffn ? attention : ffn;
        widest = wide > widest ? wide : widest;
    }
    return (list->n_tokens * (2 * net->d_model + widest) + net->vocab_size) * BYTES_F32;
}

/* `live` bytes of activations; the passes are priced. */
static void finish(const struct transformer *net, const struct machine *machine,
                   const struct workload *workload, const struct counted *counted,
                   const struct pass *prefill, const struct pass *decode, int64_t live,
                   struct price *out)
{
    int64_t bytes = counted->bytes.total;
    double executions = (double)schedule_executions(&net->schedule);
    double distinct = (double)net->schedule.n_layers;
    int64_t held =
        workload->prompt > workload->context + 1 ? workload->prompt : workload->context + 1;
    out->load_ns = machine->load_fixed_ns + (double)bytes / machine->load_gbps +
                   executions * machine->load_layer_ns;
    out->init_ns =
        machine->init_fixed_ns + (machine->init_gbps > 0 ? (double)bytes / machine->init_gbps : 0) +
        executions * machine->init_layer_ns + distinct * distinct * machine->init_block_sq_ns;
    out->prefill_ns = prefill->ns;
    out->decode_ns = decode->ns;
    out->ttft_cold_ns = out->load_ns + out->init_ns + out->prefill_ns;
    out->energy_pj_per_token = energy_pj(machine, decode);
    out->energy_rule_pj = 0.1e12 * (double)counted->params.total / 1e9;
    out->peak_bytes = bytes + transformer_kv_bytes(net, held) + live;
    out->beyond_timings = prefill->beyond_timings || decode->beyond_timings;
    out->fits_app_share = out->peak_bytes <= machine->app_share_bytes;
}

static void count_all(const struct transformer *net, struct counted *out)
{
    transformer_count(net, &out->params);
    transformer_weight_bytes(net, &out->bytes);
    out->kv_row_bytes =
        net->blocks ? 0 : transformer_kv_bytes_per_token(net) / schedule_executions(&net->schedule);
}

/* Every count is a line in the depth, so two points give all depths, exactly. */
static int64_t on_line(int64_t one, int64_t two, int64_t n)
{
    return one + (n - 1) * (two - one);
}

static void count_by_line(struct shape_price *shape)
{
    struct transformer *net = &shape->net;
    struct schedule *schedule = &net->schedule;
    const int64_t n = schedule->n_layers;
    if (!shape->line.valid || shape->line.share_ffn != schedule->share_ffn ||
        shape->line.tie_embeddings != net->tie_embeddings) {
        schedule->n_layers = 1;
        count_all(net, &shape->line.one);
        schedule->n_layers = 2;
        count_all(net, &shape->line.two);
        schedule->n_layers = n;
        shape->line.share_ffn = schedule->share_ffn;
        shape->line.tie_embeddings = net->tie_embeddings;
        shape->line.valid = true;
    }
    const struct counted *a = &shape->line.one, *b = &shape->line.two;
    struct counted *out = &shape->counted;
    *out = *a;
#define LINE(field) out->field = on_line(a->field, b->field, n)
    LINE(params.attention);
    LINE(params.ffn);
    LINE(params.norms);
    LINE(params.blocks);
    LINE(params.total);
    LINE(bytes.blocks);
    LINE(bytes.total);
#undef LINE
}

static int64_t table_bytes(const struct transformer *net)
{
    if (net->tie_embeddings)
        return 0; /* the head has read it */
    return net->vocab_size * dtype_row_bytes(net->embedding_dtype, net->d_embed);
}

void price_shape(const struct transformer *net, const struct machine *machine,
                 const struct workload *workload, struct shape_price *out)
{
    assert(!net->blocks);
    out->machine = machine;
    out->workload = *workload;
    out->net = *net;
    enum status status = ops_decode(net, workload->context, &out->decode, NULL);
    assert(status == STATUS_OK);
    status = ops_prefill(net, workload->prompt, &out->prefill, NULL);
    assert(status == STATUS_OK);
    (void)status;
    cost_block(machine, &out->decode.uniform, &out->decode_cost);
    cost_block(machine, &out->prefill.uniform, &out->prefill_cost);
    out->line.valid = false;
    out->prefill_activation_bytes = live_activation_bytes(net, &out->prefill);
}

static void set_schedule(struct operator_list *list, const struct schedule *schedule)
{
    list->schedule = *schedule;
    list->uniform.n_blocks = schedule->n_layers;
}

void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out)
{
    struct pass prefill, decode;
    shape->net.schedule = *schedule;
    shape->net.tie_embeddings = tie_embeddings;
    set_schedule(&shape->decode, schedule);
    set_schedule(&shape->prefill, schedule);
    int64_t table = table_bytes(&shape->net);
    enum status status =
        run_pass(shape->machine, &shape->decode, &shape->decode_cost, table, &decode, NULL);
    assert(status == STATUS_OK); /* a uniform stack allocates nothing */
    status = run_pass(shape->machine, &shape->prefill, &shape->prefill_cost, table, &prefill, NULL);
    assert(status == STATUS_OK);
    (void)status;
    count_by_line(shape);
    finish(&shape->net, shape->machine, &shape->workload, &shape->counted, &prefill, &decode,
           shape->prefill_activation_bytes, out);
}

/* The breakdown repeats the walk of run_pass operator by operator: it is made for a table, not a
 * search. */
static void detail_op(const struct machine *machine, const struct op *op, int level, double times,
                      int64_t bytes, struct price_detail *detail)
{
    struct op_time time = time_op(machine, op, level, level);
    int near = time.adds_up ? 0 : level_of(machine, op->activation_bytes);
    detail->role_ns[op->role] += times * time.busy_ns;
    detail->role_bytes[op->role] += bytes;
    detail->level_bytes[level] += bytes;
    detail->flop += llround(times * (double)op->flop);
    detail->fixed_ns += times * machine->op_ns[op->kind];
    if (time.adds_up) {
        detail->level_ns[level] += times * (time.weight_ns + time.kv_ns);
        detail->compute_ns += times * (time.activation_ns + time.compute_ns);
    } else if (time.busy_ns == time.weight_ns || time.busy_ns == time.kv_ns) {
        detail->level_ns[level] += times * time.busy_ns;
    } else if (time.busy_ns == time.activation_ns) {
        detail->level_ns[near] += times * time.busy_ns;
    } else {
        detail->compute_ns += times * time.busy_ns;
    }
}

/* An operator whose weights or cache lie `distance` bytes back, partly found a level before. */
static void detail_at(const struct machine *machine, const struct op *op, int level,
                      double distance, double starts, double n, struct price_detail *detail)
{
    double found = found_before(machine, level, distance);
    if (op->kind == OP_SAMPLE)
        return;
    int64_t bytes =
        llround(n * (double)(op->weight_bytes + op->kv_read_bytes + op->kv_write_bytes));
    int64_t near = llround(found * (double)bytes);
    detail_op(machine, op, level, (1 - found) * n, bytes - near, detail);
    if (found > 0)
        detail_op(machine, op, level - 1, found * n, near, detail);
    detail->role_ns[op->role] += n * starts * start_ns(machine, op);
    detail->level_ns[machine->dram] += n * starts * start_ns(machine, op);
}

static enum status take_detail(const struct machine *machine, const struct operator_list *list,
                               int64_t table, const struct pass *pass, struct price_detail *detail,
                               struct err *err)
{
    struct reuse_walk walk;
    struct reuse_run run;
    int64_t distances[MAX_EDGES];
    int n_distances = distance_edges(machine, distances);
    enum status status = reuse_walk_start(&walk, list, distances, n_distances, err);
    if (status)
        return status;
    *detail = (struct price_detail){.fixed_ns = machine->pass_ns,
                                    .hidden_ns = pass->hidden_ns,
                                    .hidden_level = pass->hidden_level};
    struct edge_levels edges = edge_levels(machine, list, table);
    double first_far = 1;
    double starts = share_of_starts(price_memory_share(machine, edges.distance));
    while (reuse_walk_next(&walk, &run)) {
        const struct block_ops *class = &list->classes[run.class];
        int attention = level_of(machine, run.attention_distance);
        int ffn = level_of(machine, run.ffn_distance);
        double n = (double)run.count;
        double lost = lost_rereads(machine, list, &run, attention, first_far);
        if (!run.immediate)
            first_far = price_memory_share(machine, middle_of_attention(&run));
        for (int i = 0; i < class->n_ops; i++) {
            const struct op *op = &class->ops[i];
            if (op->group == GROUP_NONE) {
                detail_at(machine, op, edges.kv, edges.distance, 0, n, detail);
                continue;
            }
            bool is_ffn = op->group == GROUP_FFN;
            double distance = is_ffn ? middle_of_ffn(&run) : middle_of_attention(&run);
            detail_at(machine, op, is_ffn ? ffn : attention, distance,
                      starts_of_run(machine, &run, distance), n - lost, detail);
            if (lost > 0)
                detail_at(machine, op, machine->dram, INFINITY, 1, lost, detail);
        }
        detail->fixed_ns += (double)run.count * machine->layer_ns;
    }
    reuse_walk_end(&walk);
    for (int i = 0; i < list->n_prologue; i++) {
        bool gathers = list->prologue[i].kind == OP_EMBED;
        detail_at(machine, &list->prologue[i], gathers ? edges.gather : edges.weights,
                  edges.distance + (gathers ? (double)table : 0), starts, 1, detail);
    }
    for (int i = 0; i < list->n_epilogue; i++)
        detail_at(machine, &list->epilogue[i], edges.weights, edges.distance, starts, 1, detail);
    return STATUS_OK;
}

/* A list is moved by pointer only: it may point inside itself. */
static enum status price_list(const struct transformer *net, const struct machine *machine,
                              const struct operator_list *list, struct pass *pass,
                              struct price_detail *detail, struct err *err)
{
    enum status status = STATUS_OK;
    struct block_cost *costs = memory_new((size_t)list->n_classes, sizeof *costs);
    if (!costs)
        return err_set(err, STATUS_NOMEM, "out of memory for %d block classes", list->n_classes);
    for (int c = 0; c < list->n_classes; c++)
        cost_block(machine, &list->classes[c], &costs[c]);
    status = run_pass(machine, list, costs, table_bytes(net), pass, err);
    if (!status && detail)
        status = take_detail(machine, list, table_bytes(net), pass, detail, err);
    memory_free(costs);
    return status;
}

enum status price_network(const struct transformer *net, const struct machine *machine,
                          const struct workload *workload, struct price *out,
                          struct price_detail *detail, struct err *err)
{
    if (workload->prompt < 1 || workload->prompt > net->max_context)
        return err_set(err, STATUS_RANGE, "prompt of %" PRId64 " tokens: '%s' takes 1 to %" PRId64,
                       workload->prompt, net->name, net->max_context);
    if (workload->context < 0 || workload->context >= net->max_context)
        return err_set(err, STATUS_RANGE, "context of %" PRId64 " tokens: '%s' takes 0 to %" PRId64,
                       workload->context, net->name, net->max_context - 1);
    struct operator_list list = {0};
    struct pass prefill, decode;
    enum status status = ops_prefill(net, workload->prompt, &list, err);
    if (status)
        return status;
    int64_t live = live_activation_bytes(net, &list);
    status = price_list(net, machine, &list, &prefill, NULL, err);
    ops_release(&list);
    if (status || (status = ops_decode(net, workload->context, &list, err)))
        return status;
    status = price_list(net, machine, &list, &decode, detail, err);
    ops_release(&list);
    if (!status) {
        struct counted counted;
        count_all(net, &counted);
        finish(net, machine, workload, &counted, &prefill, &decode, live, out);
    }
    return status;
}
