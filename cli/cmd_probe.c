#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "device/device.h"
#include "fit/probe.h"
#include "model/count.h"
#include "model/hf_config.h"
#include "search/enumerate.h"

enum { SAMPLE = 600, MAX_PICKS = 64, MAX_TYPES = 8 };

/* An even sample of what the enumerator visits: unshared, since runtimes have no other. */
struct sample {
    struct candidate items[SAMPLE];
    size_t n;
    struct reservoir reservoir;
};

static enum status take(const struct candidate *candidates, int64_t n, void *user, struct err *err)
{
    struct sample *sample = user;
    (void)err;
    for (int64_t i = 0; i < n; i++) {
        if (candidates[i].schedule.repeats > 1 || candidates[i].schedule.share_ffn)
            continue;
        size_t place = reservoir_place(&sample->reservoir);
        if (place >= SAMPLE)
            continue;
        sample->items[place] = candidates[i];
        sample->n += sample->n == place;
    }
    return STATUS_OK;
}

static enum status draw(const struct args *args, const struct machine *machine,
                        struct sample *sample, struct err *err)
{
    static struct space space; /* large */
    struct budget budget;
    struct enumeration enumeration;
    const struct workload workload = {DEFAULT_PROMPT, DEFAULT_CONTEXT};
    const struct enumerate_options options = {.n_jobs = 1};
    space_default(&space);
    enum status status = parse_budget(args_text(args, "budget"), &budget, err);
    if (status != STATUS_OK)
        return status;
    status = enumeration_start(&space, &budget, &enumeration, err);
    if (status != STATUS_OK)
        return status;
    reservoir_init(&sample->reservoir, SAMPLE, 1);
    status = enumerate_candidates(&enumeration, machine, &workload, &options, take, sample, err);
    enumeration_end(&enumeration);
    if (status == STATUS_OK && sample->n == 0)
        status = err_set(err, STATUS_RANGE, "no unshared network in the budget");
    return status;
}

