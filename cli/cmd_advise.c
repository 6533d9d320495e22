#include <stdio.h>

#include "base/memory.h"
#include "cli/advice_text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/loss_setting.h"
#include "cli/terminal.h"
#include "device/device.h"
#include "model/hf_config.h"

/* The question, and everything that it borrows. */
struct advise_job {
    struct space space;
    struct enumeration enumeration;
    struct machine machines[MAX_ADVICE_DEVICES];
    struct loss_setting loss;
    struct loss_scale scale;
    struct advise_question question;
    struct advised on[MAX_ADVICE_DEVICES];
    struct advised_all all;
};

static enum status read_limits(const struct args *args, struct advice_limits *limits,
                               struct err *err)
{
    const char *text;
    for (int i = 0; (text = args_nth(args, "max", i)) != NULL; i++) {
        enum status status = advice_limit_add(text, limits, err);
        if (status != STATUS_OK)
            return err_prefix(err, status, "--max ");
    }
    return STATUS_OK;
}

static enum status read_devices(const struct args *args, struct advise_job *job, struct err *err)
{
    struct advise_question *q = &job->question;
    struct device device;
    q->n_devices = args_count(args, "device");
    if (q->n_devices == 0)
        return err_set(err, STATUS_USAGE, "'advise' needs --device ('lathe devices' lists them)");
    if (q->n_devices > MAX_ADVICE_DEVICES)
        return err_set(err, STATUS_USAGE, "more than %d devices", MAX_ADVICE_DEVICES);
    for (int d = 0; d < q->n_devices; d++) {
        int threads = (int)args_int(args, "threads", 0);
        q->device[d] = args_nth(args, "device", d);
        q->machine[d] = &job->machines[d];
        enum status status = device_open(q->device[d], &device, err);
        if (status == STATUS_OK)
            status = machine_resolve(&device, threads, &job->machines[d], err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_space(const struct args *args, struct space *space, struct err *err)
{
    enum status status = STATUS_OK;
    if (args_text(args, "space") != NULL)
        status = space_open(args_text(args, "space"), space, err);
    else
        space_default(space);
    if (args_dtype(args, "dtype", &space->dtype[0]))
        space->n_dtypes = 1;
    if (args_dtype(args, "kv-dtype", &space->kv_dtype[0]))
        space->n_kv_dtypes = 1;
    if (status == STATUS_OK && space->vocab_size.n > 1)
        return err_set(
            err, STATUS_INPUT,
            "the space has %d vocabularies, and their losses are not compared: leave one",
            space->vocab_size.n);
    return status;
}

static enum status read_losses(const struct args *args, struct advise_job *job, struct err *err)
{
    double vocab = (double)job->space.vocab_size.value[0];
    enum status status = loss_setting_of_options(args, &job->loss, err);
    if (status == STATUS_OK)
        status = loss_setting_require(&job->loss, err);
    if (status == STATUS_OK)
        status = loss_setting_scale(&job->loss, &job->enumeration, 0, &job->scale, err);
    if (status == STATUS_OK && loss_scale_find(&job->scale, vocab) == NULL)
        status = err_set(err, STATUS_INPUT,
                         "--reference has another vocabulary than the space (%.0f): their losses "
                         "are not compared",
                         vocab);
    return status;
}

static enum status read_job(const struct args *args, struct advise_job *job, struct err *err)
{
    struct advise_question *q = &job->question;
    struct budget budget;
    enum status status;
    if (args_text(args, "budget") == NULL)
        return err_set(err, STATUS_USAGE,
                       "'advise' needs --budget, like 125M, 125M+-2%% or 100M..130M");
    q->enumeration = &job->enumeration;
    q->loss = &job->scale;
    q->workload = (struct workload){.prompt = args_int(args, "prompt", DEFAULT_PROMPT),
                                    .context = args_int(args, "context", DEFAULT_CONTEXT)};
    if ((status = parse_budget(args_text(args, "budget"), &budget, err)) ||
        (status = read_limits(args, &q->limits, err)) ||
        (status = training_gpu_find(args_text(args, "gpu"), &q->gpu, err)) ||
        (status = read_devices(args, job, err)) || (status = read_space(args, &job->space, err)) ||
        (status = enumeration_start(&job->space, &budget, &job->enumeration, err)))
        return status;
    return read_losses(args, job, err);
}

static enum status print_answer(const struct args *args, const struct advise_job *job,
                                struct err *err)
{
    const struct advise_question *q = &job->question;
    struct text text = {0};
    if (args_flag(args, "json"))
        return print_json(advice_json(q, job->on, &job->all), stdout, err);
    for (int d = 0; d < q->n_devices; d++)
        advice_words(q, d, &job->on[d], &text);
    if (q->n_devices > 1)
        compromise_words(q, job->on, &job->all, &text);
    enum status status = text.failed ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    if (status == STATUS_OK)
        print_lines(stdout, text.data, ADVICE_LABEL);
    text_release(&text);
    return status;
}

/* The answer's config.json; of several devices that of the compromise. */
static enum status write_config(const struct args *args, const struct advise_job *job,
                                struct err *err)
{
    const char *path = args_text(args, "out");
    struct transformer net;
    struct text warnings = {0};
    if (path == NULL) {
        fprintf(stderr, "--out config.json writes this network for trainers and 'lathe export'\n");
        return STATUS_OK;
    }
    if (job->all.compromise.option == ADVICE_NONE)
        return err_set(err, STATUS_RANGE,
                       "no network to write to '%s': none is within the limits on every device",
                       path);
    enum status status = candidate_transformer(&job->all.on[0].candidate, &net, err);
    if (status != STATUS_OK)
        return status;
    status = hf_config_write(&net, path, &warnings, err);
    if (status == STATUS_OK)
        warn_lines(args, warnings.data);
    text_release(&warnings);
    transformer_release(&net);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct advise_job *job = memory_new(1, sizeof *job);
    if (job == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = read_job(args, job, err);
    if (status == STATUS_OK)
        status = advise(&job->question, job->on, &job->all, err);
    if (status == STATUS_OK)
        status = print_answer(args, job, err);
    if (status == STATUS_OK)
        status = write_config(args, job, err);
    loss_scale_release(&job->scale);
    loss_setting_release(&job->loss);
    enumeration_end(&job->enumeration);
    memory_free(job);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "budget", "N", NULL, NULL,
        "parameters: 125M (within 2 %), 125M+-5%, 100M..130M"),
    ROW_DEVICE,
    ROW(OPTION_TEXTS, "max", "METRIC=N", NULL, "@metric",
        "what it may cost at most: decode_ms=8, ttft_cold_ms=500, peak_mb=300; may be given again"),
    ROW(OPTION_TEXT, "space", "FILE", NULL, "@file",
        "axes of the design space, JSON; default: MobileLLM's family and its surroundings"),
    ROW(OPTION_TEXT, "out", "FILE", NULL, "@file",
        "config.json to write of the network; of several devices, of the compromise"),
    ROWS_QUALITY,
    ROW(OPTION_TEXT, "gpu", "NAME", "a100", "a100 h100 l40s v100 rtx4090", "what trains it"),
    ROW_DTYPE,
    ROW_KV_DTYPE,
    ROW_PROMPT,
    ROW_CONTEXT,
    ROW_THREADS,
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe advise --budget 125M --device iphone-13", "what to train for a phone"},
    {"lathe advise --budget 125M --device rpi5 --max decode_ms=50 --max peak_mb=300",
     "the best that is fast and small enough"},
    {"lathe advise --budget 350M --device iphone-13,rpi5 --dtype q8_0 --tokens 200B",
     "for two devices, and what suits both"},
    {"lathe advise --budget 125M --device iphone-13 --out config.json", "to train it"},
    {NULL, NULL},
};

const struct command cmd_advise = {
    .name = "advise",
    .summary = "what to train for a device, in five lines, and how sure that is",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "Of the networks of the budget that --max allows: with a limit on decoding the one with "
        "the "
        "lowest expected loss, or the fastest within 0.01 nats of it. Without one, time has a "
        "price: an e-fold of it may cost half of what an e-fold larger network would gain, which "
        "costs memory too. 'instead' is the same rule's answer among networks of another kind "
        "(depth, or executions of a layer) that are a tenth faster or 0.02 nats better. 'sure' has "
        "probabilities from the law of loss (docs/quality.md) and says where its data end; "
        "'settle' the small runs that would say most, each at most a tenth of the cost of training "
        "the answer. For several devices 'for all' is the network with the least largest regret. "
        "Nothing is stored.",
    .run = run,
};
