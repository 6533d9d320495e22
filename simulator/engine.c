#include "simulator/engine.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "costmodel/found.h"
#include "costmodel/operator_time.h"
#include "simulator/channels.h"
#include "simulator/fetch.h"

enum { LEAST_TILES = 4 };

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum status engine_init(struct engine *engine, const struct machine *machine,
                        const struct tile_map *map, int64_t dram_bytes,
                        enum level_policy dram_policy, int gather, struct err *err)
{
    *engine = (struct engine){.machine = machine,
                              .chip = machine->dram - 1,
                              .dram_holds_all = dram_bytes < 0,
                              .gather_level = gather};
    engine->streamed_by = memory_new((size_t)map->n_tiles + 1, sizeof *engine->streamed_by);
    enum status status =
        engine->streamed_by ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for tiles");
    for (int32_t tile = 0; tile < map->n_tiles && !status; tile++)
        engine->streamed_by[tile] = -1;
    for (int level = 0; level < machine->dram && !status; level++) {
        bool buffer = level == engine->chip;
        int64_t bytes = machine->levels[level].capacity_bytes;
        /* A cache that loses a long walk little by little: what it has lost comes again (is_lost).
         */
        bytes = larger(bytes, machine->levels[level].spill_bytes[N_SPILL - 1]);
        if (buffer)
            bytes = larger(bytes, LEAST_TILES * map->tile_bytes);
        status = tile_buffer_init(&engine->buffers[level],
                                  buffer ? machine->levels[level].policy : POLICY_LRU, bytes,
                                  map->n_tiles, err);
    }
    if (!status && dram_bytes >= 0)
        status =
            tile_buffer_init(&engine->buffers[machine->dram], dram_policy,
                             larger(dram_bytes, LEAST_TILES * map->tile_bytes), map->n_tiles, err);
    return status;
}

void engine_release(struct engine *engine)
{
    for (int level = 0; level < MAX_LEVELS; level++)
        tile_buffer_release(&engine->buffers[level]);
    event_queue_release(&engine->events);
    channels_release(engine);
    memory_free(engine->streamed_by);
    memory_free(engine->source);
    memory_free(engine->arrival_ns);
    *engine = (struct engine){0};
}

void engine_pin(struct engine *engine, const struct program *program, const struct tile_map *map)
{
    /* By uses: tiles read again within the pass first. */
    int64_t n = (int64_t)program->n_requests;
    for (int level = 0; level <= engine->machine->dram; level++) {
        struct tile_buffer *buffer = &engine->buffers[level];
        if (buffer->slots == NULL || buffer->policy != POLICY_PINNED)
            continue;
        int64_t stream_bytes = larger(buffer->capacity_bytes / 8, LEAST_TILES * map->tile_bytes);
        for (int round = 0; round < 2; round++)
            for (int64_t r = 0; r < n; r++) {
                const struct request *request = &program->requests[r];
                bool again = request->next_use < n;
                if (request->tile >= 0 && request->tile < map->n_weight_tiles &&
                    again == (round == 0))
                    tile_buffer_pin(buffer, request->tile, (int32_t)request->bytes, stream_bytes);
            }
    }
}

void engine_fill_dram(struct engine *engine, const struct program *program,
                      const struct tile_map *map)
{
    for (size_t r = 0; r < program->n_requests && !engine->dram_holds_all; r++) {
        const struct request *request = &program->requests[r];
        if (request->tile >= 0 && request->tile < map->n_weight_tiles)
            fetch_dram_has(engine, request);
    }
}

static void tell_occupancy(struct engine *engine)
{
    if (engine->sink.occupancy == NULL)
        return;
    int64_t used = engine->held_bytes;
    if (engine->chip >= 0)
        used =
            engine->buffers[engine->chip].used_bytes + engine->buffers[engine->chip].pinned_bytes;
    engine->sink.occupancy(engine->sink.context, engine->now_ns, used, engine->held_bytes);
}

static double later(double a, double b)
{
    return a > b ? a : b;
}

/* The fastest level whose capacity holds the activations. */
static int near_level(const struct machine *machine, int64_t bytes)
{
    int level = 0;
    while (level < machine->dram && machine->levels[level].capacity_bytes < bytes)
        level++;
    return level;
}

/* How long a tile takes at the port. A re-read tile interrupts a run of hits: nothing reads ahead
 * for it, so it pays the full latency. */