static enum status types_of(const struct args *args, enum dtype types[MAX_TYPES], int *n,
                            struct err *err)
{
    const char *name;
    *n = 0;
    for (int i = 0; (name = args_nth(args, "dtype", i)) != NULL; i++) {
        if (*n == MAX_TYPES)
            return err_set(err, STATUS_USAGE, "more than %d types", MAX_TYPES);
        enum status status = dtype_parse(name, &types[(*n)++], err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status write_configs(const struct args *args, const struct transformer *nets,
                                 const size_t *picked, size_t n, struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        char path[4096];
        struct transformer net = nets[picked[i]];
        transformer_set_dtype(&net, DTYPE_F16);
        snprintf(path, sizeof path, "%s/%s.json", args_text(args, "out"), net.name);
        status = hf_config_write(&net, path, NULL, err);
    }
    return status;
}

static void print_commands(const struct args *args, const struct transformer *nets,
                           const size_t *picked, size_t n)
{
    const char *folder = args_text(args, "out");
    printf("\n# here: files with random weights, to be copied to the device\n");
    for (size_t i = 0; i < n; i++) {
        const char *name = nets[picked[i]].name, *type = dtype_name(nets[picked[i]].block_dtype);
        printf("lathe export gguf %s/%s.json --dtype %s --out %s-%s.gguf\n", folder, name, type,
               name, type);
    }
    printf(
        "\n# there: a prompt and tokens from an empty cache, and tokens at a depth (a llama-bench "
        "that does not know -d can do without)\n");
    for (size_t i = 0; i < n; i++) {
        const char *name = nets[picked[i]].name, *type = dtype_name(nets[picked[i]].block_dtype);
        printf("llama-bench -m %s-%s.gguf -p 128 -n %d -o jsonl >> bench.jsonl\n", name, type,
               2 * PROBE_SHORT_CONTEXT);
        printf("llama-bench -m %s-%s.gguf -p 0 -d %d -n %d -o jsonl >> bench.jsonl\n", name, type,
               PROBE_LONG_CONTEXT, 2 * PROBE_SHORT_CONTEXT);
    }
    printf("\n# here again\nlathe fit bench.jsonl --device %s", args_text(args, "device"));
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || strcmp(nets[picked[k]].name, nets[picked[i]].name) == 0;
        if (!again)
            printf(" \\\n    --model %s=%s/%s.json", nets[picked[i]].name, folder,
                   nets[picked[i]].name);
    }
    printf(" \\\n    --runtime llama.cpp --out my-device.json\n");
}

struct pick {
    const char *model, *dtype;
    int64_t n_layers, d_model, n_heads, n_kv_heads, d_ff, weight_bytes;
    double gain_nats;
};
static const struct field pick_fields[] = {
    LISTED(pick, model, UNIT_NONE, "network"),   LISTED(pick, dtype, UNIT_NONE, "type"),
    LISTED(pick, n_layers, UNIT_NONE, "layers"), LISTED(pick, d_model, UNIT_NONE, "d_model"),
    LISTED(pick, n_heads, UNIT_NONE, "heads"),   LISTED(pick, n_kv_heads, UNIT_NONE, "kv"),
    LISTED(pick, d_ff, UNIT_NONE, "d_ff"),       LISTED(pick, weight_bytes, UNIT_BYTES, "weights"),
    LISTED(pick, gain_nats, UNIT_NATS, "gain"),
};

static enum status print_picks(const struct args *args, const struct transformer *nets,
                               const size_t *picked, const double *gain, size_t n, struct err *err)
{
    struct listing listing = {0};
    LISTING_FIELDS(&listing, pick_fields);
    for (size_t i = 0; i < n; i++) {
        const struct transformer *net = &nets[picked[i]];
        struct weight_bytes bytes;
        transformer_weight_bytes(net, &bytes);
        const struct pick pick = {
            .model = net->name,
            .dtype = dtype_name(net->block_dtype),
            .n_layers = net->schedule.n_layers,
            .d_model = net->d_model,
            .n_heads = net->stack.first.n_heads,
            .n_kv_heads = net->stack.first.n_kv_heads,
            .d_ff = net->stack.first.d_ff,
            .weight_bytes = bytes.total,
            .gain_nats = gain[i],
        };
        listing_add(&listing, &pick);
    }
    enum status status = listing_print_as(&listing, args_flag(args, "json"), stdout, err);
    listing_release(&listing);
    return status;
}

/* Every network of the sample in every type; [n * n_types]. */
static enum status make_networks(const struct sample *sample, const enum dtype *types, int n_types,
                                 struct transformer *nets, struct err *err)
{
    for (size_t i = 0; i < sample->n; i++)
        for (int t = 0; t < n_types; t++) {
            struct transformer *net = nets++;
            enum status status = candidate_transformer(&sample->items[i], net, err);
            if (status != STATUS_OK)
                return status; /* a uniform stack has nothing to release */
            transformer_set_dtype(net, types[t]);
            net->max_context = 2 * PROBE_LONG_CONTEXT;
        }
    return STATUS_OK;
}

static enum status choose(const struct args *args, const struct machine *machine,
                          const struct transformer *nets, size_t n, struct err *err)
{
    size_t picked[MAX_PICKS], wanted = (size_t)args_int(args, "n", 6);
    double gain[MAX_PICKS];
    enum status status;
    wanted = wanted > n ? n : wanted;
    if ((status = probe_design(machine, nets, n, wanted, picked, gain, err)) ||
        (status = write_configs(args, nets, picked, wanted, err)) ||
        (status = print_picks(args, nets, picked, gain, wanted, err)))
        return status;
    if (!args_flag(args, "json"))
        print_commands(args, nets, picked, wanted);
    return STATUS_OK;
}

static enum status propose(const struct args *args, const struct machine *machine,
                           const struct sample *sample, const enum dtype *types, int n_types,
                           struct err *err)
{
    size_t n = sample->n * (size_t)n_types;
    struct transformer *nets = memory_new(n, sizeof *nets);
    if (nets == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = make_networks(sample, types, n_types, nets, err);
    if (status == STATUS_OK)
        status = choose(args, machine, nets, n, err);
    memory_free(nets);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct device device;
    struct machine machine;
    enum dtype types[MAX_TYPES];
    int n_types;
    if (!file_is_directory(args_text(args, "out")))
        return err_set(err, STATUS_IO, "no directory '%s'", args_text(args, "out"));
    enum status status;
    if ((status = types_of(args, types, &n_types, err)) ||
        (status = device_open(args_text(args, "device"), &device, err)) ||
        (status = machine_resolve(&device, (int)args_int(args, "threads", 0), &machine, err)))
        return status;
    struct sample *sample = memory_new(1, sizeof *sample);
    if (sample == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    status = draw(args, &machine, sample, err);
    if (status == STATUS_OK)
        status = propose(args, &machine, sample, types, n_types, err);
    memory_free(sample);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "budget", "N", "125M", NULL, "parameters, as lathe search takes them"),
    ROW(OPTION_TEXT, "device", "D", "generic-phone", "@device",
        "profile closest to the device, for the sizes of costs to expect"),
    ROW_RANGE(OPTION_INT, "n", "N", "6", 1, MAX_PICKS, "networks to propose"),
    ROW(OPTION_LIST, "dtype", "TYPE[,TYPE]", "q8_0", NULL, "weight types to time"),
    ROW_THREADS,
    ROW(OPTION_TEXT, "out", "FOLDER", ".", "@file", "where the networks' config.json files go"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe probe --budget 125M --device pixel-8-pro --out probes",
     "six networks to time on a phone"},
    {"lathe probe --n 8 --dtype q8_0,q4_0 --out probes", "in two types"},
    {NULL, NULL},
};

const struct command cmd_probe = {
    .name = "probe",
    .summary = "the few networks to time on a device before 'lathe fit'",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "Proposes the networks of the default space whose timings tell the costs of a device "
        "apart: bandwidth of each type, cost per layer and pass, head, attention at depth. Each "
        "is the one that adds most to those before it ('gain'; below about one nat another "
        "teaches little). Writes their config.json files and prints the commands that make "
        "files for a runtime, time them and fit a profile.",
    .run = run,
};
