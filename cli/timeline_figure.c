#include "cli/timeline_figure.h"

#include <stdio.h>

#include "base/memory.h"
#include "cli/model_source.h"
#include "plots/plot_timeline.h"
#include "simulator/timeline.h"

enum { MAX_PANELS = 4 };

struct drawing {
    const char *rows[N_RESOURCES];
    int row_of[N_RESOURCES]; /* -1: not drawn */
    size_t n_rows;
    char titles[MAX_PANELS][192];
    struct plot_span *spans[MAX_PANELS];
    struct plot_timeline_panel panels[MAX_PANELS];
};

static void choose_rows(const struct machine *machine, struct drawing *drawing)
{
    static const int order[] = {RESOURCE_DISPATCH, RESOURCE_DRAM,     RESOURCE_PORT,
                                RESOURCE_PORT + 1, RESOURCE_PORT + 2, RESOURCE_PORT + 3,
                                RESOURCE_COMPUTE};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const char *name = resource_name(machine, order[i]);
        drawing->row_of[order[i]] = name == NULL ? -1 : (int)drawing->n_rows;
        if (name != NULL)
            drawing->rows[drawing->n_rows++] = name;
    }
}

static enum status add_panel(struct drawing *drawing, int p, const struct timeline *timeline,
                             struct err *err)
{
    struct plot_span *spans = memory_new(timeline->n, sizeof *spans);
    size_t n = 0;
    if (spans == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < timeline->n; i++) {
        const struct timeline_span *span = &timeline->spans[i];
        int row = drawing->row_of[span->resource];
        if (row >= 0)
            spans[n++] = (struct plot_span){row, (int)span->kind, span->start_ns, span->end_ns};
    }
    drawing->spans[p] = spans;
    drawing->panels[p] = (struct plot_timeline_panel){drawing->titles[p], spans, n};
    return STATUS_OK;
}

static enum status run_model(struct drawing *drawing, int p, const struct transformer *net,
                             const struct machine *machine, struct simulation simulation,
                             struct err *err)
{
    const struct schedule *schedule = &net->schedule;
    int64_t together = schedule->sharing == SHARING_IMMEDIATE ? schedule->repeats : 1;
    int64_t n = transformer_executions(net), middle = n / 2 / together * together;
    struct timeline timeline = {.first = (int32_t)middle,
                                .last = (int32_t)(middle + 2 * together - 1)};
    if (timeline.last >= n)
        timeline.last = (int32_t)n - 1;
    struct simulated out;
    simulation.tokens = 1;
    simulation.prefill = false;
    simulation.sink = timeline_sink(&timeline);
    enum status status = simulate(net, machine, &simulation, &out, err);
    if (status == STATUS_OK)
        status = timeline_finish(&timeline, err);
    snprintf(drawing->titles[p], sizeof drawing->titles[p],
             "%s: executions %d to %d of %lld, %.2f ms a token", net->name, timeline.first + 1,
             timeline.last + 1, (long long)n, out.price.decode_ns / 1e6);
    if (status == STATUS_OK)
        status = add_panel(drawing, p, &timeline, err);
    timeline_release(&timeline);
    return status;
}

enum status draw_timelines(const struct args *args, const struct machine *machine,
                           const struct simulation *simulation, struct err *err)
{
    struct drawing drawing = {.n_rows = 0};
    const char *kinds[N_TIMELINE_KINDS];
    char subtitle[256];
    int n = args_n_operands(args);
    enum status status = STATUS_OK;
    for (int r = 0; r < N_RESOURCES; r++)
        drawing.row_of[r] = -1;
    for (int k = 0; k < N_TIMELINE_KINDS; k++)
        kinds[k] = timeline_kind_name((enum timeline_kind)k);
    choose_rows(machine, &drawing);
    for (int i = 0; i < n && status == STATUS_OK; i++) {
        struct transformer net;
        status = open_model(args, args_operand(args, i), &net, err);
        if (status != STATUS_OK)
            break;
        status = run_model(&drawing, i, &net, machine, *simulation, err);
        transformer_release(&net);
    }
    snprintf(subtitle, sizeof subtitle, "%s, one token after %lld, simulated; two distinct blocks",
             machine->device, (long long)simulation->workload.context);
    const struct plot_options options = {.path = args_text(args, "timeline"),
                                         .title = "What each part of the device does when",
                                         .subtitle = subtitle};
    if (status == STATUS_OK)
        status = plot_timeline(drawing.rows, drawing.n_rows, kinds, N_TIMELINE_KINDS,
                               drawing.panels, (size_t)n, &options, err);
    for (int i = 0; i < MAX_PANELS; i++)
        memory_free(drawing.spans[i]);
    return status;
}
