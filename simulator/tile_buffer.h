/* What one memory level holds: tiles of weights and KV cache, and which of them go when it is full.
 *
 *   lru      a cache: the tile asked for longest ago goes. Tiles are asked for in program order,
 *            ahead of their use, so hits do not depend on the clock. A tile hits exactly when the
 *            distinct bytes asked for since (its stack distance, itself included) fit.
 *   managed  a buffer whose owner knows the schedule: the tile needed latest goes, and only if it
 *            is needed later than the one that takes its place (Belady, 1966).
 *   pinned   chosen tiles stay for good; the others share the rest as a cache.
 *
 * A tile that was asked for and is not read yet is held: it cannot go. A request that finds only
 * held tiles in its way waits. What it cannot show: sets, lines, sharing with other processes. */
#ifndef LATHE_SIMULATOR_TILE_BUFFER_H
#define LATHE_SIMULATOR_TILE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "device/machine.h"

struct tile_slot {
    int32_t newer, older; /* neighbours in order of use; -1: none */
    int32_t bytes;        /* 0: not here */
    int32_t holds;        /* requests not read yet */
    int64_t next_use;     /* managed: when it is needed again */
    bool pinned;
};

struct tile_rank {
    int64_t next_use;
    int32_t tile;
};

/* Furthest use on top; some entries are out of date. */
struct tile_heap {
    struct tile_rank *items;
    size_t n, capacity;
};

/* Start with = {0}; release with tile_buffer_release. */
struct tile_buffer {
    enum level_policy policy;
    int64_t capacity_bytes, used_bytes;
    int64_t pinned_bytes; /* room kept for pinned tiles, here or not yet */
    struct tile_slot *slots;
    int32_t n_tiles, newest, oldest;
    int64_t n_held;
    struct tile_heap free, held; /* managed */
};

/* An empty buffer for tiles 0 .. n_tiles - 1. Errors: STATUS_NOMEM. */
enum status tile_buffer_init(struct tile_buffer *buffer, enum level_policy policy,
                             int64_t capacity_bytes, int32_t n_tiles, struct err *err);
void tile_buffer_release(struct tile_buffer *buffer);

/* Pinned policy: the tile will stay once it is here. False, and not pinned: the others would be
 * left less than `stream_bytes`. */
bool tile_buffer_pin(struct tile_buffer *buffer, int32_t tile, int32_t bytes, int64_t stream_bytes);

bool tile_buffer_has(const struct tile_buffer *buffer, int32_t tile);

/* Makes room for `bytes` more that are needed at `use`. Managed: nothing that is needed earlier
 * goes. False: the tiles in the way are held. */
bool tile_buffer_make_room(struct tile_buffer *buffer, int64_t bytes, int64_t use);
/* Puts the tile in as the newest; there is room for its `bytes`. One that is here already grows or
 * shrinks to them. */
void tile_buffer_put(struct tile_buffer *buffer, int32_t tile, int32_t bytes);
/* The tile was asked for again: it is the newest now. */
void tile_buffer_touch(struct tile_buffer *buffer, int32_t tile);

/* The tile was asked for and will be read: it is held. Needed again at `next_use`. Errors:
 * STATUS_NOMEM. */
enum status tile_buffer_hold(struct tile_buffer *buffer, int32_t tile, int64_t next_use,
                             struct err *err);
/* The tile was read: one hold less. Errors: STATUS_NOMEM. */
enum status tile_buffer_read(struct tile_buffer *buffer, int32_t tile, struct err *err);
/* Managed: forgets when tiles are needed; tile_buffer_expect then says it anew. */
void tile_buffer_forget(struct tile_buffer *buffer);
/* Managed: after a change of schedule, a tile that is here and not held is needed at `next_use`.
 * Errors: STATUS_NOMEM. */
enum status tile_buffer_expect(struct tile_buffer *buffer, int32_t tile, int64_t next_use,
                               struct err *err);

#endif
