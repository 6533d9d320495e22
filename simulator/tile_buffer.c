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
    memory_free(buffer->free.items);
    memory_free(buffer->held.items);
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

static enum status push(struct tile_heap *heap, struct tile_rank rank, struct err *err)
{
    if (heap->n == heap->capacity) {
        enum status status = memory_grow((void **)&heap->items, &heap->capacity, heap->n + 1,
                                         sizeof *heap->items, err);
        if (status != STATUS_OK)
            return status;
    }
    size_t at = heap->n++;
    while (at > 0 && above(rank, heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = rank;
    return STATUS_OK;
}

static void pop(struct tile_heap *heap)
{
    struct tile_rank last = heap->items[--heap->n];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < heap->n) {
        if (child + 1 < heap->n && above(heap->items[child + 1], heap->items[child]))
            child++;
        if (!above(heap->items[child], last))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    if (heap->n > 0)
        heap->items[at] = last;
}

/* The tile needed last among those that are held or are not; -1: there is none. */
static int32_t needed_last(struct tile_buffer *buffer, struct tile_heap *heap, bool held)
{
    for (; heap->n > 0; pop(heap)) {
        struct tile_rank top = heap->items[0];
        const struct tile_slot *slot = &buffer->slots[top.tile];
        if (slot->bytes > 0 && (slot->holds > 0) == held && slot->next_use == top.next_use)
            return top.tile;
    }
    return -1;
}

/* -1: none may go for what is needed at `use`. */
static int32_t choose_managed(struct tile_buffer *buffer, int64_t use)
{
    int32_t last = needed_last(buffer, &buffer->free, false);
    int32_t held = needed_last(buffer, &buffer->held, true);
    if (last < 0 || buffer->slots[last].next_use <= use)
        return -1;
    if (held >= 0 && buffer->slots[held].next_use - buffer->slots[last].next_use > buffer->n_held)
        return -1;
    return last;
}

bool tile_buffer_make_room(struct tile_buffer *buffer, int64_t bytes, int64_t use)
{
    int64_t capacity = buffer->capacity_bytes - buffer->pinned_bytes;
    while (buffer->used_bytes + bytes > capacity) {
        int32_t tile =
            buffer->policy == POLICY_MANAGED ? choose_managed(buffer, use) : buffer->oldest;
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
    buffer->n_held++;
    return tile_buffer_expect(buffer, tile, next_use, err);
}

enum status tile_buffer_read(struct tile_buffer *buffer, int32_t tile, struct err *err)
{
    struct tile_slot *slot = &buffer->slots[tile];
    assert(slot->holds > 0);
    buffer->n_held--;
    return --slot->holds == 0 ? tile_buffer_expect(buffer, tile, slot->next_use, err) : STATUS_OK;
}

void tile_buffer_forget(struct tile_buffer *buffer)
{
    buffer->free.n = buffer->held.n = 0;
}

enum status tile_buffer_expect(struct tile_buffer *buffer, int32_t tile, int64_t next_use,
                               struct err *err)
{
    struct tile_slot *slot = &buffer->slots[tile];
    slot->next_use = next_use;
    if (buffer->policy != POLICY_MANAGED || slot->bytes == 0)
        return STATUS_OK;
    return push(slot->holds > 0 ? &buffer->held : &buffer->free, (struct tile_rank){next_use, tile},
                err);
}
