#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/model_source.h"
#include "cli/setting.h"
#include "cli/simulation_view.h"
#include "cli/timeline_figure.h"
#include "simulator/program.h"
#include "simulator/trace.h"

static enum status bytes_option(const struct args *args, const char *option, int64_t *out,
                                struct err *err)
{
    const char *text = args_text(args, option);
    enum status status = text == NULL ? STATUS_OK : parse_bytes(text, out, err);
    return status == STATUS_OK ? status : err_prefix(err, STATUS_USAGE, "--%s: ", option);
}

/* --sram, --policy and --prefetch change the level above DRAM. */
static enum status change_machine(const struct args *args, struct machine *machine, struct err *err)
{
    struct machine_level *chip = &machine->levels[machine->dram > 0 ? machine->dram - 1 : 0];
    const char *policy = args_text(args, "policy");
    if (machine->dram == 0 && (args_given(args, "sram") || policy != NULL))
        return err_set(err, STATUS_INPUT, "device '%s' lacks a level above dram", machine->device);
    enum status status = bytes_option(args, "sram", &chip->capacity_bytes, err);
    if (status == STATUS_OK && policy != NULL)
        status = level_policy_parse(policy, &chip->policy, err);
    if (args_text(args, "prefetch") != NULL)
        machine->overlap_frac = (double)args_int(args, "prefetch", 0) / 100;
    return status;
}

static enum status read_options(const struct args *args, const struct setting *setting,
                                struct simulation *out, struct err *err)
{
    const char *load = args_text(args, "load");
    simulation_init(out);
    out->workload = setting->workload;
    out->tokens = args_int(args, "tokens", 1);
    out->load = strcmp(load, "cold") == 0   ? LOAD_COLD
                : strcmp(load, "warm") == 0 ? LOAD_WARM
                                            : LOAD_PROFILE;
    out->copied = args_flag(args, "copied");
    out->exact = args_flag(args, "exact");
    enum status status = bytes_option(args, "memory", &out->memory_bytes, err);
    if (status == STATUS_OK)
        status = bytes_option(args, "tile", &out->tile_bytes, err);
    if (status == STATUS_OK && args_given(args, "tile") && out->tile_bytes < LEAST_TILE_BYTES)
        return err_set(err, STATUS_USAGE, "--tile '%s': expected %d KiB or more",
                       args_text(args, "tile"), LEAST_TILE_BYTES >> 10);
    return status;
}

struct simulate_job {
    const struct args *args;
    struct setting setting;
    struct simulation simulation;
    struct json_node *json;   /* NULL: text */
    enum status trace_status; /* of the trace, which may fail alone */
    struct err trace_err;
};

static enum status simulate_one(struct simulate_job *job, const struct transformer *net,
                                struct err *err)
{
    const char *path = args_text(job->args, "trace");
    const struct machine *machine = &job->setting.machine;
    struct simulation simulation = job->simulation;
    struct simulated simulated;
    struct trace *trace = NULL;
    enum status status = STATUS_OK;
    if (path != NULL) {
        char title[256];
        snprintf(title, sizeof title, "%s on %s", net->name, machine->device);
        trace = memory_new(1, sizeof *trace);
        if (trace == NULL)
            return err_set(err, STATUS_NOMEM, "out of memory");
        status = trace_begin(trace, path, title, machine, simulation.tokens > 1, err);
        simulation.sink = trace_sink(trace);
    }
    if (status == STATUS_OK) {
        status = simulate(net, machine, &simulation, &simulated, err);
        if (trace != NULL && status != STATUS_OK)
            trace_abandon(trace);
        else if (trace != NULL)
            job->trace_status = trace_finish(trace, &job->trace_err);
    }
    memory_free(trace);
    if (status != STATUS_OK)
        return err_prefix(err, status, "%s on %s: ", net->name, machine->device);
    const struct simulation_view view = {net, machine, &simulation, &simulated};
    if (job->json != NULL) {
        simulation_json(&view, json_add_object(job->json, NULL));
        return STATUS_OK;
    }
    return simulation_print(&view, stdout, err);
}

static enum status each_model(struct simulate_job *job, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < args_n_operands(job->args) && status == STATUS_OK; i++) {
        struct transformer net;
        status = open_model(job->args, args_operand(job->args, i), &net, err);
        if (status != STATUS_OK)
            break;
        if (i > 0 && job->json == NULL)
            printf("\n");
        status = simulate_one(job, &net, err);
        transformer_release(&net);
    }
    return status;
}

