#include "simulator/timeline.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

const char *timeline_kind_name(enum timeline_kind kind)
{
    static const char *const names[] = {"attention",  "feed-forward", "KV cache",
                                        "next block", "dispatch",     "other"};
    return names[kind];
}

static enum timeline_kind kind_of(const struct timeline *timeline, const struct busy_span *span)
{
    bool far = span->resource == RESOURCE_DRAM || span->resource == RESOURCE_FLASH;
    if (span->resource == RESOURCE_DISPATCH)
        return TIMELINE_DISPATCH;
    if (far && span->execution > timeline->running)
        return TIMELINE_AHEAD;
    if (span->op->kind == OP_ATTENTION || span->op->kind == OP_KV_STORE)
        return TIMELINE_CACHE;
    bool is_mixer = span->op->part == PART_MIXER || span->op->part == PART_NORMS;
    if (span->op->group == GROUP_NONE)
        return TIMELINE_OTHER;
    return is_mixer                     ? TIMELINE_ATTENTION
           : span->op->part == PART_FFN ? TIMELINE_FFN
                                        : TIMELINE_OTHER;
}

static void take_phase(void *context, const char *name, double at_ns)
{
    struct timeline *timeline = context;
    (void)at_ns;
    if (name == NULL)
        return;
    timeline->n = 0;
    timeline->running = -1;
    timeline->begin_ns = strcmp(name, "decode") == 0 ? -1 : INFINITY;
    timeline->end_ns = INFINITY;
}

static void take_span(void *context, const struct busy_span *span)
{
    struct timeline *timeline = context;
    bool works = span->resource == RESOURCE_COMPUTE || span->resource == RESOURCE_DISPATCH;
    if (span->op == NULL || timeline->begin_ns == INFINITY)
        return;
    if (works && span->execution > timeline->running) {
        timeline->running = span->execution;
        if (span->execution == timeline->first)
            timeline->begin_ns = span->start_ns;
    }
    if (works && span->execution == timeline->last)
        timeline->end_ns = span->end_ns;
    if (span->execution < timeline->first || timeline->failed)
        return;
    if (timeline->n == timeline->capacity &&
        memory_grow((void **)&timeline->spans, &timeline->capacity, timeline->n + 1,
                    sizeof *timeline->spans, NULL) != STATUS_OK) {
        timeline->failed = true;
        return;
    }
    timeline->spans[timeline->n++] = (struct timeline_span){span->resource, kind_of(timeline, span),
                                                            span->start_ns, span->end_ns};
}

struct engine_sink timeline_sink(struct timeline *timeline)
{
    return (struct engine_sink){.context = timeline, .phase = take_phase, .span = take_span};
}

enum status timeline_finish(struct timeline *timeline, struct err *err)
{
    size_t kept = 0;
    if (timeline->failed)
        return err_set(err, STATUS_NOMEM, "out of memory for a timeline");
    double length_ns = timeline->end_ns - timeline->begin_ns;
    for (size_t i = 0; i < timeline->n; i++) {
        struct timeline_span span = timeline->spans[i];
        span.start_ns = fmax(0, span.start_ns - timeline->begin_ns);
        span.end_ns = fmin(length_ns, span.end_ns - timeline->begin_ns);
        if (span.end_ns > span.start_ns)
            timeline->spans[kept++] = span;
    }
    timeline->n = kept;
    return STATUS_OK;
}

void timeline_release(struct timeline *timeline)
{
    memory_free(timeline->spans);
    *timeline = (struct timeline){0};
}
