/* The machine at work: one pass of a network, event by event.
 *
 * Resources, each busy with one thing at a time and serving in order:
 *   flash     commands overlap up to its queue depth, the bus carries one read after another, in
 *             whole pages
 *   dram      one channel for reads, writes and what arrives from flash; the first transfer after
 *             idling waits for the latency, a change of direction for the turn-around
 *   ports     one per level above DRAM: weights and KV cache on their way to the compute units
 *   vectors   activations at the level that holds them; at a level with one port, that port
 *   compute   the operators' FLOPs at the peak of their type
 *   dispatch  what an operator, block and pass cost to start. Nothing else moves meanwhile, except
 *             flash: Table 7 of MobileLLM shows a cost per executed block that no stream hides
 *
 * The requests of a program are issued in order. A tile that no level above DRAM holds needs room
 * in the last of these (the buffer) before it is fetched, and keeps it until its compute reads it.
 * With overlap_frac 0 requests run ahead of the compute within an operator only; above, as far as
 * there is room, at most that share of the buffer. A tile is read by its port while the one before
 * is computed (double buffering). Operators follow one another: each needs the one before.
 *
 * Activations that no level above DRAM can hold go through DRAM, before anything that is
 * prefetched. KV rows are written to DRAM without anybody waiting for them.
 *
 * What it cannot show: heat and clocks, address conflicts, other programs. */
#ifndef LATHE_SIMULATOR_ENGINE_H
#define LATHE_SIMULATOR_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "device/device.h"
#include "model/ops.h"
#include "simulator/event_queue.h"
#include "simulator/program.h"
#include "simulator/tile_buffer.h"

enum resource {
    RESOURCE_FLASH,
    RESOURCE_DRAM,
    RESOURCE_VECTORS,
    RESOURCE_COMPUTE,
    RESOURCE_DISPATCH,
    RESOURCE_PORT, /* + level */
    N_RESOURCES = RESOURCE_PORT + MAX_LEVELS - 2,
};
/* "flash", "dram", "vectors", "compute", "dispatch", the level's name; NULL: the machine has none.
 */
const char *resource_name(const struct machine *machine, int resource);

/* What an operator's time is bound by, first to last: its critical path. The parts add up to all of
 * its time. */
enum bound {
    BOUND_DISPATCH,
    BOUND_FLASH, /* data on their way from flash */
    BOUND_DRAM,  /* data on their way from DRAM; activations that had to go there */
    BOUND_PORT,  /* data on their way from a level above */
    BOUND_COMPUTE,
    BOUND_VECTORS, /* activations, when all else is done */
    N_BOUNDS,
};
const char *bound_name(enum bound bound);

struct use {
    double ns; /* from the end of the operator before to its own */
    double bound_ns[N_BOUNDS];
    int64_t level_bytes[MAX_LEVELS]; /* weights and KV cache read, by the level they came from */
    int64_t activation_bytes[MAX_LEVELS];
    int64_t kv_write_bytes, flop;
};

/* One or several passes. */
struct pass_report {
    double start_ns, end_ns;
    double ns; /* of all passes */
    double busy_ns[N_RESOURCES];
    double exposed_ns;                   /* latencies that the channels of DRAM and flash idled */
    int64_t moved_bytes[N_RESOURCES];    /* by the channels of flash and DRAM and the ports */
    int64_t required_bytes;              /* weights and KV cache that the operators read */
    int64_t held_peak_bytes;             /* most that was fetched and waited to be read */
    struct use total, roles[N_OP_ROLES]; /* total: the roles' sum */
    double energy_pj;                    /* NaN: a level that was used has no energy */
    double level_energy_pj[MAX_LEVELS];  /* weights, KV cache and activations */
    double compute_energy_pj;
};
/* Adds `from` to `into`, which starts as = {0}. */
void pass_report_add(struct pass_report *into, const struct pass_report *from);

/* A resource at work from start to end, or one part of it. */
struct span {
    int resource;
    double start_ns, end_ns;
    const struct op *op; /* NULL: a loader's */
    const char *what;    /* "q", "read", "write", ... */
    int32_t execution;   /* -1: outside the blocks */
    int64_t bytes;       /* moved, or flop for compute; 0 for dispatch */
};

/* Where a run is told as it happens; each may be NULL. Spans of one resource come in order. */
struct sink {
    void *context;
    /* "load", "init", "prefill", "decode" as they begin; NULL as a pass ends: what the spans of a
     * pass point at is gone after that. */
    void (*phase)(void *context, const char *name, double at_ns);
    void (*span)(void *context, const struct span *span);
    /* Bytes in the buffer, and how many of them are waiting to be read. */
    void (*occupancy)(void *context, double at_ns, int64_t used_bytes, int64_t held_bytes);
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

struct engine {
    const struct machine *machine; /* borrowed */
    struct sink sink;
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
    struct source {
        int8_t level;
        bool again;     /* the buffer has it, but it comes from DRAM once more (is_lost) */
    } * source;         /* [n_requests], */
    double *arrival_ns; /* [n_requests]: and when it was there; infinite before */
    size_t source_capacity, arrival_capacity;
    int32_t step, next_read, next_fetch; /* step and requests */
    bool step_runs, fetch_stalled, spill_pending;
    int64_t held_bytes;
    int32_t *streamed_by; /* [tiles]: execution that had it from DRAM just now, or -1 */
    double lost_share;    /* of the re-reads that are to be lost, those that were not yet */
    double step_begin_ns, step_ready_ns, step_end_ns;
    double step_data_ns, step_port_ns; /* bound by data until, by ports until */
    double port_free_ns[MAX_LEVELS], vectors_free_ns, compute_begin_ns, compute_free_ns;
    double quiet_until_ns; /* a dispatch */
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

/* `machine` is borrowed; the tiles are those of `map`. The buffers are empty.
 *   dram_bytes  what DRAM may hold of the weights; < 0: all. Smaller: the rest comes from flash in
 *               every pass
 *   dram_policy lru (a mapped file) or pinned (copied into memory of the process's own)
 *   gather      level that rows of the token table are gathered from
 * Errors: STATUS_NOMEM. Release with engine_release, also after an error. */
enum status engine_init(struct engine *engine, const struct machine *machine,
                        const struct tile_map *map, int64_t dram_bytes,
                        enum level_policy dram_policy, int gather, struct err *err);
void engine_release(struct engine *engine);

/* Pinned policies: chooses what stays, by uses in `program`, then in its order. Before the first
 * pass; the tiles are fetched when they are first used. */
void engine_pin(struct engine *engine, const struct program *program, const struct tile_map *map);
/* DRAM then holds what a loader leaves that read the weights of `program` once, in order. */
void engine_fill_dram(struct engine *engine, const struct program *program,
                      const struct tile_map *map);

/* Runs the pass from engine->now_ns, which it moves on; what the buffers hold stays for the next
 * pass. `out` is set. Errors: STATUS_NOMEM. */
enum status engine_run(struct engine *engine, const struct program *program,
                       struct pass_report *out, struct err *err);

#endif
