#include <stdio.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/model_source.h"
#include "model/count.h"
#include "model/preset.h"
#include "model/published.h"

struct line {
    const char *model, *title, *family, *hub_id;
    int64_t params, params_active, n_layers, n_layers_effective, d_model, n_heads, n_kv_heads, d_ff,
        vocab_size;
    int64_t tie_embeddings;
    double accuracy_percent;
    const char *published, *grade, *source;
    int64_t published_params;
};
static const struct field model_fields[] = {
    LISTED(line, model, UNIT_NONE, "model"),
    LISTED_KEY(line, title, UNIT_NONE),
    LISTED(line, family, UNIT_NONE, "family"),
    LISTED(line, params, UNIT_PARAMS, "params"),
    LISTED(line, params_active, UNIT_PARAMS, "active"),
    LISTED(line, n_layers, UNIT_NONE, "layers"),
    LISTED(line, n_layers_effective, UNIT_NONE, "depth"),
    LISTED(line, d_model, UNIT_NONE, "d_model"),
    LISTED(line, n_heads, UNIT_NONE, "heads"),
    LISTED(line, n_kv_heads, UNIT_NONE, "kv"),
    LISTED(line, d_ff, UNIT_NONE, "d_ff"),
    LISTED(line, vocab_size, UNIT_NONE, "vocab"),
    LISTED(line, tie_embeddings, UNIT_BOOL, "tied"),
    LISTED(line, accuracy_percent, UNIT_PERCENT, "accuracy"),
    LISTED_KEY(line, hub_id, UNIT_NONE),
};
static const struct field count_fields[] = {
    LISTED(line, model, UNIT_NONE, "model"),         LISTED(line, params, UNIT_NONE, "ours"),
    LISTED(line, published, UNIT_NONE, "published"), LISTED_KEY(line, published_params, UNIT_NONE),
    LISTED(line, grade, UNIT_NONE, "grade"),         LISTED(line, source, UNIT_NONE, "source"),
};

/* What both listings say, which have not the same fields. */
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
    const struct line line = {
        .model = preset->name,
        .title = preset->title,
        .family = net.family,
        .hub_id = preset->hub_id,
        .params = count.total,
        .params_active = count.active,
        .n_layers = net.schedule.n_layers,
        .n_layers_effective = transformer_executions(&net),
        .d_model = net.d_model,
        .n_heads = block->n_heads,
        .n_kv_heads = block->n_kv_heads,
        .d_ff = block->d_ff,
        .vocab_size = net.vocab_size,
        .tie_embeddings = net.tie_embeddings,
        .accuracy_percent = published_average(published, preset->name),
        .published = preset->published,
        .grade = preset->grade,
        .source = preset->source,
        .published_params = preset->published_params > 0 ? preset->published_params : UNKNOWN_INT,
    };
    listing_add(listing, &line);
    transformer_release(&net);
    return STATUS_OK;
}

static enum status fill(struct listing *listing, const struct preset_list *presets, struct err *err)
{
    struct published_list published = {0};
    enum status status = published_open(&published, err);
    for (size_t i = 0; i < presets->n && status == STATUS_OK; i++)
        status = add_preset(listing, &presets->items[i], &published, err);
    published_release(&published);
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
    if (args_flag(args, "counts"))
        LISTING_FIELDS(&listing, count_fields);
    else
        LISTING_FIELDS(&listing, model_fields);
    status = fill(&listing, &presets, err);
    if (status == STATUS_OK)
        status = listing_print_as(&listing, args_flag(args, "json"), stdout, err);
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
