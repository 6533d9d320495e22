#include "cli/commands.h"
#include "cli/law_source.h"
#include "cli/quality_parts.h"
#include "quality/next_runs.h"

static const struct command_kind kinds[] = {
    {"fit", "data law out json"},
    {"validate", "data law seed json"},
    {"show", "law json"},
    {"probe", "law runs recipe budget tokens vocab tied gpu max-gpu-hours json"},
    {"cost", "tokens tokens-per-param gpu gpus preset db json"},
    {NULL, NULL},
};

static enum status run(const struct args *args, struct err *err)
{
    static const struct {
        enum status (*run)(const struct args *args, struct text *notes, struct err *err);
        int max_operands;
    } parts[] = {{quality_fit_part, 256}, /* as `kinds` */
                 {quality_validate_part, 256},
                 {quality_show_part, 1},
                 {quality_probe_part, 1},
                 {quality_cost_part, 256}};
    struct text notes = {0};
    size_t i = 0;
    while (!args_is_kind(args, kinds[i].name))
        i++;
    if (args_n_operands(args) > parts[i].max_operands)
        return err_set(err, STATUS_USAGE, "quality %s takes no file", kinds[i].name);
    enum status status = parts[i].run(args, &notes, err);
    if (notes.data != NULL)
        warn_lines(args, notes.data);
    text_release(&notes);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "data", "FOLDER", NULL, "@file",
        "tables of published runs; fit: fits them; validate: what published laws are fitted to"),
    ROW_LAW,
    ROW(OPTION_TEXT, "out", "FILE", NULL, "@file",
        "fit: law to write; '-' is standard output (the tables then go to standard error)"),
    ROW_RANGE(OPTION_INT, "runs", "N", "3", 1, MAX_QUALITY_NEXT_RUNS,
              "probe: how many runs to propose"),
    ROW(OPTION_TEXT, "recipe", "NAME", NULL, NULL,
        "probe: whose runs they are; default: a recipe without losses"),
    ROW(OPTION_TEXT, "budget", "N", "125M", NULL,
        "probe: parameters of the networks to choose from"),
    ROW_RANGE(OPTION_COUNT, "tokens", "N", "1T", 1, INT64_C(1) << 60,
              "probe, cost: tokens they will be trained on"),
    ROW_RANGE(OPTION_COUNT, "tokens-per-param", "N", NULL, 1, 1000000000,
              "cost: the same as a multiple of each model's parameters"),
    ROW_RANGE(OPTION_COUNT, "vocab", "N", "32000", 1, 10000000, "probe: their vocabulary"),
    ROW_FLAG("tied", "probe: one table for both ends"),
    ROW(OPTION_TEXT, "gpu", "NAME", "a100", "a100 h100 l40s v100 rtx4090",
        "probe, cost: what trains them"),
    ROW_RANGE(OPTION_INT, "gpus", "N", "32", 1, 1000000, "cost: how many of it, for the days"),
    ROW(OPTION_CHOICE, "preset", "NAME", NULL, "paper exploration",
        "cost: MobileLLM's own runs: 32 A100, 480 k or 120 k steps of 32 x 2048 tokens a GPU"),
    ROW_RANGE(OPTION_COUNT, "max-gpu-hours", "N", "50", 1, 1000000,
              "probe: the most that one run may take"),
    ROW_RANGE(OPTION_INT, "seed", "N", "1", 0, INT64_MAX,
              "validate: where the draws of given runs start"),
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe quality show", "coefficients and terms, each with interval and source"},
    {"lathe quality validate", "errors on rows kept back, beside published laws"},
    {"lathe quality fit --data data/quality --out law.json", "the law that came along, again"},
    {"lathe quality fit runs.csv --out mine.json", "your own runs over it"},
    {"lathe quality validate more.csv --law mine.json --json", "what it says of others"},
    {"lathe quality probe --runs 3 --budget 350M", "which small runs to train first"},
    {"lathe quality cost mobilellm-125m mobilellm-1b --preset paper", "days of the paper's runs"},
    {"lathe quality cost my/config.json --tokens-per-param 20 --gpu h100 --gpus 8",
     "what a run of your own takes"},
    {NULL, NULL},
};

const struct command cmd_quality = {
    .name = "quality",
    .summary = "what a network is worth: a law of loss, with error bars",
    .operands = "fit|validate|show|probe|cost [RUNS.csv|MODEL]...",
    .operand_values = "fit validate show probe cost",
    .min_operands = 1,
    .max_operands = 257,
    .kinds = kinds,
    .kinds_title = "part",
    .options = options,
    .examples = examples,
    .about =
        "A law of the loss (nats a token) by shape and training tokens, fitted to published runs. "
        "Losses are compared inside one recipe (tokeniser, data, schedule) only. RUNS.csv has the "
        "columns recipe d_model n_layers n_heads n_kv_heads head_dim d_ff vocab train_tokens "
        "val_loss, or config (a config.json) in place of the shape; also tied (yes, no), ffn "
        "(gated, "
        "plain), repeats, and accuracy (percent) for fit where there is no loss. The recipe is one "
        "of the law's or a new name: two runs of a new recipe are needed, three bring the error to "
        "about 0.7 %. validate prints each row's prediction with its 90 % interval in the order "
        "given; --json has the pairs at equal budget too (a, b: rows counted from 0; difference a "
        "minus b; the probability that a has the lower loss). Rows that cannot be used are named "
        "on "
        "standard error. cost prints FLOP (6 a parameter and token), utilisation, GPU-hours and "
        "days "
        "of training models, and what training every depth of their size would take: the answer by "
        "trial.",
    .run = run,
};
