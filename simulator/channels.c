#include "simulator/channels.h"

#include <assert.h>
#include <math.h>

#include "base/memory.h"
#include "costmodel/found.h"
#include "costmodel/operator_time.h"

static const double usual_dram_ns = 100, usual_flash_ns = 100000; /* docs/profiles.md */

static double latency_of(const struct engine *engine, int level)
{
    double ns = engine->machine->levels[level].latency_ns;
    return !isnan(ns) ? ns : level == engine->machine->dram ? usual_dram_ns : usual_flash_ns;
}

static void push(struct engine *engine, struct transfers *queue, struct transfer transfer)
{
    if (engine->status != STATUS_OK)
        return;
    if (queue->head + queue->n == queue->capacity) {
        if (queue->head > queue->n) { /* room in front */
            for (size_t i = 0; i < queue->n; i++)
                queue->items[i] = queue->items[queue->head + i];
            queue->head = 0;
        } else {
            engine->status = memory_grow((void **)&queue->items, &queue->capacity,
                                         queue->capacity + 1, sizeof *queue->items, engine->err);
            if (engine->status != STATUS_OK)
                return;
        }
    }
    queue->items[queue->head + queue->n++] = transfer;
}

static struct transfer take(struct transfers *queue)
{
    assert(queue->n > 0);
    queue->n--;
    struct transfer first = queue->items[queue->head++];
    if (queue->n == 0)
        queue->head = 0;
    return first;
}

/* A channel that rests at the start of a pass counts as idle since long ago. */
void channels_start(struct engine *engine)
{
    assert(engine->dram.urgent.n == 0 && engine->dram.stream.n == 0 && !engine->dram.busy);
    assert(engine->flash.waiting.n == 0 && engine->flash.ready.n == 0 && !engine->flash.busy);
    engine->dram.idle_since_ns = engine->flash.idle_since_ns = -INFINITY;
    engine->dram.writing = false;
}

void channels_release(struct engine *engine)
{
    memory_free(engine->dram.urgent.items);
    memory_free(engine->dram.stream.items);
    memory_free(engine->flash.waiting.items);
    memory_free(engine->flash.ready.items);
}

static bool writes(const struct transfer *transfer)
{
    return transfer->kind == TRANSFER_FILL || transfer->kind == TRANSFER_STORE;
}

/* From when it last resumed to `end_ns`. */
static void emit_dram(struct engine *engine, double end_ns)
{
    static const char *const what[] = {"read", "fill", "store", "spill"};
    const struct transfer *now = &engine->dram.now;
    const struct step *step = now->kind == TRANSFER_STORE || now->kind == TRANSFER_SPILL
                                  ? &engine->program->steps[now->request]
                                  : engine_step_of(engine, now->request);
    if (end_ns > engine->dram.resumed_ns)
        engine_emit(engine, RESOURCE_DRAM, engine->dram.resumed_ns, end_ns, step->op,
                    what[now->kind], step->execution, now->bytes);
}

void dram_next(struct engine *engine)
{
    if (engine->dram.busy || engine->now_ns < engine->quiet_until_ns ||
        engine->dram.urgent.n + engine->dram.stream.n == 0 || engine->status != STATUS_OK)
        return;
    struct pass_report *report = engine->report;
    struct transfer next =
        take(engine->dram.urgent.n > 0 ? &engine->dram.urgent : &engine->dram.stream);
    double wait_ns = 0;
    if (engine->dram.idle_since_ns < engine->now_ns)
        wait_ns = latency_of(engine, engine->machine->dram);
    if (engine->dram.writing != writes(&next))
        next.ns += engine->machine->levels[engine->machine->dram].turnaround_ns;
    engine->dram.writing = writes(&next);
    engine->dram.now = next;
    engine->dram.busy = true;
    engine->dram.resumed_ns = engine->now_ns + wait_ns;
    engine->dram.done_ns = engine->dram.resumed_ns + next.ns;
    report->exposed_ns += wait_ns;
    report->busy_ns[RESOURCE_DRAM] += next.ns;
    report->moved_bytes[RESOURCE_DRAM] += next.bytes;
    engine_schedule(engine, engine->dram.done_ns, EVENT_DRAM_DONE, ++engine->dram.ticket);
}

void dram_enqueue(struct engine *engine, bool urgent, struct transfer transfer)
{
    push(engine, urgent ? &engine->dram.urgent : &engine->dram.stream, transfer);
    dram_next(engine);
}

