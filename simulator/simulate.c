#include "simulator/simulate.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "costmodel/reuse.h"
#include "costmodel/totals.h"
#include "model/count.h"
#include "simulator/engine.h"

/* A token whose time is this close to the line between its neighbours needs no events. What a
 * managed buffer holds depends a little on the way there, so that its times scatter. */
static const double steady_frac = 1e-4, managed_steady_frac = 2e-3;

void simulation_init(struct simulation *simulation)
{
    *simulation =
        (struct simulation){.workload = {.prompt = DEFAULT_PROMPT, .context = DEFAULT_CONTEXT},
                            .tokens = 1,
                            .prefill = true};
}

struct run {
    const struct transformer *net;
    const struct simulation *simulation;
    struct machine machine; /* with the memory that the simulation allows */
    struct tile_map map;
    struct program program;
    struct operator_list list; /* of the program */
    struct engine engine;
    struct weight_bytes bytes;
    int64_t executions;
    struct simulated *out;
    struct err *err;
};

static void emit(struct run *run, int resource, double ns, const char *what, int32_t block,
                 int64_t bytes)
{
    double start_ns = run->engine.now_ns;
    run->engine.now_ns += ns;
    const struct engine_sink *sink = &run->simulation->sink;
    if (sink->span == NULL || !(ns > 0))
        return;
    const struct busy_span span = {resource, start_ns, run->engine.now_ns, NULL, what,
                                   block,    bytes};
    sink->span(sink->context, &span);
}

static void tell_phase(const struct run *run, const char *name)
{
    const struct engine_sink *sink = &run->simulation->sink;
    if (sink->phase != NULL)
        sink->phase(sink->context, name, run->engine.now_ns);
}

/* Reads of one tile each, as many under way as the queue takes. */
static double flash_ns(const struct machine *machine, int64_t bytes, int64_t tile_bytes)
{
    const struct machine_level *flash = &machine->levels[machine->flash];
    double latency_ns = isnan(flash->latency_ns) ? 100000 : flash->latency_ns;
    double queued_gbps = (double)(flash->queue_depth * tile_bytes) / latency_ns;
    return latency_ns + (double)bytes / fmin(flash->read_gbps, queued_gbps);
}

static void load(struct run *run)
{
    const struct machine *machine = &run->machine;
    const struct machine_level *dram = &machine->levels[machine->dram];
    int64_t bytes = run->bytes.total - run->out->stream_bytes;
    double fixed_ns = machine->load_fixed_ns + (double)run->executions * machine->load_layer_ns;
    double from_ns = run->engine.now_ns;
    tell_phase(run, "load");
    emit(run, RESOURCE_DISPATCH, fixed_ns, "load: open and set up", -1, 0);
    switch (run->simulation->load) {
    case LOAD_PROFILE:
        bytes = run->bytes.total;
        emit(run,
             machine->load_gbps <= machine->levels[machine->flash].read_gbps ? RESOURCE_FLASH
                                                                             : RESOURCE_DRAM,
             (double)bytes / machine->load_gbps, "load: read the file", -1, bytes);
        run->out->load_read_bytes = (double)bytes;
        break;
    case LOAD_COLD:
        if (!run->simulation->copied)
            break; /* the first pass will read it */
        emit(run, RESOURCE_FLASH, flash_ns(machine, bytes, run->map.tile_bytes),
             "load: read the file", -1, bytes);
        run->out->load_read_bytes = run->out->load_write_bytes = (double)bytes;
        break;
    case LOAD_WARM:
        if (!run->simulation->copied)
            break;
        emit(run, RESOURCE_DRAM, (double)bytes / dram->read_gbps + (double)bytes / dram->write_gbps,
             "load: copy the file", -1, bytes);
        run->out->load_read_bytes = run->out->load_write_bytes = (double)bytes;
        break;
    }
    run->out->price.load_ns = run->engine.now_ns - from_ns;
}

static void init(struct run *run)
{
    const struct machine *machine = &run->machine;
    int64_t n = run->net->schedule.n_layers, block_bytes = run->bytes.blocks / n;
    double repack = machine->init_gbps > 0 ? 1 / machine->init_gbps : 0;
    double from_ns = run->engine.now_ns;
    tell_phase(run, "init");
    emit(run, RESOURCE_DISPATCH,
         machine->init_fixed_ns + (double)run->executions * machine->init_layer_ns,
         "init: allocate", -1, 0);
    emit(run, RESOURCE_COMPUTE, (double)(run->bytes.total - n * block_bytes) * repack,
         "init: repack tables", -1, 0);
    for (int64_t b = 0; b < n; b++) {
        emit(run, RESOURCE_COMPUTE, (double)block_bytes * repack, "init: repack", (int32_t)b,
             block_bytes);
        emit(run, RESOURCE_DISPATCH, (double)(2 * b + 1) * machine->init_block_sq_ns,
             "init: compile", (int32_t)b, 0);
    }
    run->out->price.init_ns = run->engine.now_ns - from_ns;
}

