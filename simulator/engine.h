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
 * Requests of a program are issued in order. The last level above DRAM is the buffer. A tile that
 * no level above DRAM holds needs room in the buffer before it is fetched, and keeps it until its
 * compute reads it. With overlap_frac 0 requests run ahead of the compute within an operator only.
 * With more they run ahead as far as there is room in that share of the buffer. A tile is read by
 * its port while the one before is computed (double buffering). An operator begins when the one
 * before has ended.
 *
 * Activations that no level above DRAM can hold go through DRAM, before anything that is
 * prefetched. KV rows are written to DRAM and nothing waits for them.
 *
 * What it cannot show: heat and clocks, address conflicts, other programs. */
#ifndef LATHE_SIMULATOR_ENGINE_H
#define LATHE_SIMULATOR_ENGINE_H

#include "simulator/engine_state.h"

/* `machine` is borrowed; the tiles are those of `map`. The buffers are empty.
 *   dram_bytes  weights that DRAM may hold; the rest comes from flash in every pass. < 0: all
 *   dram_policy lru (a mapped file) or pinned (copied into memory of the process's own)
 *   gather      level that rows of the token table are gathered from
 * Errors: STATUS_NOMEM. Release with engine_release, also after an error. */
enum status engine_init(struct engine *engine, const struct machine *machine,
                        const struct tile_map *map, int64_t dram_bytes,
                        enum level_policy dram_policy, int gather, struct err *err);
void engine_release(struct engine *engine);

/* Pinned policies: chooses the tiles that stay, in the order of `program`, those that it reads more
 * than once first. Call it before the first pass; the tiles are fetched when they are first used.
 */
void engine_pin(struct engine *engine, const struct program *program, const struct tile_map *map);
/* Fills DRAM with what is left there after a loader has read the weights of `program` once, in
 * order. */
void engine_fill_dram(struct engine *engine, const struct program *program,
                      const struct tile_map *map);

/* Runs the pass from engine->now_ns, which it moves on; what the buffers hold stays for the next
 * pass. `out` is set. Errors: STATUS_NOMEM. */
enum status engine_run(struct engine *engine, const struct program *program,
                       struct pass_report *out, struct err *err);

#endif
