#include "quality/next_runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "quality/law_fit.h"

struct quality_shape quality_paper_shape(double d_model, double n_layers, double vocab, bool tied)
{
    return (struct quality_shape){
        .d_model = d_model,
        .n_layers = n_layers,
        .repeats = 1,
        .n_heads = d_model / 64,
        .n_kv_heads = d_model / 64,
        .d_head = 64,
        .d_ff = 256 * ceil(8 * d_model / 3 / 256 - 1e-9),
        .vocab = vocab,
        .gated = true,
        .tied = tied,
    };
}

double quality_width_at(double total_params, double n_layers, double vocab, bool tied)
{
    double best = 64, error = INFINITY;
    for (double width = 64; width <= 8192; width += 64) {
        const struct quality_shape shape = quality_paper_shape(width, n_layers, vocab, tied);
        double miss = fabs(log(quality_total_params(&shape) / total_params));
        if (miss < error) {
            error = miss;
            best = width;
        }
    }
    return best;
}

struct design {
    const struct quality_law *law;
    const char *recipe;
    const struct training_gpu *gpu;
    struct quality_plan *plan;
    struct quality_run runs[MAX_QUALITY_NEXT_RUNS]; /* picked so far, and the one that is tried */
    int n_runs;
    struct quality_law *fitted; /* over `law`, with them */
};

static void sweep_depths(struct quality_plan *plan)
{
    static const int depths[] = {4, 6, 8, 12, 16, 20, 24, 30, 36, 42, 50, 62};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        double width = quality_width_at(plan->total_params, depths[i], plan->vocab, plan->tied);
        const struct quality_shape shape =
            quality_paper_shape(width, depths[i], plan->vocab, plan->tied);
        if (fabs(log(quality_total_params(&shape) / plan->total_params)) <= 0.12)
            plan->contenders[plan->n_contenders++] = shape;
    }
}

void quality_plan_contenders(struct quality_plan *plan, const struct training_gpu *gpu)
{
    plan->n_contenders = plan->n_given;
    if (plan->n_given == 0)
        sweep_depths(plan);
    plan->contenders_gpu_hours = 0;
    for (int i = 0; i < plan->n_contenders; i++) {
        struct training_cost cost;
        training_cost_of(&plan->contenders[i], plan->tokens, gpu, &cost);
        plan->contenders_gpu_hours += cost.gpu_hours;
    }
}

/* Mean half width of the contenders' differences to the best of them. */
static double half_width(const struct design *d, const struct quality_law *law)
{
    struct quality_prediction of[MAX_QUALITY_CONTENDERS];
    int best = 0, n = d->plan->n_contenders, recipe = quality_find_recipe(law, d->recipe);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        quality_predict(law, recipe, &d->plan->contenders[i], d->plan->tokens, &of[i]);
        best = of[i].loss_nats < of[best].loss_nats ? i : best;
    }
    for (int i = 0; i < n; i++) {
        struct quality_difference difference;
        if (i == best)
            continue;
        quality_compare(law, &of[i], &of[best], &difference);
        sum += difference.high_nats - difference.nats;
    }
    return sum / (n - 1);
}

static bool is_picked(const struct design *d, const struct quality_shape *shape, double tokens)
{
    for (int i = 0; i < d->n_runs; i++)
        if (d->runs[i].shape.d_model == shape->d_model &&
            d->runs[i].shape.n_layers == shape->n_layers && d->runs[i].tokens == tokens)
            return true;
    return false;
}

/* The half width once this run has the loss that the law expects. */
static enum status try_run(struct design *d, const struct quality_shape *shape, double tokens,
                           double *half_nats, struct err *err)
{
    struct quality_run *run = &d->runs[d->n_runs];
    struct quality_point point;
    int recipe = quality_find_recipe(d->law, d->recipe);
    *run = (struct quality_run){
        .shape = *shape, .tokens = tokens, .accuracy = (double)NAN, .group = d->n_runs};
    snprintf(run->recipe, sizeof run->recipe, "%s", d->recipe);
    quality_point_of(d->law, recipe, shape, tokens, &point);
    run->loss = quality_loss(d->law, recipe, &point, NULL);
    *d->fitted = *d->law;
    enum status status = quality_fit(d->runs, NULL, (size_t)d->n_runs + 1, d->law, d->fitted, err);
    if (status == STATUS_OK)
        *half_nats = half_width(d, d->fitted);
    return status;
}

/* The run after which the contenders are known best; *found is false when none is allowed. */
static enum status pick(struct design *d, double most_hours, struct quality_next_run *out,
                        bool *found, struct err *err)
{
    static const double widths[] = {256, 384, 512, 640, 768, 1024};
    static const double tokens[] = {2e9, 5e9, 10e9, 20e9, 50e9, 100e9};
    static const int depths[] = {4, 8, 12, 16, 24, 32, 48};
    enum { WIDTHS = 6, TOKENS = 6, DEPTHS = 7 };
    double least = INFINITY;
    *found = false;
    for (int i = 0; i < WIDTHS * DEPTHS * TOKENS; i++) {
        struct quality_next_run run = {.tokens = tokens[i % TOKENS]};
        run.shape = quality_paper_shape(widths[i / TOKENS / DEPTHS], depths[i / TOKENS % DEPTHS],
                                        d->plan->vocab, d->plan->tied);
        training_cost_of(&run.shape, run.tokens, d->gpu, &run.cost);
        if (run.cost.gpu_hours > most_hours || is_picked(d, &run.shape, run.tokens))
            continue;
        enum status status = try_run(d, &run.shape, run.tokens, &run.half_nats, err);
        if (status != STATUS_OK)
            return status;
        if (run.half_nats >= least)
            continue;
        least = run.half_nats;
        *out = run;
        *found = true;
    }
    return *found ? try_run(d, &out->shape, out->tokens, &out->half_nats, err) : STATUS_OK;
}

enum status quality_next_runs(const struct quality_law *law, const char *recipe,
                              const struct training_gpu *gpu, double most_hours,
                              struct quality_plan *plan, int n, struct quality_next_run *picked,
                              int *n_picked, struct err *err)
{
    struct design d = {.law = law,
                       .recipe = recipe == NULL ? "the next" : recipe,
                       .gpu = gpu,
                       .plan = plan,
                       .fitted = memory_new(1, sizeof *d.fitted)};
    enum status status = STATUS_OK;
    bool found = true;
    *n_picked = 0;
    if (d.fitted == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    quality_plan_contenders(plan, gpu);
    if (plan->n_contenders < 2)
        status = err_set(err, STATUS_RANGE, "no two depths meet the budget with this vocabulary");
    else
        plan->half_nats = half_width(&d, law);
    while (status == STATUS_OK && *n_picked < n && *n_picked < MAX_QUALITY_NEXT_RUNS) {
        status = pick(&d, most_hours, &picked[*n_picked], &found, err);
        if (!found || status != STATUS_OK)
            break;
        d.n_runs = ++*n_picked;
    }
    memory_free(d.fitted);
    return status;
}
