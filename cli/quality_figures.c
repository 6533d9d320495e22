#include "cli/quality_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "cli/loss_setting.h"
#include "cli/model_source.h"
#include "cli/setting.h"
#include "device/device.h"
#include "plots/plot_deep_or_wide.h"
#include "plots/plot_roadmap.h"
#include "quality/paper_check.h"
#include "quality/shape_of.h"

enum { MOST_DEVICES = 4, VOCAB_SIZE = 32000 };

struct deep_or_wide {
    const struct args *args;
    int64_t params;
    double tokens;
    struct loss_setting loss;
    struct depth_options depths;
    int n_devices, n_points;
    struct setting setting[MOST_DEVICES];
    char name[MOST_DEVICES][96];
    struct price prices[MOST_DEVICES][MAX_DEPTH_OPTIONS];
    struct plot_depth_point points[MAX_QUALITY_SWEEP];
    bool is_unknown; /* the interval of some device */
};

static enum status check_arguments(const struct args *args, struct err *err)
{
    int n_devices = args_count(args, "device");
    if (args_n_operands(args) > 1)
        return err_set(err, STATUS_USAGE,
                       "'deep-or-wide' shows a network for each depth: leave out '%s'",
                       args_operand(args, 1));
    if (args_text(args, "budget") == NULL)
        return err_set(err, STATUS_USAGE, "'deep-or-wide' needs --budget, like 125M");
    if (n_devices == 0)
        return err_set(err, STATUS_USAGE,
                       "'deep-or-wide' needs --device ('lathe devices' lists them)");
    if (n_devices > MOST_DEVICES)
        return err_set(err, STATUS_USAGE, "'deep-or-wide' shows at most %d devices, not %d",
                       MOST_DEVICES, n_devices);
    return STATUS_OK;
}

/* "iPhone 13" of "iPhone 13, GPU (Apple A15, 4 cores)"; the profile's own where two would be alike. */
static void name_devices(struct deep_or_wide *d)
{
    for (int i = 0; i < d->n_devices; i++) {
        struct device device;
        const char *id = d->setting[i].machine.device;
        if (device_open(args_nth(d->args, "device", i), &device, NULL) != STATUS_OK)
            device.name[0] = '\0';
        snprintf(d->name[i], sizeof d->name[i], "%.*s", (int)strcspn(device.name, ",("),
                 device.name);
        size_t length = strlen(d->name[i]);
        while (length > 0 && d->name[i][length - 1] == ' ')
            d->name[i][--length] = '\0';
        if (length == 0)
            snprintf(d->name[i], sizeof d->name[i], "%s", id);
    }
    for (int i = 0; i < d->n_devices; i++)
        for (int k = 0; k < d->n_devices; k++)
            if (k != i && strcmp(d->name[i], d->name[k]) == 0)
                snprintf(d->name[k], sizeof d->name[k], "%s", d->setting[k].machine.device);
}

static enum status price_devices(struct deep_or_wide *d, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < d->n_devices && status == STATUS_OK; i++) {
        struct setting *setting = &d->setting[i];
        status = setting_of_options(d->args, args_nth(d->args, "device", i), setting, err);
        if (status == STATUS_OK)
            status = depth_options_price(&d->depths, &setting->machine, &setting->workload,
                                         d->prices[i], err);
    }
    for (int i = 0; i < d->n_devices && status == STATUS_OK; i++)
        d->is_unknown = d->is_unknown || isnan(d->prices[i][0].decode_ns_low);
    if (status == STATUS_OK)
        name_devices(d);
    return status;
}

static enum status find_points(struct deep_or_wide *d, struct err *err)
{
    struct quality_shape best;
    struct quality_question question;
    struct quality_measured measured[MAX_QUALITY_SWEEP];
    enum status status = quality_shape_of(&d->depths.item[d->depths.best].net, &best, err);
    if (status != STATUS_OK)
        return status;
    quality_ask(d->loss.law, d->loss.recipe, d->tokens, &best, &question);
    status = quality_paper_measured(&question, (double)d->params, measured, &d->n_points, err);
    for (int i = 0; i < d->n_points && status == STATUS_OK; i++)
        d->points[i] = (struct plot_depth_point){measured[i].n_layers, measured[i].nats,
                                                 measured[i].low_nats, measured[i].high_nats};
    return status;
}

