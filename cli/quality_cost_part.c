#include <stdio.h>
#include <string.h>

#include "cli/model_source.h"
#include "cli/quality_listing.h"
#include "cli/quality_parts.h"
#include "quality/next_runs.h"
#include "quality/shape_of.h"

/* How much is trained, and on what. */
struct training_setting {
    double tokens, tokens_per_param, gpus; /* tokens 0: so many for each parameter */
    const struct training_gpu *gpu;
};

static enum status read_training(const struct args *args, struct training_setting *out,
                                 struct err *err)
{
    static const char *const set[] = {"tokens", "tokens-per-param", "gpu", "gpus"};
    const char *preset = args_text(args, "preset");
    *out =
        (struct training_setting){.tokens_per_param = (double)args_int(args, "tokens-per-param", 0),
                                  .gpus = (double)args_int(args, "gpus", 0)};
    for (size_t i = 0; i < sizeof set / sizeof *set && preset != NULL; i++)
        if (args_given(args, set[i]))
            return err_set(err, STATUS_USAGE, "--preset %s says what --%s does: leave one out",
                           preset, set[i]);
    if (args_given(args, "tokens") && out->tokens_per_param > 0)
        return err_set(err, STATUS_USAGE, "--tokens and --tokens-per-param exclude each other");
    if (preset != NULL) {
        const struct training_recipe *recipe =
            strcmp(preset, "paper") == 0 ? &training_paper : &training_paper_exploration;
        out->tokens = training_tokens(recipe);
        out->gpus = recipe->gpus;
    } else if (out->tokens_per_param == 0) {
        out->tokens = (double)args_int(args, "tokens", 0);
    }
    return training_gpu_find(args_text(args, "gpu"), &out->gpu, err);
}

static void cost_of(const char *name, const struct quality_shape *shape,
                    const struct training_setting *setting, struct listed_cost *out)
{
    double params = quality_total_params(shape);
    struct quality_plan sweep = {.total_params = params,
                                 .tokens = setting->tokens > 0 ? setting->tokens
                                                               : setting->tokens_per_param * params,
                                 .vocab = shape->vocab,
                                 .tied = shape->tied};
    struct training_cost cost;
    training_cost_of(shape, sweep.tokens, setting->gpu, &cost);
    quality_plan_contenders(&sweep, setting->gpu);
    *out = (struct listed_cost){
        .model = name,
        .params = params,
        .passed_params = cost.params,
        .train_tokens = sweep.tokens,
        .train_flop = cost.flop,
        .train_eflop = cost.flop / 1e18,
        .utilisation_frac = cost.utilisation_frac,
        .utilisation_outside = cost.outside,
        .gpu_hours = cost.gpu_hours,
        .days = training_days(&cost, setting->gpus),
        .sweep_networks = sweep.n_contenders,
        .sweep_gpu_hours = sweep.contenders_gpu_hours,
    };
}

static enum status list_costs(const struct args *args, const struct training_setting *setting,
                              struct listing *listing, struct err *err)
{
    enum status status = STATUS_OK;
    quality_cost_columns(listing);
    for (int i = 1; i < args_n_operands(args) && status == STATUS_OK; i++) {
        struct transformer net;
        struct quality_shape shape;
        struct listed_cost line;
        status = open_stored_model(args, args_operand(args, i), &net, err);
        if (status != STATUS_OK)
            break;
        status = quality_shape_of(&net, &shape, err);
        if (status == STATUS_OK) {
            cost_of(net.name, &shape, setting, &line);
            listing_add(listing, &line);
        }
        transformer_release(&net);
    }
    return status;
}

static enum status print_json_of(const struct training_setting *setting,
                                 const struct listing *listing, struct err *err)
{
    struct json_node *root = json_new_object();
    json_add_string(root, "gpu", setting->gpu->title);
    json_add_string(root, "gpu_source", setting->gpu->source);
    json_add_number(root, "peak_tflops", setting->gpu->peak_tflops);
    json_add_number(root, "gpus", setting->gpus);
    json_add_string(root, "utilisation_source", training_utilisation_source);
    struct json_node *models = json_add_array(root, "models");
    for (size_t i = 0; i < listing_rows(listing); i++)
        listing_row_json(listing, i, json_add_object(models, NULL));
    return print_json(root, stdout, err);
}

static enum status print_text(const struct training_setting *setting, const struct listing *listing,
                              struct err *err)
{
    enum status status = listing_print(listing, stdout, err);
    if (status == STATUS_OK)
        printf("\nDays on %.0f %s of %.0f TFLOP/s each (%s).\nUtilisation: %s.\n"
               "Depths: training each of so many depths at the size finds the best one.\n",
               setting->gpus, setting->gpu->title, setting->gpu->peak_tflops, setting->gpu->source,
               training_utilisation_source);
    return status;
}

enum status quality_cost_part(const struct args *args, struct text *notes, struct err *err)
{
    struct training_setting setting;
    struct listing listing = {0};
    (void)notes;
    if (args_n_operands(args) < 2)
        return err_set(err, STATUS_USAGE, "'quality cost' needs MODEL...");
    enum status status = read_training(args, &setting, err);
    if (status == STATUS_OK)
        status = list_costs(args, &setting, &listing, err);
    if (status == STATUS_OK)
        status = args_flag(args, "json") ? print_json_of(&setting, &listing, err)
                                         : print_text(&setting, &listing, err);
    listing_release(&listing);
    return status;
}