static double read_ns(const struct engine *engine, int32_t position, int port)
{
    const struct machine *machine = engine->machine;
    const struct request *request = &engine->program->requests[position];
    const struct step *step = engine_step_of(engine, position);
    const struct op *op = step->op;
    struct tile_source source = engine->source[position];
    if (request->is_cache)
        return price_cache_ns(machine, op, source.again ? source.level : port, request->bytes);
    if (source.level == port || source.again)
        return price_weight_ns(machine, op, source.level, request->bytes,
                               price_memory_share(machine, step->reuse_bytes));
    return (double)request->bytes / price_weight_gbps(machine, op, port); /* passes by */
}

/* `share` of a step's activations, from `ready_ns` on, beside its compute. */
static void move_vectors(struct engine *engine, const struct step *step, double share,
                         double ready_ns)
{
    const struct machine *machine = engine->machine;
    int near = near_level(machine, step->op->activation_bytes);
    if (near >= machine->dram || step->op->activation_bytes == 0)
        return;
    bool own = machine->levels[near].ports > 1;
    int resource = own ? RESOURCE_VECTORS : RESOURCE_PORT + near;
    double *free_ns = own ? &engine->vectors_free_ns : &engine->port_free_ns[near];
    double bytes = share * (double)step->op->activation_bytes;
    double begin_ns = later(ready_ns, *free_ns), ns = bytes / machine->levels[near].read_gbps;
    *free_ns = begin_ns + ns;
    engine->report->busy_ns[resource] += ns;
    engine_emit(engine, resource, begin_ns, *free_ns, step->op, NULL, step->execution,
                (int64_t)bytes);
    engine->step_end_ns = later(engine->step_end_ns, *free_ns);
}

/* What the operator's time so far is bound by, going back from its latest tile: the wait for data
 * until the last tile that its port had to wait for, then ports until the last tile that the
 * compute unit had to wait for, then compute. */
static void account_tile(struct engine *engine, struct use *use, int source, double data_ns,
                         bool port_waited, double port_end_ns, bool compute_waited)
{
    if (port_waited) {
        enum bound bound = source == engine->machine->flash  ? BOUND_FLASH
                           : source == engine->machine->dram ? BOUND_DRAM
                                                             : BOUND_PORT;
        use->bound_ns[bound] += data_ns - engine->step_data_ns;
        engine->step_data_ns = engine->step_port_ns = data_ns;
    }
    if (compute_waited)
        engine->step_port_ns = port_end_ns;
}

static void compute(struct engine *engine, const struct step *step, double share, double begin_ns)
{
    double ns = share * engine->step_work.compute_ns;
    engine->compute_begin_ns = begin_ns;
    engine->compute_free_ns = begin_ns + ns;
    engine->step_ready_ns = engine->compute_free_ns;
    engine->step_end_ns = later(engine->step_end_ns, engine->compute_free_ns);
    engine->report->busy_ns[RESOURCE_COMPUTE] += ns;
    engine_emit(engine, RESOURCE_COMPUTE, begin_ns, engine->compute_free_ns, step->op, NULL,
                step->execution, (int64_t)(share * (double)step->op->flop));
}

/* The tile of request `position` has arrived: through the port, then the compute unit. */
static void read_one(struct engine *engine, int32_t position)
{
    const struct machine *machine = engine->machine;
    const struct request *request = &engine->program->requests[position];
    const struct step *step = engine_step_of(engine, position);
    struct use *use = &engine->report->roles[step->op->role];
    int source = engine->source[position].level;
    int port = source < machine->dram ? source : engine->chip;
    bool whole = engine->step_work.adds_up; /* timed on a core */
    int64_t all = step->op->weight_bytes + step->op->kv_read_bytes;
    double share = (double)request->bytes / (double)all;
    double data_ns = later(engine->arrival_ns[position], engine->step_begin_ns), end_ns = data_ns;
    bool port_waited = data_ns > later(engine->step_data_ns, engine->compute_free_ns);
    if (port >= 0) {
        double begin_ns = later(engine->port_free_ns[port], engine->compute_begin_ns);
        double ns = read_ns(engine, position, port);
        /* A core takes in lines as they come; an accelerator's buffer hands on whole tiles. */
        begin_ns = later(begin_ns, whole ? data_ns - ns : data_ns);
        port_waited = data_ns > later(engine->step_data_ns, engine->port_free_ns[port]);
        end_ns = engine->port_free_ns[port] = begin_ns + ns;
        engine->report->busy_ns[RESOURCE_PORT + port] += ns;
        engine->report->moved_bytes[RESOURCE_PORT + port] += request->bytes;
        engine_emit(engine, RESOURCE_PORT + port, begin_ns, end_ns, step->op, NULL, step->execution,
                    request->bytes);
    }
    double begin_ns = later(end_ns, engine->compute_free_ns);
    account_tile(engine, use, source, data_ns, port_waited, end_ns,
                 end_ns > engine->compute_free_ns);
    use->level_bytes[source] += request->bytes;
    engine->report->required_bytes += request->bytes;
    compute(engine, step, whole ? 0 : share, begin_ns);
    if (!whole)
        move_vectors(engine, step, share, data_ns);
    engine_schedule(engine, end_ns, EVENT_TILE_READ, position);
}

