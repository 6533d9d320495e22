#include "simulator/tile_buffer.h"

#include <assert.h>

#include "base/memory.h"

enum status tile_buffer_init(struct tile_buffer *buffer, enum level_policy policy,
                             int64_t capacity_bytes, int32_t n_tiles, struct err *err)
{
    *buffer = (struct tile_buffer){.policy = policy,
                                   .capacity_bytes = capacity_bytes,
                                   .n_tiles = n_tiles,
                                   .newest = -1,
                                   .oldest = -1};
    buffer->slots = memory_new((size_t)n_tiles, sizeof *buffer->slots);
    return buffer->slots ? STATUS_OK
                         : err_set(err, STATUS_NOMEM, "out of memory for %d tiles", n_tiles);
}

void tile_buffer_release(struct tile_buffer *buffer)
{
    memory_free(buffer->slots);
    memory_free(buffer->heap);
    *buffer = (struct tile_buffer){0};
}

bool tile_buffer_pin(struct tile_buffer *buffer, int32_t tile, int32_t bytes, int64_t stream_bytes)
{
    struct tile_slot *slot = &buffer->slots[tile];
    assert(buffer->policy == POLICY_PINNED && slot->bytes == 0);
    if (slot->pinned)
        return true;
    if (buffer->pinned_bytes + bytes > buffer->capacity_bytes - stream_bytes)
        return false;
    slot->pinned = true;
    buffer->pinned_bytes += bytes;
    return true;
}

bool tile_buffer_has(const struct tile_buffer *buffer, int32_t tile)
{
    return buffer->slots[tile].bytes > 0;
}

static void unlink_tile(struct tile_buffer *buffer, int32_t tile)
{
    struct tile_slot *slot = &buffer->slots[tile];
    if (slot->newer >= 0)
        buffer->slots[slot->newer].older = slot->older;
    else
        buffer->newest = slot->older;
    if (slot->older >= 0)
        buffer->slots[slot->older].newer = slot->newer;
    else
        buffer->oldest = slot->newer;
}

static void link_newest(struct tile_buffer *buffer, int32_t tile)
{
    struct tile_slot *slot = &buffer->slots[tile];
    slot->newer = -1;
    slot->older = buffer->newest;
    if (buffer->newest >= 0)
        buffer->slots[buffer->newest].newer = tile;
    else
        buffer->oldest = tile;
    buffer->newest = tile;
}

static void drop(struct tile_buffer *buffer, int32_t tile)
{
    unlink_tile(buffer, tile);
    buffer->used_bytes -= buffer->slots[tile].bytes;
    buffer->slots[tile].bytes = 0;
}

static bool above(struct tile_rank a, struct tile_rank b)
{
    return a.next_use > b.next_use || (a.next_use == b.next_use && a.tile > b.tile);
}

static enum status push(struct tile_buffer *buffer, struct tile_rank rank, struct err *err)
{
    if (buffer->n_heap == buffer->heap_capacity) {
        enum status status = memory_grow((void **)&buffer->heap, &buffer->heap_capacity,
                                         buffer->n_heap + 1, sizeof *buffer->heap, err);
        if (status != STATUS_OK)
            return status;
    }
    size_t at = buffer->n_heap++;
    while (at > 0 && above(rank, buffer->heap[(at - 1) / 2])) {
        buffer->heap[at] = buffer->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    buffer->heap[at] = rank;
    return STATUS_OK;
}

static void pop(struct tile_buffer *buffer)
{
    struct tile_rank last = buffer->heap[--buffer->n_heap];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < buffer->n_heap) {
        if (child + 1 < buffer->n_heap && above(buffer->heap[child + 1], buffer->heap[child]))
            child++;
        if (!above(buffer->heap[child], last))
            break;
        buffer->heap[at] = buffer->heap[child];
        at = child;
    }
    if (buffer->n_heap > 0)
        buffer->heap[at] = last;
}

/* The tile needed last, -1 when none is needed later than `use`. */
static int32_t needed_last(struct tile_buffer *buffer, int64_t use)
{
    while (buffer->n_heap > 0) {
        struct tile_rank top = buffer->heap[0];
        const struct tile_slot *slot = &buffer->slots[top.tile];
        if (slot->bytes > 0 && slot->next_use == top.next_use)
            return top.next_use > use ? top.tile : -1;
        pop(buffer);
    }
    return -1;
}

bool tile_buffer_make_room(struct tile_buffer *buffer, int64_t bytes, int64_t use)
{
    int64_t capacity = buffer->capacity_bytes - buffer->pinned_bytes;
    while (buffer->used_bytes + bytes > capacity) {
        int32_t tile = buffer->policy == POLICY_MANAGED ? needed_last(buffer, use) : buffer->oldest;
        if (tile < 0 || buffer->slots[tile].holds > 0)
            return false;
        drop(buffer, tile);
    }
    return true;
}

void tile_buffer_put(struct tile_buffer *buffer, int32_t tile, int32_t bytes)
{
    struct tile_slot *slot = &buffer->slots[tile];
    assert(bytes > 0);
    bool here = slot->bytes > 0;
    if (!slot->pinned) { /* the room of pinned tiles is set aside already */
        buffer->used_bytes += bytes - slot->bytes;
        if (here)
            unlink_tile(buffer, tile);
        link_newest(buffer, tile);
    }
    slot->bytes = bytes;
}

void tile_buffer_touch(struct tile_buffer *buffer, int32_t tile)
{
    if (buffer->slots[tile].pinned || buffer->newest == tile)
        return;
    unlink_tile(buffer, tile);
    link_newest(buffer, tile);
}

enum status tile_buffer_hold(struct tile_buffer *buffer, int32_t tile, int64_t next_use,
                             struct err *err)
{
    buffer->slots[tile].holds++;
    return tile_buffer_expect(buffer, tile, next_use, err);
}

void tile_buffer_read(struct tile_buffer *buffer, int32_t tile)
{
    assert(buffer->slots[tile].holds > 0);
    buffer->slots[tile].holds--;
}

enum status tile_buffer_expect(struct tile_buffer *buffer, int32_t tile, int64_t next_use,
                               struct err *err)
{
    struct tile_slot *slot = &buffer->slots[tile];
    slot->next_use = next_use;
    if (buffer->policy != POLICY_MANAGED || slot->bytes == 0)
        return STATUS_OK;
    return push(buffer, (struct tile_rank){next_use, tile}, err);
}
