/* A run in the Chrome trace event format, which ui.perfetto.dev and chrome://tracing open.
 *
 * One process, a row (thread) per resource and one for the phases; a complete event ("X") per tile,
 * or per run of tiles of one operator that follow one another without a gap; a counter ("C") of
 * what the buffer holds. Times are microseconds with four decimals. Written as it happens: memory
 * does not grow with the trace. Source of the format: "Trace Event Format" (Google, 2016). */
#ifndef LATHE_SIMULATOR_TRACE_H
#define LATHE_SIMULATOR_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "simulator/engine_sink.h"

struct trace_run {
    struct busy_span span; /* of all its tiles */
    int64_t n_tiles;       /* 0: nothing to write */
    double busy_ns;
};

struct trace {
    struct file_out file;
    bool failed; /* writing failed: the rest is dropped, trace_finish says so */
    int error_number;
    bool any_event, coarse;
    double now_ns, phase_begin_ns;
    const char *phase;
    int64_t used_bytes, held_bytes; /* as last written */
    struct trace_run runs[N_RESOURCES];
};

/* `title` names the process. `coarse`, for traces of many tokens: one event per operator and
 * resource even where its tiles leave gaps, with the time that it was busy. Errors: STATUS_IO. */
enum status trace_begin(struct trace *trace, const char *path, const char *title,
                        const struct machine *machine, bool coarse, struct err *err);
/* The sink to hand to a run; valid as long as the trace. */
struct engine_sink trace_sink(struct trace *trace);
/* Closes the file, which is there only when it is whole. Errors: STATUS_IO. */
enum status trace_finish(struct trace *trace, struct err *err);
/* Instead of trace_finish, when the run failed. */
void trace_abandon(struct trace *trace);

#endif
