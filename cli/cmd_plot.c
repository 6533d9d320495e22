#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/figures.h"
#include "cli/loss_setting.h"
#include "cli/quality_figures.h"
#include "model/preset.h"
#include "model/published.h"
#include "plots/gnuplot.h"
#include "plots/plot_accuracy.h"

/* Kinds that show a run: depth and front. */
static enum status plot_run(const struct args *args, bool depth, const struct plot_options *options,
                            struct err *err)
{
    struct store *store = NULL;
    struct setting setting;
    struct budget budget;
    int64_t run_id = 0;
    struct priced_list list = {0};
    enum status status;
    if ((status = store_open(args_text(args, "db"), STORE_READ, &store, err)))
        return status;
    if ((status =
             setting_of_run(store, args_int(args, "run", 0), &setting, &run_id, &budget, err)) ||
        (status = price_marks(args, 1, &setting, &budget, &list, err)))
        goto out;
    status = figure_run(store, run_id, depth, &list, options, err);
out:
    priced_release(&list);
    store_close(store);
    return status;
}

/* Every MODEL on every device; with several devices their names stand behind the models'. */
static enum status price_operands(const struct args *args, struct setting *setting,
                                  struct priced_list *list, struct err *err)
{
    int n_devices = args_count(args, "device");
    enum status status = STATUS_OK;
    if (args_n_operands(args) < 2)
        return err_set(err, STATUS_USAGE, "'%s' needs MODEL...", args_operand(args, 0));
    if (n_devices == 0)
        return err_set(err, STATUS_USAGE, "'%s' needs --device ('lathe devices' lists them)",
                       args_operand(args, 0));
    for (int i = 1; i < args_n_operands(args); i++)
        for (int d = 0; d < n_devices && status == STATUS_OK; d++) {
            char suffix[64] = "";
            status = setting_of_options(args, args_nth(args, "device", d), setting, err);
            if (n_devices > 1)
                snprintf(suffix, sizeof suffix, ", %s", setting->machine.device);
            if (status == STATUS_OK)
                status = priced_add(list, args, args_operand(args, i), setting, suffix, err);
        }
    return status;
}

/* With several devices their names stand behind the models'. */
static void describe(const struct args *args, const struct setting *setting, char *buffer,
                     size_t size)
{
    const char *dtype = args_text(args, "dtype");
    bool one = args_count(args, "device") == 1;
    snprintf(buffer, size, "%s%s%s, prompt %lld, context %lld", one ? setting->machine.device : "",
             one ? ", " : "", dtype != NULL ? dtype : "types as the models say",
             (long long)setting->workload.prompt, (long long)setting->workload.context);
}

static enum status plot_models(const struct args *args, bool by_phase, struct plot_options *options,
                               struct err *err)
{
    struct priced_list list = {0};
    struct setting setting = {0};
    char subtitle[160];
    enum status status = price_operands(args, &setting, &list, err);
    if (status == STATUS_OK) {
        describe(args, &setting, subtitle, sizeof subtitle);
        options->subtitle = subtitle;
        status =
            by_phase ? figure_phases(&list, options, err) : figure_breakdown(&list, options, err);
        options->subtitle = NULL; /* it ends here */
    }
    priced_release(&list);
    return status;
}

/* "cerebras-gpt" of cerebras-gpt-111m: whose sizes make one line. A series and its layer-sharing
 * sisters ("mobilellm-ls-125m") are one. */
static void name_series(const char *model, char *series, size_t size)
{
    const char *end = strrchr(model, '-');
    size_t n = end == NULL ? strlen(model) : (size_t)(end - model);
    if (n > 3 && strncmp(model + n - 3, "-ls", 3) == 0)
        n -= 3;
    snprintf(series, size, "%.*s", (int)n, model);
}

/* What the figure of accuracies is made from, a model at a time. */
struct accuracies {
    struct preset_list presets;
    struct published_list published;
    struct priced_list list;        /* the models with a published accuracy */
    struct plot_accuracy_row *rows; /* [list.n] */
    char (*series)[48];             /* [list.n] */
};

static void accuracies_release(struct accuracies *a)
{
    memory_free(a->rows);
    memory_free(a->series);
    priced_release(&a->list);
    published_release(&a->published);
    preset_list_release(&a->presets);
}

