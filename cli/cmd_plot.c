#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/priced.h"
#include "db/query.h"
#include "model/preset.h"
#include "model/published.h"
#include "plots/gnuplot.h"
#include "plots/plot_accuracy.h"
#include "plots/plot_breakdown.h"
#include "plots/plot_depth.h"
#include "plots/plot_front.h"
#include "plots/plot_phases.h"

enum { MAX_MODELS = 24 };

/* The MODELs of the command line, or the presets within the run's budget. */
static enum status price_marks(const struct args *args, const struct setting *setting,
                               const struct budget *budget, struct priced_list *list,
                               struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 1; i < args_n_operands(args) && status == STATUS_OK; i++)
        status = priced_add(list, args, args_operand(args, i), setting, "", err);
    if (args_n_operands(args) > 1)
        return status;
    struct preset_list presets = {0};
    status = preset_list_open(&presets, err);
    for (size_t i = 0; i < presets.n && status == STATUS_OK; i++)
        if (presets.items[i].params >= budget->min && presets.items[i].params <= budget->max)
            status = priced_add(list, args, presets.items[i].name, setting, "", err);
    preset_list_release(&presets);
    return status;
}

/* Kinds that show a run: depth and front. */
static enum status plot_run(const struct args *args, bool depth, const struct plot_options *options,
                            struct err *err)
{
    struct store *store = NULL;
    struct setting setting;
    struct budget budget;
    int64_t run_id = 0;
    struct priced_list list = {0};
    struct plot_model *models = NULL;
    enum status status = store_open(args_text(args, "db"), STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = setting_of_run(store, args_int(args, "run", 0), &setting, &run_id, &budget, err);
    if (status == STATUS_OK)
        status = price_marks(args, &setting, &budget, &list, err);
    if (status == STATUS_OK && (models = memory_new(list.n, sizeof *models)) == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    for (size_t i = 0; i < list.n; i++)
        models[i] = (struct plot_model){.name = list.items[i].name,
                                        .x = depth ? (double)list.items[i].n_layers_effective
                                                   : (double)list.items[i].params_blocks,
                                        .y = list.items[i].price.decode_ns};
    status = depth ? plot_depth(store, run_id, models, list.n, options, err)
                   : plot_front(store, run_id, models, list.n, options, err);
out:
    memory_free(models);
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
        return err_set(err, STATUS_USAGE,
                       "on which device? give --device ('lathe devices' lists "
                       "them)");
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

static void describe(const struct args *args, const struct setting *setting, char *buffer,
                     size_t size)
{
    const char *dtype = args_text(args, "dtype");
    snprintf(buffer, size, "%s%s%s, prompt %lld, context %lld", setting->machine.device,
             dtype != NULL ? ", " : "", dtype != NULL ? dtype : "",
             (long long)setting->workload.prompt, (long long)setting->workload.context);
}

static enum status phases(const struct priced_list *list, const struct plot_options *options,
                          struct err *err)
{
    struct plot_phases_row rows[MAX_MODELS];
    for (size_t i = 0; i < list->n; i++) {
        const struct priced *item = &list->items[i];
        rows[i] = (struct plot_phases_row){.model = item->name,
                                           .load_ns = item->price.load_ns,
                                           .init_ns = item->price.init_ns,
                                           .prefill_ns = item->price.prefill_ns,
                                           .decode_ns = item->price.decode_ns};
    }
    return plot_phases(rows, list->n, options, err);
}

/* Roles as a reader thinks of them. */
static const char *const parts_of_operators[] = {"attention weights", "KV cache", "feed-forward",
                                                 "head", "the rest"};
static int part_of(enum op_role role)
{
    switch (role) {
    case ROLE_Q:
    case ROLE_K:
    case ROLE_V:
    case ROLE_O:
    case ROLE_R:
    case ROLE_TIME_MIX:
        return 0;
    case ROLE_ATTENTION:
        return 1;
    case ROLE_GATE:
    case ROLE_UP:
    case ROLE_DOWN:
        return 2;
    case ROLE_HEAD:
        return 3;
    default:
        return 4;
    }
}

enum { N_OPERATOR_PARTS = 6, MAX_LEVEL_PARTS = MAX_LEVELS + 2 };

static enum status breakdown(const struct priced_list *list, const struct machine *machine,
                             const struct plot_options *options, struct err *err)
{
    const char *models[MAX_MODELS], *levels[MAX_LEVEL_PARTS], *operators[N_OPERATOR_PARTS];
    double level_ns[MAX_MODELS * MAX_LEVEL_PARTS], operator_ns[MAX_MODELS * N_OPERATOR_PARTS];
    size_t n_levels = (size_t)machine->n_levels;
    for (size_t level = 0; level < n_levels; level++)
        levels[level] = machine->levels[level].name;
    levels[n_levels] = "compute";
    levels[n_levels + 1] = operators[N_OPERATOR_PARTS - 1] = "fixed costs";
    memcpy(operators, parts_of_operators, sizeof parts_of_operators);
    memset(operator_ns, 0, sizeof operator_ns);
    for (size_t i = 0; i < list->n; i++) {
        const struct price_detail *detail = &list->items[i].detail;
        double *by_level = &level_ns[i * (n_levels + 2)];
        double *by_operator = &operator_ns[i * N_OPERATOR_PARTS];
        models[i] = list->items[i].name;
        memcpy(by_level, detail->level_ns, n_levels * sizeof *by_level);
        by_level[machine->dram] -= detail->hidden_ns;
        by_level[n_levels] = detail->compute_ns;
        by_level[n_levels + 1] = detail->fixed_ns;
        for (int role = 0; role < N_OP_ROLES; role++)
            by_operator[part_of((enum op_role)role)] += detail->role_ns[role];
        by_operator[N_OPERATOR_PARTS - 1] = detail->fixed_ns;
    }
    const struct plot_division divisions[] = {
        {.title = "by what bounds it (a stream hidden under compute taken off DRAM)",
         .parts = levels,
         .n_parts = n_levels + 2,
         .ns = level_ns   },
        {.title = "by operator (before anything is hidden)",
         .parts = operators,
         .n_parts = N_OPERATOR_PARTS,
         .ns = operator_ns},
    };
    return plot_breakdown(models, list->n, divisions, 2, options, err);
}

static enum status plot_models(const struct args *args, bool by_phase, struct plot_options *options,
                               struct err *err)
{
    struct priced_list list = {0};
    struct setting setting;
    char subtitle[160];
    enum status status = price_operands(args, &setting, &list, err);
    if (status == STATUS_OK && list.n > MAX_MODELS)
        status = err_set(err, STATUS_USAGE, "%zu bars are too many for one figure: at most %d",
                         list.n, MAX_MODELS);
    if (status == STATUS_OK) {
        if (args_count(args, "device") == 1) {
            describe(args, &setting, subtitle, sizeof subtitle);
            options->subtitle = subtitle;
        }
        status = by_phase ? phases(&list, options, err)
                          : breakdown(&list, &setting.machine, options, err);
    }
    priced_release(&list);
    return status;
}

static enum status plot_published(const struct args *args, struct plot_options *options,
                                  struct err *err)
{
    struct preset_list presets = {0};
    struct published_list published = {0};
    struct priced_list list = {0};
    struct plot_accuracy_row *rows = NULL;
    struct setting setting;
    char subtitle[160];
    const char *device = args_nth(args, "device", 0);
    if (device == NULL)
        return err_set(err, STATUS_USAGE, "on which device? give --device");
    enum status status = setting_of_options(args, device, &setting, err);
    if (status == STATUS_OK)
        status = preset_list_open(&presets, err);
    if (status == STATUS_OK)
        status = published_open(&published, err);
    if (status == STATUS_OK && (rows = memory_new(presets.n, sizeof *rows)) == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < presets.n && status == STATUS_OK; i++) {
        double percent = published_average(&published, presets.items[i].name);
        if (isnan(percent))
            continue;
        status = priced_add(&list, args, presets.items[i].name, &setting, "", err);
        if (status == STATUS_OK)
            rows[list.n - 1].accuracy_frac = percent / 100;
    }
    for (size_t i = 0; i < list.n && status == STATUS_OK; i++) {
        rows[i].model = list.items[i].name;
        rows[i].family = list.items[i].family;
        rows[i].decode_ns = list.items[i].price.decode_ns;
    }
    if (status == STATUS_OK) {
        describe(args, &setting, subtitle, sizeof subtitle);
        options->subtitle = subtitle;
        status = plot_accuracy(rows, list.n, true, "zero-shot accuracy", options, err);
    }
    memory_free(rows);
    priced_release(&list);
    published_release(&published);
    preset_list_release(&presets);
    return status;
}

static const char *const kinds[] = {"depth", "front", "phases", "breakdown", "accuracy"};

static enum status plot_kind(const struct args *args, const char *kind,
                             struct plot_options *options, struct err *err)
{
    if (strcmp(kind, "depth") == 0 || strcmp(kind, "front") == 0)
        return plot_run(args, strcmp(kind, "depth") == 0, options, err);
    if (strcmp(kind, "phases") == 0 || strcmp(kind, "breakdown") == 0)
        return plot_models(args, strcmp(kind, "phases") == 0, options, err);
    if (strcmp(kind, "accuracy") == 0)
        return plot_published(args, options, err);
    const char *near = text_nearest(kind, kinds, sizeof kinds / sizeof *kinds);
    if (near != NULL)
        return err_set(err, STATUS_USAGE, "unknown kind of figure '%s': did you mean '%s'?", kind,
                       near);
    return err_set(err, STATUS_USAGE,
                   "unknown kind of figure '%s': expected depth, front, phases, breakdown or "
                   "accuracy",
                   kind);
}

static enum status run(const struct args *args, struct err *err)
{
    struct text warnings = {0};
    struct plot_options options = {.path = args_text(args, "out"), .warnings = &warnings};
    enum plot_format format;
    enum status status = plot_format_of(options.path, &format, err);
    if (status == STATUS_OK)
        status = plot_kind(args, args_operand(args, 0), &options, err);
    if (status == STATUS_OK && warnings.data != NULL)
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
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe plot front --db phone.db --out front.svg",
     "the trade-off a search found, published models marked"                                        },
    {"lathe plot depth mobilellm-125m opt-125m --db phone.db",
     "latency against depth, two models marked, in the terminal"                                    },
    {"lathe plot phases mobilellm-125m mobilellm-ls-125m --device iphone-13 --out phases.svg",
     "load, init, first and next token"                                                             },
    {"lathe plot breakdown mobilellm-125m mobilellm-ls-125m --device iphone-13 --out time.svg",
     "where the time of a token goes"                                                               },
    {"lathe plot accuracy --device iphone-13 --out accuracy.svg",
     "published accuracy against predicted latency"                                                 },
    {NULL,                                                                                      NULL},
};

const struct command cmd_plot = {
    .name = "plot",
    .summary = "draw a figure with gnuplot",
    .operands = "KIND [MODEL...]",
    .operand_values = "depth front phases breakdown accuracy",
    .min_operands = 1,
    .max_operands = 1 + MAX_MODELS,
    .options = options,
    .examples = examples,
    .about = "'depth' (latency against depth at equal parameters) and 'front' (latency against "
             "parameters in blocks) show a run of a database and mark MODELs, or else the models "
             "that come with lathe and lie within the run's budget; they take device, prompt, "
             "context and threads from the run. The other kinds price MODELs on --device.",
    .run = run,
};