static enum status run_list(struct run *run, bool told, struct pass_report *report)
{
    enum status status =
        program_build(&run->program, &run->map, &run->list, &run->machine, run->err);
    run->engine.sink = told ? run->simulation->sink : (struct engine_sink){0};
    if (!status)
        status = engine_run(&run->engine, &run->program, report, run->err);
    if (told)
        tell_phase(run, NULL);
    return status;
}

static enum status run_prefill(struct run *run)
{
    enum status status =
        ops_prefill(run->net, run->simulation->workload.prompt, &run->list, run->err);
    if (status)
        return status;
    tell_phase(run, "prefill");
    status = run_list(run, true, &run->out->prefill);
    ops_release(&run->list);
    return status;
}

static enum status run_decode(struct run *run, int64_t context, bool told,
                              struct pass_report *report)
{
    enum status status = ops_decode(run->net, context, &run->list, run->err);
    if (status)
        return status;
    if (told)
        tell_phase(run, "decode");
    status = run_list(run, told, report);
    ops_release(&run->list);
    return status;
}

static bool is_managed(const struct run *run)
{
    return run->engine.chip >= 0 && run->machine.levels[run->engine.chip].policy == POLICY_MANAGED;
}

/* A token in the steady state: the pass before is of the same context. A managed buffer takes a few
 * passes to settle. */
static enum status run_steady(struct run *run, int64_t context, struct pass_report *report)
{
    enum status status = STATUS_OK;
    for (int i = is_managed(run) ? 4 : 2; i > 0 && !status; i--)
        status = run_decode(run, context, false, report);
    return status;
}

struct point {
    double ns, energy_pj;
};

static enum status steady_point(struct run *run, int64_t context, struct point *out)
{
    struct pass_report report;
    enum status status = run_steady(run, context, &report);
    if (status)
        return status;
    *out = (struct point){report.ns, report.energy_pj};
    run->out->tokens_simulated++;
    return STATUS_OK;
}

/* Sum over first .. last of a line through both. */
static double line_sum(double first, double last, int64_t n)
{
    return (first + last) / 2 * (double)n;
}

static void add_line(struct run *run, struct point a, struct point b, int64_t n, bool with_first)
{
    run->out->tokens_ns += line_sum(a.ns, b.ns, n) - (with_first ? 0 : a.ns);
    run->out->tokens_energy_pj +=
        line_sum(a.energy_pj, b.energy_pj, n) - (with_first ? 0 : a.energy_pj);
}

/* Tokens first .. last, both known; adds all but the first. Where the middle is not on the line
 * between them, each half on its own: a cliff is found in as many steps as its place has bits. */
static enum status add_segment(struct run *run, int64_t first, struct point a, int64_t last,
                               struct point b)
{
    if (last - first <= 1) {
        if (last > first)
            add_line(run, a, b, 2, false);
        return STATUS_OK;
    }
    int64_t middle = first + (last - first) / 2;
    struct point m;
    enum status status = steady_point(run, middle, &m);
    if (status)
        return status;
    double share = (double)(middle - first) / (double)(last - first);
    double off = fabs(m.ns - (a.ns + share * (b.ns - a.ns))) / m.ns;
    if (off <= (is_managed(run) ? managed_steady_frac : steady_frac)) {
        run->out->tokens_error_frac = fmax(run->out->tokens_error_frac, off);
        add_line(run, a, m, middle - first + 1, false);
        add_line(run, m, b, last - middle + 1, false);
        return STATUS_OK;
    }
    status = add_segment(run, first, a, middle, m);
    return status ? status : add_segment(run, middle, m, last, b);
}

static enum status run_each_token(struct run *run, int64_t context, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct pass_report report;
        enum status status = run_decode(run, context + i, true, &report);
        if (status)
            return status;
        run->out->tokens_ns += report.ns;
        run->out->tokens_energy_pj += report.energy_pj;
        run->out->tokens_simulated++;
    }
    return STATUS_OK;
}

static enum status run_some_tokens(struct run *run, int64_t context, int64_t n)
{
    if (n <= 1)
        return STATUS_OK;
    struct point a, b;
    enum status status = steady_point(run, context + 1, &a);
    if (status)
        return status;
    status = steady_point(run, context + n - 1, &b);
    if (status)
        return status;
    run->out->tokens_ns += a.ns;
    run->out->tokens_energy_pj += a.energy_pj;
    return add_segment(run, context + 1, a, context + n - 1, b);
}

static enum status run_tokens(struct run *run)
{
    struct simulated *out = run->out;
    int64_t context = run->simulation->workload.context, n = run->simulation->tokens;
    bool exact = run->simulation->exact || run->simulation->sink.span != NULL;
    struct pass_report report;
    enum status status = run_decode(run, context, true, &report);
    if (status)
        return status;
    out->tokens = n;
    out->first_decode_ns = out->tokens_ns = report.ns;
    out->tokens_energy_pj = report.energy_pj;
    out->tokens_simulated = 1;
    status = exact ? run_each_token(run, context, n) : run_some_tokens(run, context, n);
    return status ? status : run_steady(run, context, &out->decode);
}