static enum status accuracies_open(struct accuracies *a, struct err *err)
{
    enum status status;
    if ((status = preset_list_open(&a->presets, err)) ||
        (status = published_open(&a->published, err)))
        return status;
    a->rows = memory_new(a->presets.n, sizeof *a->rows);
    a->series = memory_new(a->presets.n, sizeof *a->series);
    if (a->rows == NULL || a->series == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    return STATUS_OK;
}

static enum status accuracies_price(struct accuracies *a, const struct args *args,
                                    struct setting *setting, struct err *err)
{
    for (size_t i = 0; i < a->presets.n; i++) {
        const char *model = a->presets.items[i].name;
        double percent = published_average(&a->published, model);
        if (isnan(percent))
            continue;
        enum status status = priced_add(&a->list, args, model, setting, "", err);
        if (status != STATUS_OK)
            return status;
        a->rows[a->list.n - 1].accuracy_frac = percent / 100;
    }
    for (size_t i = 0; i < a->list.n; i++) { /* the list has grown to its place */
        const struct priced *priced = &a->list.items[i];
        name_series(priced->name, a->series[i], sizeof a->series[i]);
        a->rows[i].model = priced->name;
        a->rows[i].family = a->series[i];
        a->rows[i].decode_ns = priced->price.decode_ns;
    }
    return STATUS_OK;
}

static enum status plot_published(const struct args *args, struct plot_options *options,
                                  struct err *err)
{
    struct accuracies a = {0};
    struct setting setting;
    char subtitle[160];
    const char *device;
    enum status status = args_one_device(args, &device, err);
    if (status != STATUS_OK)
        return status;
    if (args_n_operands(args) > 1)
        return err_set(err, STATUS_USAGE,
                       "'accuracy' shows every model with a published accuracy: leave out '%s'",
                       args_operand(args, 1));
    status = setting_of_options(args, device, &setting, err);
    if (status != STATUS_OK)
        return status;
    if ((status = accuracies_open(&a, err)) || (status = accuracies_price(&a, args, &setting, err)))
        goto out;
    describe(args, &setting, subtitle, sizeof subtitle);
    options->subtitle = subtitle;
    status =
        plot_accuracy(a.rows, a.list.n, true, "zero-shot accuracy, mean of 8 tasks", options, err);
    options->subtitle = NULL; /* it ends here */
out:
    accuracies_release(&a);
    return status;
}

#define PRICING_OPTIONS "device dtype head-dtype kv-dtype threads prompt context"

/* A run has its device, types and workload already. */
static const struct command_kind kinds[] = {
    {"deep-or-wide", "out budget law recipe tokens tokens-per-param " PRICING_OPTIONS},
    {"depth", "out db run"},
    {"front", "out db run"},
    {"phases", "out db " PRICING_OPTIONS},
    {"breakdown", "out db " PRICING_OPTIONS},
    {"accuracy", "out " PRICING_OPTIONS},
    {"roadmap", "out law"},
    {NULL, NULL},
};

static enum status plot_kind(const struct args *args, struct plot_options *options, struct err *err)
{
    if (args_is_kind(args, "depth") || args_is_kind(args, "front"))
        return plot_run(args, args_is_kind(args, "depth"), options, err);
    if (args_is_kind(args, "phases") || args_is_kind(args, "breakdown"))
        return plot_models(args, args_is_kind(args, "phases"), options, err);
    if (args_is_kind(args, "accuracy"))
        return plot_published(args, options, err);
    return args_is_kind(args, "roadmap") ? figure_roadmap(args, options, err)
                                         : figure_deep_or_wide(args, options, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct text warnings = {0};
    struct plot_options options = {.path = args_text(args, "out"), .warnings = &warnings};
    enum plot_format format;
    enum status status = plot_format_of(options.path, &format, err);
    if (status == STATUS_OK)
        status = plot_kind(args, &options, err);
    if (status == STATUS_OK)
        warn_lines(args, warnings.data);
    text_release(&warnings);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "out", "FILE", "-", "@file",
        "picture to write: .svg, .png or .pdf; -: characters on the terminal"),
    ROW_DB,
    ROW_RUN,
    ROW_DEVICE,
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROW_THREADS,
    ROW_PROMPT,
    ROW_CONTEXT,
    ROW(OPTION_TEXT, "budget", "N", NULL, NULL,
        "parameters of the networks of 'deep-or-wide', like 125M"),
    ROWS_TRAINING,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe plot deep-or-wide --budget 125M --device iphone-13,rpi5 --out depth.svg",
     "loss and latency against depth, and the depths that are best by both"},
    {"lathe plot front --db phone.db --out front.svg",
     "the trade-off a search found, published models marked"},
    {"lathe plot depth mobilellm-125m opt-125m --db phone.db",
     "latency against depth, two models marked, in the terminal"},
    {"lathe plot phases mobilellm-125m mobilellm-ls-125m --device iphone-13 --out phases.svg",
     "load, init, first and next token"},
    {"lathe plot breakdown mobilellm-125m mobilellm-ls-125m --device iphone-13 --out time.svg",
     "where the time of a token goes"},
    {"lathe plot accuracy --device iphone-13 --dtype q4_0 --out accuracy.svg",
     "published accuracy against predicted latency"},
    {"lathe plot roadmap --out roadmap.svg",
     "the paper's gains, step by step: predicted and printed"},
    {NULL, NULL},
};

const struct command cmd_plot = {
    .name = "plot",
    .summary = "draw a figure with gnuplot",
    .operands = "KIND [MODEL...]",
    .operand_values = "deep-or-wide depth front phases breakdown accuracy roadmap",
    .min_operands = 1,
    .max_operands = 1 + MAX_FIGURE_MODELS,
    .kinds = kinds,
    .kinds_title = "kind of figure",
    .options = options,
    .examples = examples,
    .about =
        "'deep-or-wide' shows loss and decode against depth at one number of parameters (--budget) "
        "on "
        "up to four --device, and which depths are best by both: expected loss within 0.01 nats of "
        "the lowest, decode like the fastest of those. 'front' (the objectives of a search against "
        "one another) and 'depth' (latency against depth at equal parameters) show a run of a "
        "database and mark MODELs, or else the models that come with lathe and lie within the "
        "run's "
        "budget; they take device, prompt, context and threads from the run. 'roadmap' shows the "
        "paper's gains step by step, predicted and printed. The other kinds price MODELs on "
        "--device.",
    .run = run,
};
