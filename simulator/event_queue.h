/* Pending events in the order they happen: by time, and among equal times in the order they were
 * scheduled, so that a run is the same to the bit every time.
 *
 * A binary heap of (time, sequence). No event is removed before its time. One that may become void
 * carries a ticket, and its receiver drops it when the ticket is no longer the current one. */
#ifndef LATHE_SIMULATOR_EVENT_QUEUE_H
#define LATHE_SIMULATOR_EVENT_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct event {
    double at_ns;
    uint64_t sequence;
    int kind;     /* the owner's */
    int32_t what; /* the owner's: a tile, a request, a ticket */
};

/* Start with = {0}; release with event_queue_release. */
struct event_queue {
    struct event *heap;
    size_t n, capacity;
    uint64_t sequence;
};

/* Errors: STATUS_NOMEM. */
enum status event_schedule(struct event_queue *queue, double at_ns, int kind, int32_t what,
                           struct err *err);
/* The next event; the queue is not empty. */
struct event event_take(struct event_queue *queue);
void event_queue_release(struct event_queue *queue);

#endif
