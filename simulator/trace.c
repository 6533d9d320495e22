#include "simulator/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PHASE_ROW = 0, FIRST_ROW = 1 };

static const double gap_ns = 1e-3; /* closer is without a gap: rounding of sums of times */

static void put(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct trace *trace, const char *format, ...)
{
    va_list arguments;
    if (trace->failed)
        return;
    va_start(arguments, format);
    if (vfprintf(trace->file.stream, format, arguments) < 0) {
        trace->failed = true;
        trace->error_number = errno;
    }
    va_end(arguments);
}

/* Start of an event: the comma that separates it from the one before. */
static void put_event(struct trace *trace, const char *name, const char *phase, int row)
{
    put(trace, "%s\n{\"name\":\"%s\",\"ph\":\"%s\",\"pid\":1,\"tid\":%d",
        trace->any_event ? "," : "", name, phase, row);
    trace->any_event = true;
}

/* Tenths of a nanosecond: rounding both ends keeps events that do not overlap apart. */
static long long tenths(double ns)
{
    return llround(ns * 10);
}

static void put_time(struct trace *trace, const char *key, long long t)
{
    put(trace, ",\"%s\":%lld.%04lld", key, t / 10000, t % 10000);
}

static void put_complete(struct trace *trace, const char *name, int row, double start_ns,
                         double end_ns)
{
    put_event(trace, name, "X", row);
    put_time(trace, "ts", tenths(start_ns));
    put_time(trace, "dur", tenths(end_ns) - tenths(start_ns));
}

static void flush_run(struct trace *trace, struct trace_run *run)
{
    if (run->n_tiles == 0)
        return;
    const struct busy_span *span = &run->span;
    const char *name = span->op ? op_role_name(span->op->role) : span->what;
    put_complete(trace, name, FIRST_ROW + span->resource, span->start_ns, span->end_ns);
    put(trace, ",\"cat\":\"%s\",\"args\":{", span->op ? span->what : "load and init");
    if (span->execution >= 0)
        put(trace, "\"block\":%" PRId32 ",", span->execution);
    put(trace, "\"%s\":%" PRId64 ",\"tiles\":%" PRId64 ",\"busy_us\":%.4f}}",
        span->resource == RESOURCE_COMPUTE && span->op ? "flop" : "bytes", span->bytes,
        run->n_tiles, run->busy_ns / 1000);
    run->n_tiles = 0;
}

static void take_span(void *context, const struct busy_span *span)
{
    struct trace *trace = context;
    struct trace_run *run = &trace->runs[span->resource];
    bool joins = run->n_tiles > 0 && span->op != NULL && run->span.op == span->op &&
                 run->span.execution == span->execution && run->span.what == span->what &&
                 (trace->coarse || span->start_ns - run->span.end_ns < gap_ns);
    if (joins) {
        run->span.end_ns = span->end_ns;
        run->span.bytes += span->bytes;
        run->busy_ns += span->end_ns - span->start_ns;
        run->n_tiles++;
    } else {
        flush_run(trace, run);
        *run = (struct trace_run){*span, 1, span->end_ns - span->start_ns};
    }
    trace->now_ns = fmax(trace->now_ns, span->end_ns);
}

static void flush_runs(struct trace *trace)
{
    for (int i = 0; i < N_RESOURCES; i++)
        flush_run(trace, &trace->runs[i]);
}

static void end_phase(struct trace *trace, double at_ns)
{
    flush_runs(trace);
    if (trace->phase == NULL || !(at_ns > trace->phase_begin_ns))
        return;
    put_complete(trace, trace->phase, PHASE_ROW, trace->phase_begin_ns, at_ns);
    put(trace, ",\"cat\":\"phase\"}");
}

static void take_phase(void *context, const char *name, double at_ns)
{
    struct trace *trace = context;
    end_phase(trace, at_ns);
    trace->phase = name;
    trace->phase_begin_ns = at_ns;
}

static void take_occupancy(void *context, double at_ns, int64_t used_bytes, int64_t held_bytes)
{
    struct trace *trace = context;
    if (used_bytes == trace->used_bytes && held_bytes == trace->held_bytes)
        return;
    trace->used_bytes = used_bytes;
    trace->held_bytes = held_bytes;
    put_event(trace, "buffer", "C", PHASE_ROW);
    put_time(trace, "ts", tenths(at_ns));
    put(trace, ",\"args\":{\"waiting to be read\":%" PRId64 ",\"kept\":%" PRId64 "}}", held_bytes,
        used_bytes > held_bytes ? used_bytes - held_bytes : 0);
}

/* Names of models and devices may hold anything. */
static void put_string(struct trace *trace, const char *text)
{
    put(trace, "\"");
    for (; *text != '\0'; text++)
        if (*text == '"' || *text == '\\')
            put(trace, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            put(trace, "\\u%04x", (unsigned)*text);
        else
            put(trace, "%c", *text);
    put(trace, "\"");
}

static void name_row(struct trace *trace, int row, const char *name)
{
    put_event(trace, "thread_name", "M", row);
    put(trace, ",\"args\":{\"name\":");
    put_string(trace, name);
    put(trace, "}}");
    put_event(trace, "thread_sort_index", "M", row);
    put(trace, ",\"args\":{\"sort_index\":%d}}", row);
}

enum status trace_begin(struct trace *trace, const char *path, const char *title,
                        const struct machine *machine, bool coarse, struct err *err)
{
    *trace = (struct trace){.coarse = coarse, .used_bytes = -1};
    enum status status = file_create(&trace->file, path, err);
    if (status)
        return status;
    put(trace, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    put_event(trace, "process_name", "M", PHASE_ROW);
    put(trace, ",\"args\":{\"name\":");
    put_string(trace, title);
    put(trace, "}}");
    name_row(trace, PHASE_ROW, "phase");
    for (int i = 0; i < N_RESOURCES; i++)
        if (resource_name(machine, i) != NULL)
            name_row(trace, FIRST_ROW + i, resource_name(machine, i));
    return STATUS_OK;
}

struct engine_sink trace_sink(struct trace *trace)
{
    return (struct engine_sink){
        .context = trace, .phase = take_phase, .span = take_span, .occupancy = take_occupancy};
}

enum status trace_finish(struct trace *trace, struct err *err)
{
    end_phase(trace, trace->now_ns);
    put(trace, "\n]}\n");
    if (!trace->failed)
        return file_commit(&trace->file, err);
    file_abandon(&trace->file);
    return err_set(err, STATUS_IO, "cannot write '%s': %s", trace->file.path,
                   strerror(trace->error_number));
}

void trace_abandon(struct trace *trace)
{
    file_abandon(&trace->file);
}
