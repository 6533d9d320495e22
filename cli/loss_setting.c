#include "cli/loss_setting.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "cli/model_source.h"
#include "model/count.h"
#include "quality/shape_of.h"

static enum status read_tokens(const struct args *args, struct loss_setting *out, struct err *err)
{
    out->tokens_per_param = args_int(args, "tokens-per-param", 0);
    if (out->tokens_per_param == 0) {
        out->tokens = args_int(args, "tokens", 0);
        return STATUS_OK;
    }
    if (!args_given(args, "tokens"))
        return STATUS_OK;
    return err_set(err, STATUS_USAGE, "--tokens and --tokens-per-param exclude each other");
}

static enum status read_reference(const struct args *args, struct loss_setting *out,
                                  struct err *err)
{
    struct transformer net;
    const char *model = args_text(args, "reference");
    if (model == NULL)
        return STATUS_OK;
    enum status status = open_stored_model(args, model, &net, err);
    if (status != STATUS_OK)
        return err_prefix(err, status, "--reference: ");
    status = quality_shape_of(&net, &out->reference, err);
    if (status != STATUS_OK)
        err_prefix(err, status, "--reference: ");
    snprintf(out->reference_name, sizeof out->reference_name, "%.127s", net.name);
    out->has_reference = true;
    transformer_release(&net);
    return status;
}

enum status loss_setting_of_training(const struct args *args, struct loss_setting *out,
                                     struct err *err)
{
    *out = (struct loss_setting){.recipe = QUALITY_NO_RECIPE};
    enum status status = read_tokens(args, out, err);
    if (status == STATUS_OK)
        status = open_law(args, &out->law, NULL, &out->law_text, err);
    if (status == STATUS_OK)
        status = law_recipe_of(out->law, args_text(args, "recipe"), &out->recipe, err);
    return status;
}

static bool asks_for_losses(const struct args *args)
{
    static const char *const of_losses[] = {"law", "recipe", "tokens", "tokens-per-param",
                                            "reference"};
    for (size_t i = 0; i < sizeof of_losses / sizeof *of_losses; i++)
        if (args_given(args, of_losses[i]))
            return true;
    return false;
}

enum status loss_setting_of_options(const struct args *args, struct loss_setting *out,
                                    struct err *err)
{
    struct err reason = {""};
    enum status status = loss_setting_of_training(args, out, &reason);
    if (status == STATUS_OK)
        return read_reference(args, out, err);
    if ((status != STATUS_NOT_FOUND && status != STATUS_IO) || asks_for_losses(args))
        return err_set(err, status, "%s", reason.message);
    loss_setting_release(out);
    out->no_law = reason;
    return STATUS_OK;
}

enum status loss_setting_require(const struct loss_setting *setting, struct err *err)
{
    return setting->law != NULL
               ? STATUS_OK
               : err_set(err, STATUS_NOT_FOUND, "no law of loss: %.700s", setting->no_law.message);
}

enum status loss_setting_of_run(struct store *store, const struct run_row *run,
                                struct loss_setting *out, struct err *err)
{
    char where[64];
    struct rows rows = {0};
    *out = (struct loss_setting){.recipe = QUALITY_NO_RECIPE};
    if (run->law_id == ROW_UNKNOWN)
        return STATUS_OK;
    snprintf(where, sizeof where, "id = %lld", (long long)run->law_id);
    enum status status = query_rows(store, TABLE_LAW, where, NULL, &rows, err);
    const struct law_row *row = rows.data;
    if (status == STATUS_OK && (rows.n != 1 || row->law == NULL ||
                                (run->train_tokens == ROW_UNKNOWN && run->reference != NULL)))
        status = err_set(err, STATUS_INPUT, "the run's law of loss is not in the database");
    if (status == STATUS_OK && ((out->law = memory_new(1, sizeof *out->law)) == NULL ||
                                (out->law_text = memory_strdup(row->law)) == NULL))
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = quality_law_parse("the run's law", row->law, out->law, NULL, err);
    if (status == STATUS_OK)
        status = law_recipe_of(out->law, run->recipe, &out->recipe, err);
    out->tokens = run->train_tokens == ROW_UNKNOWN ? 0 : run->train_tokens;
    rows_release(&rows);
    return status;
}