void dram_read_tile(struct engine *engine, int32_t request)
{
    const struct machine *machine = engine->machine;
    const struct step *step = engine_step_of(engine, request);
    const struct op *op = step->op;
    const struct request *r = &engine->program->requests[request];
    double ns = r->is_cache ? price_cache_ns(machine, op, machine->dram, r->bytes)
                            : price_weight_ns(machine, op, machine->dram, r->bytes,
                                              price_memory_share(machine, step->reuse_bytes));
    dram_enqueue(engine, false, (struct transfer){TRANSFER_READ, request, ns, r->bytes});
}

void dram_pause(struct engine *engine, double until_ns)
{
    if (!engine->dram.busy)
        return;
    double pause_ns = until_ns - engine->now_ns;
    if (engine->dram.resumed_ns < engine->now_ns) {
        emit_dram(engine, engine->now_ns);
        engine->dram.resumed_ns = until_ns;
    } else {
        engine->dram.resumed_ns += pause_ns;
    }
    engine->dram.done_ns += pause_ns;
    engine_schedule(engine, engine->dram.done_ns, EVENT_DRAM_DONE, ++engine->dram.ticket);
}

bool dram_done(struct engine *engine, int32_t ticket, struct transfer *out)
{
    if (!engine->dram.busy || ticket != engine->dram.ticket)
        return false;
    emit_dram(engine, engine->now_ns);
    engine->dram.busy = false;
    engine->dram.idle_since_ns = engine->now_ns;
    *out = engine->dram.now;
    dram_next(engine);
    return true;
}

static void send_commands(struct engine *engine)
{
    const struct machine_level *flash = &engine->machine->levels[engine->machine->flash];
    while (engine->flash.under_way < flash->queue_depth && engine->flash.waiting.n > 0) {
        struct transfer next = take(&engine->flash.waiting);
        engine->flash.under_way++;
        engine_schedule(engine, engine->now_ns + latency_of(engine, engine->machine->flash),
                        EVENT_FLASH_READY, next.request);
    }
}

static int64_t flash_bytes(const struct engine *engine, int32_t request)
{
    const struct request *r = &engine->program->requests[request];
    const struct step *step = engine_step_of(engine, request);
    int64_t page = engine->machine->levels[engine->machine->flash].page_bytes;
    int64_t rows = r->tile < 0 ? step->op->m : 1; /* gathered rows lie apart */
    return rows * ((r->bytes / rows + page - 1) / page * page);
}

static void carry_next(struct engine *engine)
{
    if (engine->flash.busy || engine->flash.ready.n == 0)
        return;
    int32_t request = engine->flash.ready.items[engine->flash.ready.head].request;
    const struct op *op = engine_step_of(engine, request)->op;
    int64_t bytes = flash_bytes(engine, request);
    double ns = (double)bytes / price_weight_gbps(engine->machine, op, engine->machine->flash);
    engine->report->exposed_ns += fmin(engine->now_ns - engine->flash.idle_since_ns,
                                       latency_of(engine, engine->machine->flash));
    engine->flash.busy = true;
    engine->report->busy_ns[RESOURCE_FLASH] += ns;
    engine->report->moved_bytes[RESOURCE_FLASH] += bytes;
    engine_emit(engine, RESOURCE_FLASH, engine->now_ns, engine->now_ns + ns, op, "read",
                engine_step_of(engine, request)->execution, bytes);
    engine_schedule(engine, engine->now_ns + ns, EVENT_FLASH_DONE, request);
}

void flash_enqueue(struct engine *engine, int32_t request)
{
    push(engine, &engine->flash.waiting, (struct transfer){.request = request});
    send_commands(engine);
}

void flash_ready(struct engine *engine, int32_t request)
{
    push(engine, &engine->flash.ready, (struct transfer){.request = request});
    carry_next(engine);
}

/* What arrived is written to DRAM and read from there. */
void flash_done(struct engine *engine, int32_t request)
{
    const struct machine_level *dram = &engine->machine->levels[engine->machine->dram];
    int64_t bytes = engine->program->requests[request].bytes;
    engine->flash.busy = false;
    engine->flash.idle_since_ns = engine->now_ns;
    engine->flash.under_way--;
    take(&engine->flash.ready);
    send_commands(engine);
    carry_next(engine);
    dram_enqueue(
        engine, false,
        (struct transfer){TRANSFER_FILL, request, (double)bytes / dram->write_gbps, bytes});
    dram_read_tile(engine, request);
}
