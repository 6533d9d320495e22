/* The spans for a drawing: what each resource did while a few blocks ran. */
#ifndef LATHE_SIMULATOR_TIMELINE_H
#define LATHE_SIMULATOR_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "simulator/engine_sink.h"

/* What a span is for. */
enum timeline_kind {
    TIMELINE_ATTENTION, /* weights of the block, or the products with them */
    TIMELINE_FFN,
    TIMELINE_CACHE,
    TIMELINE_AHEAD, /* DRAM and flash: weights of blocks that have not begun */
    TIMELINE_DISPATCH,
    TIMELINE_OTHER,
    N_TIMELINE_KINDS,
};
const char *timeline_kind_name(enum timeline_kind kind);

struct timeline_span {
    int resource;
    enum timeline_kind kind;
    double start_ns, end_ns; /* from the beginning of the first block drawn */
};

/* Executions first .. last of the last decoded token. Start with = {0} and these two; release with
 * timeline_release. */
struct timeline {
    int32_t first, last;
    struct timeline_span *spans;
    size_t n, capacity;
    double begin_ns, end_ns; /* of the window, once finished */
    int32_t running;         /* execution that the compute units are at */
    bool failed;             /* out of memory: spans are missing */
};

struct engine_sink timeline_sink(struct timeline *timeline);
/* Cuts the spans at the window. Errors: STATUS_NOMEM. */
enum status timeline_finish(struct timeline *timeline, struct err *err);
void timeline_release(struct timeline *timeline);

#endif