void loss_setting_release(struct loss_setting *setting)
{
    memory_free(setting->law);
    memory_free(setting->law_text);
    setting->law = NULL;
    setting->law_text = NULL;
}

double loss_setting_tokens(const struct loss_setting *setting, int64_t params)
{
    return setting->tokens > 0 ? (double)setting->tokens
                               : (double)setting->tokens_per_param * (double)params;
}

static enum status start_scale(const struct loss_setting *setting, int64_t params,
                               int64_t max_layers, struct loss_scale *out, struct err *err)
{
    enum status status = loss_scale_init(out, setting->law, setting->recipe,
                                         loss_setting_tokens(setting, params), max_layers, err);
    if (status == STATUS_OK && setting->has_reference)
        status = loss_scale_add(out, setting->reference_name, &setting->reference, err);
    return status;
}

enum status loss_setting_scale(const struct loss_setting *setting,
                               const struct enumeration *enumeration, int n_jobs,
                               struct loss_scale *out, struct err *err)
{
    enum status status =
        start_scale(setting, enumeration->budget.target, enumeration->space->max_layers, out, err);
    return status == STATUS_OK && !setting->has_reference
               ? loss_scale_add_best(out, enumeration, n_jobs, err)
               : status;
}

/* The budget that holds what a network costs, as --budget would. */
static struct budget budget_of(int64_t params)
{
    return (struct budget){.min = params - params / 50, .max = params + params / 50, params};
}

static enum status add_best_at(int64_t params, int64_t vocab_size, struct loss_scale *scale,
                               struct err *err)
{
    struct enumeration enumeration;
    const struct budget budget = budget_of(params);
    struct space *space = memory_new(1, sizeof *space);
    if (space == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    space_default(space);
    space->vocab_size = (struct axis){.n = 1, .value = {vocab_size}};
    enum status status = enumeration_start(space, &budget, &enumeration, err);
    if (status == STATUS_OK) {
        status = loss_scale_add_best(scale, &enumeration, 0, err);
        enumeration_end(&enumeration);
    } else if (status == STATUS_RANGE) {
        status = STATUS_OK; /* no shape of that size: nothing to compare with */
    }
    memory_free(space);
    return status;
}

enum status loss_setting_scale_for(const struct loss_setting *setting,
                                   const struct transformer *net, struct loss_scale *out,
                                   struct err *err)
{
    struct param_count count;
    transformer_count(net, &count);
    enum status status = start_scale(setting, count.total, SPACE_MAX_LAYERS, out, err);
    return status == STATUS_OK && !setting->has_reference
               ? add_best_at(count.total, net->vocab_size, out, err)
               : status;
}

void loss_run_text(const struct run_row *run, char *buffer, size_t size)
{
    char tokens[32];
    buffer[0] = '\0';
    if (run->law_id != ROW_UNKNOWN && run->reference != NULL)
        snprintf(buffer, size, "losses at %s training tokens, recipe %s, against %s",
                 format_count_short(run->train_tokens, tokens, sizeof tokens),
                 run->recipe == NULL ? "like the paper's" : run->recipe, run->reference);
}

const char *loss_recipe_name(const struct quality_law *law, int recipe)
{
    return recipe == QUALITY_NO_RECIPE ? "like the paper's" : law->recipes[recipe].name;
}

void loss_setting_say(const struct loss_setting *setting, int64_t params, const char *whom)
{
    char tokens[32];
    bool a_multiple = setting->tokens == 0 && params == 0;
    int64_t count =
        a_multiple ? setting->tokens_per_param : (int64_t)loss_setting_tokens(setting, params);
    fprintf(stderr, "loss at %s tokens%s by '%s', recipe %s, against %s\n",
            format_count_short(count, tokens, sizeof tokens), a_multiple ? " a parameter" : "",
            setting->law->name, loss_recipe_name(setting->law, setting->recipe), whom);
}