static enum status check_usage(const struct args *args, const char **device, struct err *err)
{
    enum status status = args_one_device(args, device, err);
    if (status != STATUS_OK)
        return status;
    if (args_given(args, "trace") && args_n_operands(args) > 1)
        return err_set(err, STATUS_USAGE, "--trace takes one MODEL");
    return STATUS_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct simulate_job job = {.args = args};
    const char *device;
    enum status status = check_usage(args, &device, err);
    if (status == STATUS_OK)
        status = setting_of_options(args, device, &job.setting, err);
    if (status == STATUS_OK)
        status = change_machine(args, &job.setting.machine, err);
    if (status == STATUS_OK)
        status = read_options(args, &job.setting, &job.simulation, err);
    if (status != STATUS_OK)
        return status;
    if (args_given(args, "timeline"))
        return draw_timelines(args, &job.setting.machine, &job.simulation, err);
    if (args_flag(args, "json"))
        job.json = json_new_array();
    status = each_model(&job, err);
    if (job.json != NULL && status == STATUS_OK)
        status = print_json(job.json, stdout, err);
    else
        json_free(job.json);
    if (status == STATUS_OK && job.trace_status != STATUS_OK)
        status = err_set(err, job.trace_status, "no trace: %s", job.trace_err.message);
    return status;
}

static const struct option options[] = {
    ROW_DEVICE,
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROW_THREADS,
    ROW_PROMPT,
    ROW_CONTEXT,
    ROW_RANGE(OPTION_COUNT, "tokens", "N", "1", 1, INT64_C(1) << 32,
              "tokens decoded, the context growing"),
    ROW(OPTION_TEXT, "sram", "SIZE", NULL, NULL,
        "capacity of the level above DRAM, 20MiB; default: as the profile says"),
    ROW(OPTION_CHOICE, "policy", "P", NULL, "lru managed pinned",
        "what that level keeps when it is full; default: as the profile says"),
    ROW_RANGE(OPTION_INT, "prefetch", "PERCENT", NULL, 0, 100,
              "share of that level that may run ahead of the current operator; default: the "
              "profile's overlap_frac"),
    ROW(OPTION_TEXT, "memory", "SIZE", NULL, NULL,
        "memory for weights, KV cache and activations; weights beyond it come from flash in each "
        "pass; default: the profile's usable DRAM"),
    ROW(OPTION_CHOICE, "load", "HOW", "profile", "profile cold warm",
        "as the profile's loader does, from flash, or from the page cache"),
    ROW_FLAG("copied", "the file is copied into memory instead of mapped"),
    ROW(OPTION_TEXT, "tile", "SIZE", NULL, NULL, "tiles of that size; default: by the network's"),
    ROW_FLAG("exact", "every token by events, instead of as few as the steady state allows"),
    ROW(OPTION_TEXT, "trace", "FILE", NULL, "@file",
        "write what happened when in the Chrome trace event format (opens in ui.perfetto.dev)"),
    ROW(OPTION_TEXT, "timeline", "FILE", NULL, "@file",
        "draw two neighbouring distinct blocks of each MODEL (.svg .png .pdf, - for the terminal) "
        "and print nothing else"),
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe simulate mobilellm-ls-125m --device iphone-13",
     "where the time of a token goes, and what it waits for"},
    {"lathe simulate mobilellm-ls-125m --device iphone-13 --sram 8MiB --policy managed",
     "with another buffer, managed by software"},
    {"lathe simulate mobilellm-125m --device iphone-13 --trace trace.json",
     "open trace.json in ui.perfetto.dev"},
    {"lathe simulate mobilellm-1b --device iphone-13 --memory 500MB --load cold --tokens 16",
     "a model larger than the memory it may use"},
    {NULL, NULL},
};

const struct command cmd_simulate = {
    .name = "simulate",
    .summary = "run a network through a device's memories, event by event",
    .operands = "MODEL...",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = 4,
    .options = options,
    .examples = examples,
    .about =
        "Every tile of weights and KV cache moves from flash through DRAM and the levels above "
        "to the compute units, with finite buffers, prefetch and dispatches. 'decode, one "
        "token' is the steady state after --context tokens. 'hits' is the share of weights "
        "and KV cache that came from above DRAM; 'bound by' splits each operator's time along "
        "its critical path. docs/simulator.md says what it can and cannot show.",
    .run = run,
};
