#include "simulator/fetch.h"

#include <math.h>

#include "costmodel/found.h"
#include "simulator/channels.h"

/* Without a level above DRAM, what the compute units themselves hold. */
enum { STAGING_BYTES = 1 << 20 };

bool fetch_dram_has(struct engine *engine, const struct request *request)
{
    struct tile_buffer *buffer = &engine->buffers[engine->machine->dram];
    if (engine->dram_holds_all || request->is_cache) /* the cache has its own memory */
        return true;
    if (tile_buffer_has(buffer, request->tile)) {
        tile_buffer_touch(buffer, request->tile);
        return true;
    }
    if (buffer->slots[request->tile].pinned ||
        tile_buffer_make_room(buffer, request->bytes, request->next_use))
        tile_buffer_put(buffer, request->tile, (int32_t)request->bytes);
    return false;
}

/* Whether the request may be issued while the current operator runs. */
static bool may_fetch(const struct engine *engine, const struct request *request)
{
    if (request->step < engine->step || (request->step == engine->step && engine->step_runs))
        return true;
    double ahead = engine->machine->overlap_frac;
    if (ahead <= 0)
        return false;
    return ahead >= 1 || engine->chip < 0 ||
           (double)(engine->held_bytes + request->bytes) <=
               ahead * (double)engine->buffers[engine->chip].capacity_bytes;
}

static void hold(struct engine *engine, const struct request *request)
{
    engine->held_bytes += request->bytes;
    if (engine->held_bytes > engine->report->held_peak_bytes)
        engine->report->held_peak_bytes = engine->held_bytes;
    if (engine->chip >= 0 && request->tile >= 0)
        engine->status = tile_buffer_hold(&engine->buffers[engine->chip], request->tile,
                                          request->next_use, engine->err);
}

/* A KV cache's last tile grows by what this machine itself computed. */
static bool grow(struct tile_buffer *buffer, const struct request *request, int64_t position)
{
    int64_t more = request->bytes - buffer->slots[request->tile].bytes;
    tile_buffer_touch(buffer, request->tile);
    if (more == 0)
        return true;
    buffer->slots[request->tile].holds++; /* not at its own cost */
    bool room = more < 0 || tile_buffer_make_room(buffer, more, position);
    buffer->slots[request->tile].holds--;
    if (room)
        tile_buffer_put(buffer, request->tile, (int32_t)request->bytes);
    return room;
}

/* The level above DRAM that a tile is read from, dram when it must be fetched; false: no room. */
static bool look_up(struct engine *engine, int64_t position, int *level)
{
    const struct request *request = &engine->program->requests[position];
    const int chip = engine->chip;
    *level = engine->machine->dram;
    if (chip < 0)
        return engine->held_bytes == 0 || engine->held_bytes + request->bytes <= STAGING_BYTES;
    struct tile_buffer *buffer = &engine->buffers[chip];
    if (tile_buffer_has(buffer, request->tile)) {
        if (!grow(buffer, request, position))
            return false;
        *level = chip;
    } else if (buffer->slots[request->tile].pinned ||
               tile_buffer_make_room(buffer, request->bytes, position)) {
        tile_buffer_put(buffer, request->tile, (int32_t)request->bytes);
    } else {
        return false;
    }
    for (int near = chip - 1; near >= 0; near--) {
        struct tile_buffer *cache = &engine->buffers[near];
        if (request->bytes > cache->capacity_bytes)
            continue;
        if (tile_buffer_has(cache, request->tile) && grow(cache, request, position))
            *level = near;
        else if (tile_buffer_make_room(cache, request->bytes, position))
            tile_buffer_put(cache, request->tile, (int32_t)request->bytes);
    }
    return true;
}

/* Whether a schedule walks back to a block, from one execution of it to its next. */
static bool walks_back(const struct program *program, int32_t from, int32_t to)
{
    int32_t apart = (to - from + program->n_executions) % program->n_executions;
    if (from < 0 || to < 0 || apart == 0)
        return false;
    return program->sharing == SHARING_REVERSE ||
           ((program->sharing == SHARING_IMMEDIATE || program->sharing == SHARING_BY_BLOCK) &&
            apart == 1);
}

/* A cache that is no LRU does not find all that an LRU of its size would: less of a long walk
 * (spill_bytes), and less of a block that is walked back to after it streamed in. Evenly spread
 * tiles come from DRAM again. */
static bool is_lost(struct engine *engine, const struct request *request, int level)
{
    const struct machine *machine = engine->machine;
    const struct program *program = engine->program;
    const struct step *step = &program->steps[request->step];
    if (level >= machine->dram)
        return false;
    double found = 1;
    if (machine->levels[engine->chip].spill_bytes[0] > 0)
        found -= price_memory_share(machine, step->reuse_bytes);
    if (!request->is_cache &&
        walks_back(program, engine->streamed_by[request->tile], step->execution))
        found *= 1 - price_lost_share(machine, engine->chip, step->reuse_bytes);
    engine->lost_share += 1 - found;
    if (engine->lost_share < 1)
        return false;
    engine->lost_share -= 1;
    return true;
}

/* False: there is no room now. */
static bool fetch_one(struct engine *engine, int32_t position)
{
    const struct request *request = &engine->program->requests[position];
    int level = engine->gather_level;
    bool again = false;
    if (request->tile >= 0 && !look_up(engine, position, &level))
        return false;
    if (request->tile >= 0) {
        again = is_lost(engine, request, level);
        level = again ? engine->machine->dram : level;
        bool streams = level >= engine->machine->dram;
        engine->streamed_by[request->tile] =
            streams ? engine->program->steps[request->step].execution : -1;
    }
    hold(engine, request);
    engine->source[position].again = again;
    engine->arrival_ns[position] = INFINITY;
    if (level < engine->machine->dram) {
        engine->arrival_ns[position] = engine->now_ns;
    } else if (level == engine->machine->flash ||
               (request->tile >= 0 && !fetch_dram_has(engine, request))) {
        level = engine->machine->flash;
        flash_enqueue(engine, position);
    } else {
        dram_read_tile(engine, position);
    }
    engine->source[position].level = (int8_t)level;
    return true;
}

void fetch_tiles(struct engine *engine)
{
    const struct program *program = engine->program;
    engine->fetch_stalled = false;
    while (engine->next_fetch < (int32_t)program->n_requests && engine->status == STATUS_OK &&
           may_fetch(engine, &program->requests[engine->next_fetch])) {
        if (!fetch_one(engine, engine->next_fetch)) {
            engine->fetch_stalled = true;
            break;
        }
        engine->next_fetch++;
    }
    /* a window that is full opens when a tile is read, too */
    if (engine->next_fetch < (int32_t)program->n_requests && engine->machine->overlap_frac > 0)
        engine->fetch_stalled = true;
}
