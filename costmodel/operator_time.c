#include "costmodel/operator_time.h"

#include "costmodel/found.h"

static double slowest(double a, double b)
{
    return a > b ? a : b;
}

double price_weight_gbps(const struct machine *machine, const struct op *op, int level)
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

bool operator_beyond_timings(const struct machine *machine, const struct op *op)
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
    return role != ROLE_K && role != ROLE_V && role != ROLE_GATE && role != ROLE_SHARED_GATE &&
           role != ROLE_EXPERT_GATE;
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

static struct op_time timed_matmul(const struct machine *machine, const struct op *op, int level)
{
    struct op_time time = {0};
    const double *ns = machine->timing_ns;
    double rows = (double)(op->m * op->n);
    double columns = makes_input_ready(op->role) ? (double)(op->m * op->k) : 0;
    if (op->m == 1) {
        time.weight_ns = (double)op->weight_bytes / price_weight_gbps(machine, op, level);
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

static struct op_time timed_attention(const struct machine *machine, const struct op *op, int level)
{
    struct op_time time = {0};
    const double *ns = machine->timing_ns;
    double uneven = (double)(heads_of_a_thread(machine, op) * machine->threads) / (double)op->n;
    double flop = (double)op->flop, scores = flop / (double)op->k;
    time.kv_ns = price_cache_ns(machine, op, level, op->kv_read_bytes + op->kv_write_bytes);
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

static struct op_time timed_op(const struct machine *machine, const struct op *op, int level)
{
    struct op_time time = {0};
    if (op->kind == OP_MATMUL)
        time = timed_matmul(machine, op, level);
    else if (op->kind == OP_ATTENTION)
        time = timed_attention(machine, op, level);
    else
        time.activation_ns = (double)(op->m * op->n) * element_ns(machine, op);
    time.busy_ns = time.weight_ns + time.kv_ns + time.activation_ns + time.compute_ns;
    time.adds_up = true;
    return time;
}

static struct op_time roofline_op(const struct machine *machine, const struct op *op, int level)
{
    int near = found_level(machine, op->activation_bytes);
    int64_t kv = op->kv_read_bytes + op->kv_write_bytes;
    struct op_time time = {
        .weight_ns = op->weight_bytes == 0
                         ? 0
                         : (double)op->weight_bytes / price_weight_gbps(machine, op, level),
        .kv_ns = kv == 0 ? 0 : price_cache_ns(machine, op, level, kv),
        .activation_ns = (double)op->activation_bytes / machine->levels[near].read_gbps,
        .compute_ns = (double)op->flop / flop_per_ns(machine, op),
    };
    time.busy_ns =
        slowest(slowest(time.weight_ns, time.kv_ns), slowest(time.activation_ns, time.compute_ns));
    return time;
}

struct op_time operator_time(const struct machine *machine, const struct op *op, int level)
{
    if (!is_timed(machine, op))
        return roofline_op(machine, op, level);
    struct op_time timed = timed_op(machine, op, level);
    if (operator_beyond_timings(machine, op)) {
        struct op_time bound = roofline_op(machine, op, level);
        return bound.busy_ns > timed.busy_ns ? bound : timed;
    }
    return timed;
}

struct op_work price_op_work(const struct machine *machine, const struct op *op)
{
    struct op_time time = operator_time(machine, op, 0);
    if (!time.adds_up)
        return (struct op_work){(double)op->flop / flop_per_ns(machine, op), false};
    return (struct op_work){time.compute_ns + time.activation_ns, true};
}

/* Until the first bytes of a matrix come from memory. */
double operator_start_ns(const struct machine *machine, const struct op *op)
{
    bool starts = op->kind == OP_MATMUL && op->m == 1 && is_timed(machine, op);
    return starts ? machine->timing_ns[TIMING_START + op->dtype] : 0;
}

double price_weight_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes,
                       double memory_share)
{
    double ns = (double)bytes / price_weight_gbps(machine, op, level);
    if (level < machine->dram)
        return ns;
    double starts = memory_share > 0 ? share_of_starts(memory_share) / memory_share : 1;
    return ns + starts * operator_start_ns(machine, op) * (double)bytes / (double)op->weight_bytes;
}

double price_cache_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes)
{
    return uneven_cache(machine, op) * (double)bytes / machine->kv_gbps[level];
}
