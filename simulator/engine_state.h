/* The state of the simulated machine. Three files change it: engine.c runs the operators, fetch.c
 * asks for their tiles, channels.c carries them. */
#ifndef LATHE_SIMULATOR_ENGINE_STATE_H
#define LATHE_SIMULATOR_ENGINE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "costmodel/operator_time.h"
#include "device/machine.h"
#include "simulator/engine_sink.h"
#include "simulator/event_queue.h"
#include "simulator/program.h"
#include "simulator/tile_buffer.h"

enum event_kind {
    EVENT_DISPATCHED,  /* step */
    EVENT_DRAM_DONE,   /* ticket */
    EVENT_FLASH_READY, /* request: its command has been served */
    EVENT_FLASH_DONE,  /* request */
    EVENT_TILE_READ,   /* request: its port is done with it */
    EVENT_STEP_DONE,   /* step */
};

struct transfer {
    enum {
        TRANSFER_READ,  /* a request's tile to the buffer */
        TRANSFER_FILL,  /* a request's tile from flash into DRAM */
        TRANSFER_STORE, /* KV rows */
        TRANSFER_SPILL, /* activations */
    } kind;
    int32_t request; /* or the step, for the last two */
    double ns;
    int64_t bytes;
};

struct transfers {
    struct transfer *items;
    size_t head, n, capacity;
};

/* Where a request's tile came from. */
struct tile_source {
    int8_t level;
    bool again; /* the buffer holds it, but it counts as lost and comes from DRAM once more */
};

struct engine {
    const struct machine *machine; /* borrowed */
    struct engine_sink sink;
    int chip; /* the buffer: the last level above DRAM, -1 without one */
    bool dram_holds_all;
    int gather_level;                       /* where rows of the token table come from */
    struct tile_buffer buffers[MAX_LEVELS]; /* [0 .. chip], and [dram] unless it holds all */
    double now_ns;

    /* Of the pass that runs. */
    const struct program *program;
    struct pass_report *report;
    struct event_queue events;
    enum status status;
    struct err *err;
    struct tile_source *source; /* [n_requests] */
    double *arrival_ns;         /* [n_requests], when it was there; infinite before */
    size_t source_capacity, arrival_capacity;
    int32_t step, next_read, next_fetch; /* step and requests */
    bool step_runs, fetch_stalled, spill_pending;
    int64_t held_bytes;
    int32_t *streamed_by;     /* [tiles]: execution that had it from DRAM just now, or -1 */
    double lost_share;        /* re-reads still to be lost, carried from tile to tile */
    struct op_work step_work; /* of the step that runs */
    double step_begin_ns, step_ready_ns, step_end_ns;
    double step_data_ns, step_port_ns; /* the step was bound by data until, by ports until */
    double port_free_ns[MAX_LEVELS], vectors_free_ns, compute_begin_ns, compute_free_ns;
    double quiet_until_ns; /* end of a dispatch: nothing moves before */
    struct {
        struct transfers urgent, stream;
        struct transfer now;
        bool busy, writing;
        double resumed_ns, done_ns, idle_since_ns;
        int32_t ticket;
    } dram;
    struct {
        struct transfers waiting, ready;
        int under_way;
        bool busy;
        double idle_since_ns;
    } flash;
};

/* The three below run several times a tile: in line. */

/* Nothing happens after an error: the first stays in engine->status. */
static inline void engine_schedule(struct engine *engine, double at_ns, enum event_kind kind,
                                   int32_t what)
{
    if (engine->status == STATUS_OK)
        engine->status = event_schedule(&engine->events, at_ns, (int)kind, what, engine->err);
}

/* Tells the sink, unless nobody listens or it took no time. what: NULL for the operator's role */
static inline void engine_emit(struct engine *engine, int resource, double start_ns, double end_ns,
                               const struct op *op, const char *what, int32_t execution,
                               int64_t bytes)
{
    if (engine->sink.span == NULL || !(end_ns > start_ns))
        return;
    const struct busy_span span = {
        resource, start_ns, end_ns, op, what ? what : op_role_name(op->role), execution, bytes};
    engine->sink.span(engine->sink.context, &span);
}

static inline const struct step *engine_step_of(const struct engine *engine, int32_t request)
{
    return &engine->program->steps[engine->program->requests[request].step];
}

#endif