static enum status check_tokens(const struct transformer *net, const struct simulation *simulation,
                                struct err *err)
{
    if (simulation->tokens < 1 ||
        simulation->workload.context + simulation->tokens > net->max_context)
        return err_set(
            err, STATUS_RANGE, "%" PRId64 " tokens after %" PRId64 ": '%s' takes %" PRId64,
            simulation->tokens, simulation->workload.context, net->name, net->max_context);
    return STATUS_OK;
}

/* What the weights may take of the memory, and what is left over for flash. */
static enum status share_memory(struct run *run, int64_t peak_bytes, int64_t *weight_bytes)
{
    int64_t memory = run->machine.levels[run->machine.dram].capacity_bytes;
    if (run->simulation->memory_bytes > 0)
        memory = run->simulation->memory_bytes;
    int64_t others = peak_bytes - run->bytes.total;
    if (memory <= others)
        return err_set(run->err, STATUS_RANGE,
                       "'%s' needs %" PRId64 " bytes beside its weights, but the memory it may use "
                       "is %" PRId64,
                       run->net->name, others, memory);
    run->machine.levels[run->machine.dram].capacity_bytes = memory;
    *weight_bytes = memory - others;
    if (*weight_bytes < run->bytes.total)
        run->out->stream_bytes = run->simulation->copied
                                     ? run->bytes.total - (*weight_bytes - *weight_bytes / 8)
                                     : run->bytes.total;
    return STATUS_OK;
}

static int gather_level(const struct machine *machine, int64_t distance)
{
    int level = 0;
    while (level < machine->n_levels - 1 && machine->levels[level].capacity_bytes < distance)
        level++;
    return level;
}

static enum status prepare(struct run *run)
{
    struct operator_list prefill = {0};
    const struct workload *workload = &run->simulation->workload;
    const struct machine *machine = &run->machine;
    int64_t weight_bytes = 0;
    enum status status = share_memory(run, run->out->price.peak_bytes, &weight_bytes);
    if (status)
        return status;
    status =
        ops_decode(run->net, workload->context + run->simulation->tokens - 1, &run->list, run->err);
    if (status)
        return status;
    status = ops_prefill(run->net, workload->prompt, &prefill, run->err);
    if (status)
        goto out;
    int64_t pass_bytes = reuse_pass_bytes(&run->list);
    int64_t chip_bytes =
        machine->dram > 0 ? machine->levels[machine->dram - 1].capacity_bytes : INT64_MAX;
    int64_t tile_bytes = run->simulation->tile_bytes;
    if (tile_bytes <= 0)
        tile_bytes = tile_bytes_for(pass_bytes, chip_bytes);
    status = tile_map_init(&run->map, &run->list, &prefill, tile_bytes, run->err);
    if (status)
        goto out;
    run->out->tile_bytes = tile_bytes;
    run->out->n_tiles = run->map.n_tiles;
    bool on_demand = run->simulation->load == LOAD_COLD && !run->simulation->copied;
    bool all = run->out->stream_bytes == 0 && !on_demand;
    status = engine_init(
        &run->engine, machine, &run->map, all ? -1 : weight_bytes,
        run->simulation->copied ? POLICY_PINNED : POLICY_LRU,
        gather_level(machine, pass_bytes + (run->net->tie_embeddings ? 0 : run->bytes.embedding)),
        run->err);
    if (!status)
        status = program_build(&run->program, &run->map, &run->list, machine, run->err);
    if (!status) {
        engine_pin(&run->engine, &run->program, &run->map);
        if (!on_demand)
            engine_fill_dram(&run->engine, &run->program, &run->map);
    }
out:
    ops_release(&prefill);
    ops_release(&run->list);
    return status;
}

enum status simulate(const struct transformer *net, const struct machine *machine,
                     const struct simulation *simulation, struct simulated *out, struct err *err)
{
    *out = (struct simulated){0};
    struct run run = {.net = net,
                      .simulation = simulation,
                      .machine = *machine,
                      .executions = transformer_executions(net),
                      .out = out,
                      .err = err};
    enum status status = price_network(net, machine, &simulation->workload, &out->price, NULL, err);
    if (!status)
        status = check_tokens(net, simulation, err);
    if (status)
        return status;
    transformer_weight_bytes(net, &run.bytes);
    status = prepare(&run);
    if (!status) {
        load(&run);
        init(&run);
        out->price.prefill_ns = NAN;
        out->price.ttft_cold_ns = NAN;
        if (simulation->prefill) {
            status = run_prefill(&run);
            out->price.prefill_ns = out->prefill.ns;
            out->price.ttft_cold_ns =
                out->price.load_ns + out->price.init_ns + out->price.prefill_ns;
        }
    }
    if (!status)
        status = run_tokens(&run);
    price_set_decode(machine, out->decode.ns, &out->price);
    out->price.decode_ns_low = out->price.decode_ns_high = NAN; /* the errors are the estimate's */
    out->price.energy_pj_per_token = out->decode.energy_pj;
    engine_release(&run.engine);
    program_release(&run.program);
    tile_map_release(&run.map);
    return status;
}