/* All tiles read and all activations there: the operator's end is known. */
static void finish_step(struct engine *engine)
{
    const struct step *step = &engine->program->steps[engine->step];
    if (!engine->step_runs || engine->spill_pending ||
        engine->next_read < step->first_request + step->n_requests)
        return;
    bool adds_up = engine->step_work.adds_up;
    if (adds_up || step->n_requests == 0) {
        double begin_ns = later(engine->step_ready_ns, engine->step_begin_ns);
        compute(engine, step, 1, begin_ns);
        if (!adds_up)
            move_vectors(engine, step, 1, begin_ns);
    }
    engine->step_runs = false;
    engine->step_end_ns = later(engine->step_end_ns, engine->now_ns);
    engine_schedule(engine, engine->step_end_ns, EVENT_STEP_DONE, engine->step);
}

static void read_arrived(struct engine *engine)
{
    if (!engine->step_runs)
        return;
    const struct step *step = &engine->program->steps[engine->step];
    int32_t end = step->first_request + step->n_requests;
    while (engine->next_read < end && engine->next_read < engine->next_fetch &&
           engine->arrival_ns[engine->next_read] <= engine->now_ns)
        read_one(engine, engine->next_read++);
    finish_step(engine);
}

static void start_step(struct engine *engine)
{
    const struct step *step = &engine->program->steps[engine->step];
    engine->step_runs = true;
    engine->step_work = price_op_work(engine->machine, step->op);
    engine->step_begin_ns = engine->step_end_ns = engine->now_ns;
    engine->step_data_ns = engine->step_port_ns = engine->now_ns;
    engine->step_ready_ns = step->n_requests > 0 ? engine->now_ns : -INFINITY;
    int near = near_level(engine->machine, step->op->activation_bytes);
    engine->spill_pending = near >= engine->machine->dram && !engine->step_work.adds_up;
    if (engine->spill_pending) {
        double ns = (double)step->op->activation_bytes /
                    engine->machine->levels[engine->machine->dram].read_gbps;
        dram_enqueue(
            engine, true,
            (struct transfer){TRANSFER_SPILL, engine->step, ns, step->op->activation_bytes});
    }
    fetch_tiles(engine);
    read_arrived(engine);
}

static void dispatch(struct engine *engine)
{
    const struct step *step = &engine->program->steps[engine->step];
    double ns = step->dispatch_ns;
    tell_occupancy(engine);
    if (ns <= 0) {
        start_step(engine);
        return;
    }
    engine->quiet_until_ns = engine->now_ns + ns;
    dram_pause(engine, engine->quiet_until_ns);
    engine->report->busy_ns[RESOURCE_DISPATCH] += ns;
    engine->report->roles[step->op->role].bound_ns[BOUND_DISPATCH] += ns;
    engine_emit(engine, RESOURCE_DISPATCH, engine->now_ns, engine->quiet_until_ns, step->op,
                "dispatch", step->execution, 0);
    engine_schedule(engine, engine->quiet_until_ns, EVENT_DISPATCHED, engine->step);
}

static void end_step(struct engine *engine)
{
    const struct machine *machine = engine->machine;
    const struct step *step = &engine->program->steps[engine->step];
    struct use *use = &engine->report->roles[step->op->role];
    bool spilled = near_level(machine, step->op->activation_bytes) >= machine->dram;
    double computed_ns = later(engine->step_ready_ns, engine->step_begin_ns);
    use->bound_ns[BOUND_PORT] += engine->step_port_ns - engine->step_data_ns;
    use->bound_ns[BOUND_COMPUTE] += computed_ns - engine->step_port_ns;
    use->bound_ns[spilled ? BOUND_DRAM : BOUND_VECTORS] += engine->now_ns - computed_ns;
    use->ns += engine->now_ns - engine->step_begin_ns + step->dispatch_ns;
    use->flop += step->op->flop;
    use->kv_write_bytes += step->op->kv_write_bytes;
    use->activation_bytes[near_level(machine, step->op->activation_bytes)] +=
        step->op->activation_bytes;
    if (step->op->kv_write_bytes > 0)
        dram_enqueue(engine, true,
                     (struct transfer){TRANSFER_STORE, engine->step,
                                       (double)step->op->kv_write_bytes /
                                           machine->levels[machine->dram].write_gbps,
                                       step->op->kv_write_bytes});
    if (++engine->step < (int32_t)engine->program->n_steps)
        dispatch(engine);
}

