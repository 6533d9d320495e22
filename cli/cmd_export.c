#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/model_source.h"
#include "cli/progress.h"
#include "model/gguf_write.h"
#include "model/hf_config.h"

struct watch {
    struct progress progress;
    volatile sig_atomic_t *stop;
};

static bool goes_on(void *context, int64_t done_bytes, int64_t total_bytes)
{
    struct watch *watch = context;
    progress_update(&watch->progress, done_bytes, total_bytes);
    return !*watch->stop;
}

static enum status export_gguf(const struct args *args, const struct transformer *net,
                               struct text *warnings, struct err *err)
{
    const char *path = args_text(args, "out");
    if (path == NULL)
        return err_set(err, STATUS_USAGE, "'export gguf' needs --out FILE");
    struct watch watch = {.stop = interrupt_flag()};
    const struct gguf_write_options options = {
        .seed = (uint64_t)args_int(args, "seed", 0),
        .expand_shared = !args_flag(args, "no-expand"),
        .go_on = goes_on,
        .context = &watch,
    };
    progress_init(&watch.progress, "export");
    enum status status = gguf_write(net, path, &options, warnings, err);
    progress_end(&watch.progress);
    return status;
}

static enum status export_hf(const struct args *args, const struct transformer *net,
                             struct text *warnings, struct err *err)
{
    const char *path = args_text(args, "out");
    return hf_config_write(net, path != NULL ? path : "-", warnings, err);
}

static enum status run(const struct args *args, struct err *err)
{
    bool is_gguf = args_is_kind(args, "gguf");
    struct transformer net;
    struct text warnings = {0};
    enum status status = open_stored_model(args, args_operand(args, 1), &net, err);
    if (status != STATUS_OK)
        return status;
    status = apply_weight_types(args, &net, err);
    if (status == STATUS_OK)
        status = transformer_check(&net, err); /* --head-dtype may have come between */
    if (status == STATUS_OK)
        status = is_gguf ? export_gguf(args, &net, &warnings, err)
                         : export_hf(args, &net, &warnings, err);
    if (status == STATUS_OK)
        warn_lines(args, warnings.data);
    text_release(&warnings);
    transformer_release(&net);
    return status;
}

/* A config.json has no weights. */
static const struct command_kind kinds[] = {
    {"gguf", "out dtype head-dtype seed no-expand db"},
    {"hf", "out dtype head-dtype db"},
    {NULL, NULL},
};

static const struct option options[] = {
    ROW_OUT,
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_RANGE(OPTION_INT, "seed", "N", "0", 0, INT64_MAX, "gguf: where the random weights start"),
    ROW_FLAG("no-expand", "gguf: refuse shared blocks or a tied head instead of writing them out"),
    ROW_DB,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe export gguf mobilellm-125m --dtype q4_0 --out m.gguf", "to time on a phone"},
    {"lathe export gguf 1:42 --db phone.db --out c.gguf", "candidate 42 of run 1"},
    {"lathe export hf 1:42 --db phone.db --out config.json", "to train with transformers"},
    {NULL, NULL},
};

const struct command cmd_export = {
    .name = "export",
    .summary = "a network as a GGUF file with random weights, or as a config.json",
    .operands = "gguf|hf MODEL",
    .operand_values = "@model",
    .min_operands = 2,
    .max_operands = 2,
    .kinds = kinds,
    .kinds_title = "format",
    .options = options,
    .examples = examples,
    .about =
        "A GGUF file made here has the shapes, types and a vocabulary that a runtime loads, and "
        "random weights: it says how fast a network will be, not how well it writes. The format "
        "has no schedule, so shared blocks are written once for every execution, with a warning. "
        "Layers that differ become the architecture of llama.cpp that holds them: deci, openelm "
        "or, "
        "with windows, mimo2. "
        "A config.json goes to standard output without --out.",
    .run = run,
};
