#include <stdio.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "cli/quality_listing.h"
#include "cli/quality_parts.h"
#include "quality/next_runs.h"

static void plan_json(struct json_node *root, const struct quality_plan *plan,
                      const struct training_gpu *gpu, int64_t tokens)
{
    json_add_int(root, "tokens", tokens);
    json_add_number(root, "half_nats_before", plan->half_nats);
    json_add_string(root, "gpu", gpu->title);
    json_add_number(root, "contenders_gpu_hours", plan->contenders_gpu_hours);
}

static void print_plan(const struct args *args, const struct quality_plan *plan,
                       const struct training_gpu *gpu)
{
    printf("%d networks of 4 to 62 layers at %s parameters and %s tokens: their differences to the "
           "best are known to +-%.3f nats (90 %%).\nTraining them all would take %.0f GPU-hours of "
           "%s.\n\n",
           plan->n_contenders, args_text(args, "budget"), args_text(args, "tokens"),
           plan->half_nats, plan->contenders_gpu_hours, gpu->title);
}

static enum status print_runs(const struct args *args, const struct quality_law *law,
                              const struct quality_plan *plan, const struct training_gpu *gpu,
                              const struct quality_next_run *picked, int n, struct err *err)
{
    struct section section = {.key = "runs"};
    enum status status = STATUS_OK;
    list_quality_next_runs(&section.listing, picked, n);
    if (args_flag(args, "json")) {
        struct json_node *root = quality_json_root(law);
        plan_json(root, plan, gpu, args_int(args, "tokens", 0));
        status = sections_print_json(&section, 1, root, stdout, err);
    } else {
        print_plan(args, plan, gpu);
        status = sections_print(&section, 1, stdout, err);
    }
    sections_release(&section, 1);
    return status;
}

enum status quality_probe_part(const struct args *args, struct text *notes, struct err *err)
{
    struct quality_next_run picked[MAX_QUALITY_NEXT_RUNS];
    const struct training_gpu *gpu = NULL;
    struct quality_law *law = NULL;
    struct budget budget;
    int n = 0, recipe;
    (void)notes;
    enum status status = parse_budget(args_text(args, "budget"), &budget, err);
    if (status != STATUS_OK)
        return status;
    status = training_gpu_find(args_text(args, "gpu"), &gpu, err);
    if (status != STATUS_OK)
        return status;
    status = open_law(args, &law, NULL, NULL, err);
    if (status == STATUS_OK)
        status = law_recipe_of(law, args_text(args, "recipe"), &recipe, err);
    if (status != STATUS_OK)
        goto out;
    struct quality_plan plan = {
        .total_params = (double)budget.target,
        .tokens = (double)args_int(args, "tokens", 0),
        .vocab = (double)args_int(args, "vocab", 0),
        .tied = args_flag(args, "tied"),
    };
    status = quality_next_runs(law, args_text(args, "recipe"), gpu,
                               (double)args_int(args, "max-gpu-hours", 0), &plan,
                               (int)args_int(args, "runs", 0), picked, &n, err);
    if (status == STATUS_OK)
        status = print_runs(args, law, &plan, gpu, picked, n, err);
out:
    memory_free(law);
    return status;
}