static void say(const struct deep_or_wide *d, struct text *subtitle, struct text *footnote)
{
    char count[32], tokens[32];
    const struct workload *workload = &d->setting[0].workload;
    const struct transformer *net = &d->depths.item[0].net;
    text_addf(subtitle,
              "Networks of %s parameters, %s of %lld,%03lld tokens, heads of 64, %s, trained on %s "
              "tokens "
              "(recipe %s); decode after %lld tokens.",
              format_count_short(d->params, count, sizeof count),
              net->tie_embeddings ? "one table" : "two tables", (long long)net->vocab_size / 1000,
              (long long)net->vocab_size % 1000, dtype_name(net->block_dtype),
              format_count_short((int64_t)d->tokens, tokens, sizeof tokens),
              loss_recipe_name(d->loss.law, d->loss.recipe), (long long)workload->context);
    text_add(footnote,
             "Best by both: expected loss within 0.01 nats of the lowest, and a decode whose "
             "interval overlaps that of the fastest among those.");
    if (d->is_unknown)
        text_add(footnote, " Where a device has no interval, the fastest alone.");
    if (d->n_points > 0)
        text_addf(
            footnote,
            " Points: the MobileLLM paper's sweep (its own totals, two tables, 0.25 T tokens), "
            "accuracies turned to nats at %.0f points a nat and moved by one constant onto the "
            "law, which was fitted without them; bars: 90 %% of one evaluation.",
            d->loss.law->constants.value[QUALITY_POINTS]);
}

static enum status read_options(struct deep_or_wide *d, struct err *err)
{
    struct budget budget;
    enum status status = check_arguments(d->args, err);
    if (status == STATUS_OK)
        status = parse_budget(args_text(d->args, "budget"), &budget, err);
    if (status == STATUS_OK)
        status = loss_setting_of_training(d->args, &d->loss, err);
    if (status != STATUS_OK)
        return status;
    d->params = budget.target;
    d->n_devices = args_count(d->args, "device");
    d->tokens = loss_setting_tokens(&d->loss, budget.target);
    status = depth_options_find(d->params, VOCAB_SIZE, d->loss.law, d->loss.recipe, d->tokens,
                                &d->depths, err);
    for (size_t i = 0; i < d->depths.n && status == STATUS_OK; i++) {
        status = apply_types(d->args, &d->depths.item[i].net, err);
        if (status == STATUS_OK)
            status = transformer_check(&d->depths.item[i].net, err);
    }
    return status;
}

enum status figure_deep_or_wide(const struct args *args, struct plot_options *options,
                                struct err *err)
{
    struct text subtitle = {0}, footnote = {0};
    struct deep_or_wide *d = memory_new(1, sizeof *d);
    if (d == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    d->args = args;
    enum status status = read_options(d, err);
    if (status == STATUS_OK)
        status = price_devices(d, err);
    if (status == STATUS_OK)
        status = find_points(d, err);
    if (status == STATUS_OK) {
        char size[32];
        struct plot_depth_device devices[MOST_DEVICES];
        for (int i = 0; i < d->n_devices; i++)
            devices[i] = (struct plot_depth_device){d->name[i], d->prices[i]};
        say(d, &subtitle, &footnote);
        options->subtitle = subtitle.data;
        options->footnote = footnote.data;
        status =
            plot_deep_or_wide(format_count_short(d->params, size, sizeof size), &d->depths, devices,
                              (size_t)d->n_devices, d->points, (size_t)d->n_points, options, err);
        options->subtitle = options->footnote = NULL; /* they end here */
    }
    text_release(&subtitle);
    text_release(&footnote);
    loss_setting_release(&d->loss);
    memory_free(d);
    return status;
}

enum status figure_roadmap(const struct args *args, struct plot_options *options, struct err *err)
{
    struct quality_law *law = NULL;
    struct quality_comparison *all = memory_new(MAX_QUALITY_COMPARISONS, sizeof *all);
    int n = 0;
    if (all == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status =
        args_n_operands(args) > 1
            ? err_set(err, STATUS_USAGE, "'roadmap' takes no MODEL: leave out '%s'",
                      args_operand(args, 1))
            : STATUS_OK;
    if (status == STATUS_OK)
        status = open_law(args, &law, NULL, NULL, err);
    if (status == STATUS_OK)
        status = quality_paper_comparisons(law, all, &n, err);
    if (status == STATUS_OK)
        status = plot_roadmap(all, n, options, err);
    memory_free(law);
    memory_free(all);
    return status;
}
