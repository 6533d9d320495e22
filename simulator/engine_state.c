#include "simulator/engine_state.h"

void engine_schedule(struct engine *engine, double at_ns, enum event_kind kind, int32_t what)
{
    if (engine->status == STATUS_OK)
        engine->status = event_schedule(&engine->events, at_ns, (int)kind, what, engine->err);
}

void engine_emit(struct engine *engine, int resource, double start_ns, double end_ns,
                 const struct op *op, const char *what, int32_t execution, int64_t bytes)
{
    if (engine->sink.span == NULL || !(end_ns > start_ns))
        return;
    const struct busy_span span = {resource, start_ns, end_ns, op, what, execution, bytes};
    engine->sink.span(engine->sink.context, &span);
}

const struct step *engine_step_of(const struct engine *engine, int32_t request)
{
    return &engine->program->steps[engine->program->requests[request].step];
}
