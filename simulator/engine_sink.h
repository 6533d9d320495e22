/* Callbacks that follow a simulated run as it happens. */
#ifndef LATHE_SIMULATOR_ENGINE_SINK_H
#define LATHE_SIMULATOR_ENGINE_SINK_H

#include "simulator/pass_report.h"

/* A resource at work from start to end, or one part of it. */
struct busy_span {
    int resource;
    double start_ns, end_ns;
    const struct op *op; /* NULL: a loader's */
    const char *what;    /* "q", "read", "write", ... */
    int32_t execution;   /* -1: outside the blocks */
    int64_t bytes;       /* moved, or flop for compute; 0 for dispatch */
};

/* Each may be NULL. Spans of one resource come in order. */
struct engine_sink {
    void *context;
    /* "load", "init", "prefill", "decode" as they begin; NULL as a pass ends. What the spans of a
     * pass point at is gone after that. */
    void (*phase)(void *context, const char *name, double at_ns);
    void (*span)(void *context, const struct busy_span *span);
    /* Bytes in the buffer, and how many of them are waiting to be read. */
    void (*occupancy)(void *context, double at_ns, int64_t used_bytes, int64_t held_bytes);
};

#endif