static void tile_read(struct engine *engine, int32_t position)
{
    const struct request *request = &engine->program->requests[position];
    engine->held_bytes -= request->bytes;
    if (engine->chip >= 0 && request->tile >= 0 && engine->status == STATUS_OK)
        engine->status =
            tile_buffer_read(&engine->buffers[engine->chip], request->tile, engine->err);
    if (engine->fetch_stalled)
        fetch_tiles(engine);
    read_arrived(engine);
}

static void transfer_done(struct engine *engine, int32_t ticket)
{
    struct transfer done;
    if (!dram_done(engine, ticket, &done))
        return;
    if (done.kind == TRANSFER_READ)
        engine->arrival_ns[done.request] = engine->now_ns;
    if (done.kind == TRANSFER_SPILL)
        engine->spill_pending = false;
    read_arrived(engine);
}

static void handle(struct engine *engine, const struct event *event)
{
    switch ((enum event_kind)event->kind) {
    case EVENT_DISPATCHED:
        start_step(engine);
        dram_next(engine);
        break;
    case EVENT_DRAM_DONE:
        transfer_done(engine, event->what);
        break;
    case EVENT_FLASH_READY:
        flash_ready(engine, event->what);
        break;
    case EVENT_FLASH_DONE:
        flash_done(engine, event->what);
        break;
    case EVENT_TILE_READ:
        tile_read(engine, event->what);
        break;
    case EVENT_STEP_DONE:
        end_step(engine);
        break;
    }
}

/* A managed buffer learns when the tiles it holds are needed in this pass. */
static enum status expect_program(struct engine *engine, struct err *err)
{
    enum status status = STATUS_OK;
    if (engine->chip < 0 || engine->buffers[engine->chip].policy != POLICY_MANAGED)
        return STATUS_OK;
    struct tile_buffer *buffer = &engine->buffers[engine->chip];
    tile_buffer_forget(buffer);
    for (int32_t tile = 0; tile < buffer->n_tiles && !status; tile++) {
        int32_t first = engine->program->first_use[tile];
        if (tile_buffer_has(buffer, tile))
            status = tile_buffer_expect(buffer, tile, first == NEVER_USED ? INT64_MAX : first, err);
    }
    return status;
}

static enum status begin_pass(struct engine *engine, const struct program *program,
                              struct pass_report *report, struct err *err)
{
    *report = (struct pass_report){.start_ns = engine->now_ns};
    engine->program = program;
    engine->report = report;
    engine->status = STATUS_OK;
    engine->err = err;
    engine->step = engine->next_read = engine->next_fetch = 0;
    engine->step_runs = engine->fetch_stalled = engine->spill_pending = false;
    engine->held_bytes = 0;
    engine->vectors_free_ns = engine->compute_begin_ns = engine->compute_free_ns =
        engine->quiet_until_ns = engine->now_ns;
    for (int level = 0; level < MAX_LEVELS; level++)
        engine->port_free_ns[level] = engine->now_ns;
    channels_start(engine);
    enum status status = memory_grow((void **)&engine->source, &engine->source_capacity,
                                     program->n_requests + 1, sizeof *engine->source, err);
    if (!status)
        status = memory_grow((void **)&engine->arrival_ns, &engine->arrival_capacity,
                             program->n_requests + 1, sizeof *engine->arrival_ns, err);
    return status ? status : expect_program(engine, err);
}

enum status engine_run(struct engine *engine, const struct program *program,
                       struct pass_report *out, struct err *err)
{
    enum status status = begin_pass(engine, program, out, err);
    if (status)
        return status;
    if (program->n_steps > 0)
        dispatch(engine);
    while (engine->events.n > 0 && engine->status == STATUS_OK) {
        struct event event = event_take(&engine->events);
        engine->now_ns = event.at_ns;
        handle(engine, &event);
    }
    assert(engine->status != STATUS_OK || engine->step == (int32_t)program->n_steps);
    tell_occupancy(engine);
    out->end_ns = engine->now_ns;
    out->ns = out->end_ns - out->start_ns;
    pass_report_finish(engine->machine, out);
    return engine->status;
}
