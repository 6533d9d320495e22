#include "search/share.h"

#include <assert.h>

#include "base/memory.h"

enum {
    CHUNK_MOST = 4096, /* candidates: the batch that an enumeration prices at a time */
    CHUNKS_ENOUGH = 4096,
};

/* Small spaces are cut small, so that there is enough to share out. */
static int64_t chunk_size(const struct enumeration *whole)
{
    int64_t size = whole->count / CHUNKS_ENOUGH;
    return size < 1 ? 1 : size < CHUNK_MOST ? size : CHUNK_MOST;
}

enum status chunks_make(const struct enumeration *whole, struct chunks *out, struct err *err)
{
    const int64_t size = chunk_size(whole);
    int64_t count = 0;
    *out = (struct chunks){.first = memory_new(whole->n_shapes + 1, sizeof *out->first)};
    if (out->first == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t s = 0; s < whole->n_shapes; s++) {
        if (count == 0 || count + whole->shapes[s].count > size) {
            out->first[out->n++] = s;
            count = 0;
        }
        count += whole->shapes[s].count;
    }
    out->first[out->n] = whole->n_shapes;
    return STATUS_OK;
}

void chunks_release(struct chunks *chunks)
{
    memory_free(chunks->first);
    *chunks = (struct chunks){0};
}

static int64_t count_of(const struct enumeration *whole, size_t first, size_t end)
{
    const struct shape *last = &whole->shapes[end - 1];
    return last->first_row + last->count - whole->shapes[first].first_row;
}

struct enumeration chunk_of(const struct enumeration *whole, const struct chunks *chunks, size_t i)
{
    struct enumeration chunk = *whole;
    const size_t first = chunks->first[i], end = chunks->first[i + 1];
    assert(i < chunks->n);
    chunk.shapes += first;
    chunk.n_shapes = end - first;
    chunk.count = count_of(whole, first, end);
    return chunk;
}

/* An empty part with room for `n_shapes`. */
static enum status part_begin(const struct enumeration *whole, size_t n_shapes,
                              struct enumeration *out, struct err *err)
{
    *out = *whole;
    out->n_shapes = 0;
    out->count = 0;
    out->shapes = memory_new(n_shapes, sizeof *out->shapes);
    return out->shapes != NULL ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}

static void part_add(struct enumeration *part, const struct shape *shape)
{
    struct shape *copy = &part->shapes[part->n_shapes++];
    *copy = *shape;
    copy->first_row = part->count;
    part->count += shape->count;
}

/* A shard and the candidates it has so far. */
struct load {
    int64_t count, shard;
};

static bool is_less(const struct load *a, const struct load *b)
{
    return a->count != b->count ? a->count < b->count : a->shard < b->shard;
}

/* The first of a heap, least first, has grown. */
static void sift_down(struct load *heap, size_t n)
{
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (is_less(&heap[child], &heap[least]))
                least = child;
        if (least == at)
            return;
        struct load swap = heap[at];
        heap[at] = heap[least];
        heap[least] = swap;
        at = least;
    }
}

static void deal(const struct enumeration *whole, const struct chunks *chunks, int64_t shard,
                 struct load *heap, size_t n_shards, struct enumeration *out)
{
    for (size_t i = 0; i < n_shards; i++)
        heap[i] = (struct load){.shard = (int64_t)i + 1};
    for (size_t c = 0; c < chunks->n; c++) {
        const size_t first = chunks->first[c], end = chunks->first[c + 1];
        for (size_t s = first; s < end && heap[0].shard == shard; s++)
            part_add(out, &whole->shapes[s]);
        heap[0].count += count_of(whole, first, end);
        sift_down(heap, n_shards);
    }
}

enum status enumeration_shard(const struct enumeration *whole, int64_t shard, int64_t n_shards,
                              struct enumeration *out, struct err *err)
{
    struct chunks chunks = {0};
    assert(1 <= shard && shard <= n_shards && n_shards <= MAX_SHARDS);
    struct load *heap = memory_new((size_t)n_shards, sizeof *heap);
    enum status status = part_begin(whole, whole->n_shapes, out, err);
    if (status == STATUS_OK && heap == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = chunks_make(whole, &chunks, err);
    if (status == STATUS_OK)
        deal(whole, &chunks, shard, heap, (size_t)n_shards, out);
    else
        enumeration_end(out);
    chunks_release(&chunks);
    memory_free(heap);
    return status;
}

enum status enumeration_holding(const struct enumeration *whole, const int64_t *ids, size_t n,
                                struct enumeration *out, struct err *err)
{
    size_t next = 0;
    enum status status = part_begin(whole, n < whole->n_shapes ? n : whole->n_shapes, out, err);
    for (size_t s = 0; s < whole->n_shapes && next < n && status == STATUS_OK; s++) {
        const struct shape *shape = &whole->shapes[s];
        if (ids[next] >= shape->first_id + shape->count)
            continue;
        part_add(out, shape);
        while (next < n && ids[next] < shape->first_id + shape->count)
            next++;
    }
    return status;
}
