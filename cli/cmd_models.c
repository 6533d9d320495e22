#include <math.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/model_source.h"
#include "model/preset.h"
#include "model/published.h"

static void add_columns(struct listing *listing)
{
    listing_column(listing, "model", "model", LISTING_TEXT, NULL);
    listing_column(listing, NULL, "title", LISTING_TEXT, NULL);
    listing_column(listing, "family", "family", LISTING_TEXT, NULL);
    listing_column(listing, "params", "params", LISTING_COUNT, NULL);
    listing_column(listing, "layers", "n_layers", LISTING_INTEGER, NULL);
    listing_column(listing, "depth", "n_layers_effective", LISTING_INTEGER, NULL);
    listing_column(listing, "d_model", "d_model", LISTING_INTEGER, NULL);
    listing_column(listing, "heads", "n_heads", LISTING_INTEGER, NULL);
    listing_column(listing, "kv", "n_kv_heads", LISTING_INTEGER, NULL);
    listing_column(listing, "d_ff", "d_ff", LISTING_INTEGER, NULL);
    listing_column(listing, "vocab", "vocab_size", LISTING_INTEGER, NULL);
    listing_column(listing, "tied", "tie_embeddings", LISTING_BOOL, NULL);
    listing_column(listing, "accuracy", "accuracy_percent", LISTING_NUMBER, "%");
    listing_column(listing, NULL, "hub_id", LISTING_TEXT, NULL);
}

static enum status add_preset(struct listing *listing, const struct preset *preset,
                              const struct published_list *published, struct err *err)
{
    struct transformer net;
    struct param_count count;
    enum status status = preset_open(preset->name, &net, err);
    if (status != STATUS_OK)
        return status;
    const struct block *block = typical_block(&net);
    transformer_count(&net, &count);
    listing_text(listing, preset->name);
    listing_text(listing, preset->title);
    listing_text(listing, net.family);
    listing_int(listing, count.total);
    listing_int(listing, net.schedule.n_layers);
    listing_int(listing, schedule_executions(&net.schedule));
    listing_int(listing, net.d_model);
    listing_int(listing, block->n_heads);
    listing_int(listing, block->n_kv_heads);
    listing_int(listing, block->d_ff);
    listing_int(listing, net.vocab_size);
    listing_int(listing, net.tie_embeddings);
    listing_number(listing, published_average(published, preset->name));
    listing_text(listing, preset->hub_id);
    transformer_release(&net);
    return STATUS_OK;
}

static enum status fill_models(struct listing *listing, const struct preset_list *presets,
                               struct err *err)
{
    struct published_list published = {0};
    enum status status = published_open(&published, err);
    if (status != STATUS_OK)
        return status;
    add_columns(listing);
    for (size_t i = 0; i < presets->n && status == STATUS_OK; i++)
        status = add_preset(listing, &presets->items[i], &published, err);
    published_release(&published);
    return status;
}

static enum status fill_counts(struct listing *listing, const struct preset_list *presets,
                               struct err *err)
{
    enum status status = STATUS_OK;
    listing_column(listing, "model", "model", LISTING_TEXT, NULL);
    listing_column(listing, "ours", "params", LISTING_INTEGER, NULL);
    listing_column(listing, "published", "published", LISTING_TEXT, NULL);
    listing_column(listing, NULL, "published_params", LISTING_INTEGER, NULL);
    listing_column(listing, "grade", "grade", LISTING_TEXT, NULL);
    listing_column(listing, "source", "source", LISTING_TEXT, NULL);
    for (size_t i = 0; i < presets->n && status == STATUS_OK; i++) {
        const struct preset *preset = &presets->items[i];
        struct transformer net;
        struct param_count count;
        status = preset_open(preset->name, &net, err);
        if (status != STATUS_OK)
            break;
        transformer_count(&net, &count);
        transformer_release(&net);
        listing_text(listing, preset->name);
        listing_int(listing, count.total);
        listing_text(listing, preset->published);
        if (preset->published_params > 0)
            listing_int(listing, preset->published_params);
        else
            listing_number(listing, NAN);
        listing_text(listing, preset->grade);
        listing_text(listing, preset->source);
    }
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct preset_list presets = {0};
    struct listing listing = {0};
    enum status status = preset_list_open(&presets, err);
    if (status != STATUS_OK)
        return status;
    if (args_flag(args, "names")) {
        for (size_t i = 0; i < presets.n; i++)
            puts(presets.items[i].name);
        goto out;
    }
    status = args_flag(args, "counts") ? fill_counts(&listing, &presets, err)
                                       : fill_models(&listing, &presets, err);
    if (status == STATUS_OK)
        status = args_flag(args, "json") ? listing_print_json(&listing, stdout, err)
                                         : listing_print(&listing, stdout, err);
out:
    listing_release(&listing);
    preset_list_release(&presets);
    return status;
}

static const struct option options[] = {
    ROW_FLAG("counts", "hold our parameter count against the published one"),
    ROW_FLAG("names", "print the names only, one a line"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe models", "every model that comes with lathe, with its published accuracy"},
    {"lathe models --counts", "our parameter counts against the published ones"},
    {NULL, NULL},
};

const struct command cmd_models = {
    .name = "models",
    .summary = "list the models that come with lathe",
    .operands = "",
    .options = options,
    .examples = examples,
    .about = "'accuracy' is the published zero-shot average over eight tasks (MobileLLM, Tables 3 "
             "and 8). A grade is gold where the counts agree to the last parameter, silver where "
             "they agree with a rounded figure.",
    .run = run,
};
