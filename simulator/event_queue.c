#include "simulator/event_queue.h"

#include <assert.h>
#include <stdbool.h>

#include "base/memory.h"

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->sequence < b->sequence);
}

enum status event_schedule(struct event_queue *queue, double at_ns, int kind, int32_t what,
                           struct err *err)
{
    if (queue->n == queue->capacity) {
        enum status status = memory_grow((void **)&queue->heap, &queue->capacity, queue->n + 1,
                                         sizeof *queue->heap, err);
        if (status != STATUS_OK)
            return status;
    }
    struct event event = {at_ns, queue->sequence++, kind, what};
    size_t at = queue->n++;
    while (at > 0 && earlier(&event, &queue->heap[(at - 1) / 2])) {
        queue->heap[at] = queue->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->heap[at] = event;
    return STATUS_OK;
}

struct event event_take(struct event_queue *queue)
{
    assert(queue->n > 0);
    struct event first = queue->heap[0], last = queue->heap[--queue->n];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < queue->n) {
        if (child + 1 < queue->n && earlier(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!earlier(&queue->heap[child], &last))
            break;
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    queue->heap[at] = last;
    return first;
}

void event_queue_release(struct event_queue *queue)
{
    memory_free(queue->heap);
    *queue = (struct event_queue){0};
}
