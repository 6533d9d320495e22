#include "quality/law_fit.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "quality/cholesky.h"

enum { MAX_STEPS = 100 };

struct law_row {
    const struct quality_run *run;
    struct quality_point point;
    int recipe;
    double ln_loss, weight; /* 1 / sigma */
};

struct problem {
    struct quality_law *law;
    struct law_row *rows;
    size_t n_rows;
    int n_theta;
    double *mean, *precision;      /* the prior: [n_theta], [n_theta, n_theta] */
    double *hessian, *slope, *try; /* [n_theta, n_theta], [n_theta], [n_theta] */
    double *factor;                /* [n_theta, n_theta] */
};

static bool has_value(const struct quality_run *run)
{
    return run->tokens >= QUALITY_MIN_TOKENS && (run->loss > 0 || run->accuracy > 0);
}

/* Of the recipe's rows that can be used, all only have accuracies. */
static bool only_accuracies(const struct problem *p, int recipe)
{
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].recipe == recipe && p->rows[i].run->loss > 0)
            return false;
    return true;
}

static void add_recipe(struct quality_law *law, const struct quality_run *run)
{
    struct quality_recipe *recipe = &law->recipes[law->n_recipes++];
    *recipe = (struct quality_recipe){
        .gated = run->shape.gated,
        .vocab = (int)run->shape.vocab,
        .params_min = INFINITY,
        .tokens_min = INFINITY,
        .error_frac = NAN,
    };
    snprintf(recipe->name, sizeof recipe->name, "%s", run->recipe);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct quality_recipe *)a)->name,
                  ((const struct quality_recipe *)b)->name);
}

/* Recipes of the rows that the law does not have yet, sorted, behind those it has. */
static enum status add_recipes(const struct quality_run *runs, const bool *used, size_t n,
                               struct quality_law *law, struct err *err)
{
    int before = law->n_recipes;
    for (size_t i = 0; i < n; i++) {
        if ((used != NULL && !used[i]) || !has_value(&runs[i]) ||
            quality_find_recipe(law, runs[i].recipe) >= 0)
            continue;
        if (law->n_recipes == QUALITY_RECIPES)
            return err_set(err, STATUS_RANGE, "more than %d recipes: '%s' is one too many",
                           QUALITY_RECIPES, runs[i].recipe);
        add_recipe(law, &runs[i]);
    }
    qsort(law->recipes + before, (size_t)(law->n_recipes - before), sizeof *law->recipes, by_name);
    return STATUS_OK;
}

/* 1 / sigma in ln loss, without the run's share. */
static double row_weight(const struct quality_law *law, double tokens)
{
    const double *c = law->constants.value;
    double few = c[QUALITY_SIGMA_TOKENS] / tokens;
    return 1 / (c[QUALITY_SIGMA] * sqrt(1 + few * few));
}

/* k checkpoints of one run weigh like 1 + (k - 1) / 4 runs. */
static enum status share_runs(struct problem *p, struct err *err)
{
    int n_groups = 0;
    for (size_t i = 0; i < p->n_rows; i++)
        if (p->rows[i].run->group >= n_groups)
            n_groups = p->rows[i].run->group + 1;
    int *count = memory_new((size_t)n_groups, sizeof *count);
    if (count == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < p->n_rows; i++)
        count[p->rows[i].run->group]++;
    for (size_t i = 0; i < p->n_rows; i++) {
        double k = count[p->rows[i].run->group];
        p->rows[i].weight *= sqrt((1 + (k - 1) * p->law->constants.value[QUALITY_RUN_GAIN]) / k);
    }
    memory_free(count);
    return STATUS_OK;
}

/* Accuracies say how networks of one recipe differ, not where its losses lie: the mean is put where
 * the prior has it. */
static void losses_of_accuracies(struct problem *p, int recipe)
{
    const double *c = p->law->constants.value;
    double loss = 0, accuracy = 0, n = 0;
    for (size_t i = 0; i < p->n_rows; i++) {
        if (p->rows[i].recipe != recipe)
            continue;
        loss += quality_loss(p->law, recipe, &p->rows[i].point, NULL);
        accuracy += p->rows[i].run->accuracy;
        n++;
    }
    for (size_t i = 0; i < p->n_rows; i++) {
        struct law_row *row = &p->rows[i];
        if (row->recipe != recipe)
            continue;
        double nats = loss / n + (row->run->accuracy - accuracy / n) / c[QUALITY_POINTS];
        double noise = c[QUALITY_EVALUATION] / c[QUALITY_POINTS] / nats;
        row->ln_loss = log(nats);
        row->weight = 1 / sqrt(1 / (row->weight * row->weight) + noise * noise);
    }
}

/* Rows with what the fit needs of them; theta holds the prior's mean. */
static enum status collect_rows(struct problem *p, const struct quality_run *runs, const bool *used,
                                size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if ((used != NULL && !used[i]) || !has_value(&runs[i]))
            continue;
        struct law_row *row = &p->rows[p->n_rows++];
        row->run = &runs[i];
        row->recipe = quality_find_recipe(p->law, runs[i].recipe);
        quality_point_of(p->law, row->recipe, &runs[i].shape, runs[i].tokens, &row->point);
        row->ln_loss = log(runs[i].loss);
        row->weight = row_weight(p->law, runs[i].tokens);
    }
    bool alone[QUALITY_RECIPES];
    for (int r = 0; r < p->law->n_recipes; r++)
        alone[r] = only_accuracies(p, r);
    size_t kept = 0;
    for (size_t i = 0; i < p->n_rows; i++)
        if (alone[p->rows[i].recipe] || p->rows[i].run->loss > 0)
            p->rows[kept++] = p->rows[i];
    p->n_rows = kept;
    if (kept == 0)
        return err_set(err, STATUS_INPUT,
                       "no run that can be fitted: a loss, and at least 1e9 tokens, are needed");
    for (int r = 0; r < p->law->n_recipes; r++)
        if (alone[r])
            losses_of_accuracies(p, r);
    return share_runs(p, err);
}

/* The base's posterior, and the form's prior for what it does not know. */
static bool set_prior(struct problem *p, const struct quality_law *base)
{
    const struct quality_form *form = p->law->form;
    int n = p->n_theta, known = base == NULL ? 0 : quality_n_theta(base);
    for (int i = 0; i < n; i++) {
        const struct quality_coefficient *c =
            i < form->n_shared ? &form->shared[i] : &form->own[(i - form->n_shared) % form->n_own];
        p->mean[i] = i < known ? base->theta[i] : c->mean;
        p->precision[i * n + i] = 1 / (c->sd * c->sd);
    }
    if (known == 0)
        return true;
    double *factor = p->factor, *inverse = p->hessian;
    memcpy(factor, base->covariance, (size_t)(known * known) * sizeof *factor);
    if (!cholesky_factor(known, factor))
        return false;
    cholesky_invert(known, factor, inverse);
    for (int i = 0; i < known; i++)
        memcpy(p->precision + i * n, inverse + i * known, (size_t)known * sizeof *inverse);
    return true;
}

/* Where the k-th of a row's coefficients stands in theta. */
static int place(const struct quality_form *form, int recipe, int k)
{
    return k < form->n_shared ? k : form->n_own * recipe + k;
}

/* Value at theta; with `assemble` also hessian and slope. */
static double evaluate(struct problem *p, const double *theta, bool assemble)
{
    const struct quality_form *form = p->law->form;
    double threshold = p->law->constants.value[QUALITY_HUBER], cost = 0;
    int n = p->n_theta, local = form->n_shared + form->n_own;
    if (assemble)
        memcpy(p->hessian, p->precision, (size_t)(n * n) * sizeof *p->hessian);
    for (int i = 0; i < n; i++) {
        double pull = 0;
        for (int j = 0; j < n; j++)
            pull += p->precision[i * n + j] * (theta[j] - p->mean[j]);
        cost += pull * (theta[i] - p->mean[i]) / 2;
        if (assemble)
            p->slope[i] = pull;
    }
    for (size_t i = 0; i < p->n_rows; i++) {
        const struct law_row *row = &p->rows[i];
        double g[QUALITY_LOCAL];
        double loss = form->loss(p->law, theta, theta + form->n_shared + form->n_own * row->recipe,
                                 &row->point, assemble ? g : NULL);
        bool clamped = !(loss > 1e-3); /* far from any loss: a step there is refused */
        double r = (log(clamped ? 1e-3 : loss) - row->ln_loss) * row->weight, size = fabs(r);
        cost += size <= threshold ? r * r / 2 : threshold * size - threshold * threshold / 2;
        if (!assemble || clamped)
            continue;
        double omega = size > threshold ? threshold / size : 1;
        for (int k = 0; k < local; k++) {
            int at = place(form, row->recipe, k);
            g[k] *= row->weight / loss;
            p->slope[at] += omega * r * g[k];
            for (int l = 0; l <= k; l++)
                p->hessian[at * n + place(form, row->recipe, l)] += omega * g[k] * g[l];
        }
    }
    return cost;
}

/* try = theta - (H + lambda diag H)^-1 slope */
static bool step(struct problem *p, const double *theta, double lambda)
{
    int n = p->n_theta;
    memcpy(p->factor, p->hessian, (size_t)(n * n) * sizeof *p->factor);
    for (int i = 0; i < n; i++)
        p->factor[i * n + i] *= 1 + lambda;
    if (!cholesky_factor(n, p->factor))
        return false;
    memcpy(p->try, p->slope, (size_t)n * sizeof *p->try);
    cholesky_solve(n, p->factor, p->try);
    for (int i = 0; i < n; i++)
        p->try[i] = theta[i] - p->try[i];
    return true;
}

/* False: a matrix was not positive definite. */
static bool minimise(struct problem *p)
{
    struct quality_law *law = p->law;
    double lambda = 1e-3, cost = evaluate(p, law->theta, true);
    for (int i = 0; i < MAX_STEPS; i++) {
        double next = INFINITY;
        while (lambda <= 1e12) {
            if (!step(p, law->theta, lambda))
                return false;
            next = evaluate(p, p->try, false);
            if (next <= cost)
                break;
            lambda *= 4;
        }
        if (!(next <= cost))
            break;
        bool done = cost - next < 1e-12 * (1 + cost);
        memcpy(law->theta, p->try, (size_t)p->n_theta * sizeof *p->try);
        cost = evaluate(p, law->theta, true);
        lambda = fmax(lambda / 5, 1e-12);
        if (done)
            break;
    }
    law->cost = cost;
    memcpy(p->factor, p->hessian, (size_t)(p->n_theta * p->n_theta) * sizeof *p->factor);
    if (!cholesky_factor(p->n_theta, p->factor))
        return false;
    cholesky_invert(p->n_theta, p->factor, law->covariance);
    return true;
}

static bool seen_before(const struct problem *p, size_t i)
{
    const struct quality_shape *shape = &p->rows[i].run->shape;
    for (size_t j = 0; j < i; j++)
        if (p->rows[j].recipe == p->rows[i].recipe &&
            p->rows[j].run->shape.d_model == shape->d_model &&
            p->rows[j].run->shape.n_layers == shape->n_layers)
            return true;
    return false;
}

/* Rows, shapes, range and error of each recipe, merged with what the base knew. */
static void describe_recipes(struct problem *p)
{
    struct quality_law *law = p->law;
    double sum[QUALITY_RECIPES] = {0};
    for (int r = 0; r < law->n_recipes; r++)
        if (law->recipes[r].rows > 0)
            sum[r] = law->recipes[r].rows * law->recipes[r].error_frac;
    for (size_t i = 0; i < p->n_rows; i++) {
        const struct law_row *row = &p->rows[i];
        struct quality_recipe *recipe = &law->recipes[row->recipe];
        double params = exp(row->point.ln_n) * 1e8;
        recipe->rows++;
        recipe->shapes += seen_before(p, i) ? 0 : 1;
        recipe->params_min = fmin(recipe->params_min, params);
        recipe->params_max = fmax(recipe->params_max, params);
        recipe->tokens_min = fmin(recipe->tokens_min, row->run->tokens);
        recipe->tokens_max = fmax(recipe->tokens_max, row->run->tokens);
        recipe->accuracies = row->run->loss > 0 ? recipe->accuracies && recipe->rows > 1 : true;
        sum[row->recipe] +=
            fabs(log(quality_loss(law, row->recipe, &row->point, NULL)) - row->ln_loss);
    }
    for (int r = 0; r < law->n_recipes; r++)
        if (law->recipes[r].rows > 0)
            law->recipes[r].error_frac = sum[r] / law->recipes[r].rows;
    law->rows += (int)p->n_rows;
}

/* A recipe that was given accuracies only has the level of the prior, and is no surer of it. */
static void forget_levels(struct problem *p)
{
    struct quality_law *law = p->law;
    const double sd = law->form->own[0].sd;
    for (int r = 0; r < law->n_recipes; r++) {
        int level = law->form->n_shared + law->form->n_own * r;
        bool given = false;
        for (size_t i = 0; i < p->n_rows && !given; i++)
            given = p->rows[i].recipe == r;
        if (given && law->recipes[r].accuracies)
            law->covariance[level * p->n_theta + level] += sd * sd;
    }
}

enum status quality_fit(const struct quality_run *runs, const bool *used, size_t n,
                        const struct quality_law *base, struct quality_law *law, struct err *err)
{
    struct quality_law *prior = NULL;
    struct problem p = {.law = law};
    if (base != NULL) {
        prior = memory_new(1, sizeof *prior);
        if (prior == NULL)
            return err_set(err, STATUS_NOMEM, "out of memory");
        *prior = *base;
        law->form = base->form;
        law->n_recipes = base->n_recipes;
        memcpy(law->recipes, prior->recipes, sizeof law->recipes);
        law->rows = base->rows;
    } else {
        law->n_recipes = 0;
        law->rows = 0;
    }
    enum status status = add_recipes(runs, used, n, law, err);
    size_t k = (size_t)(p.n_theta = quality_n_theta(law));
    p.rows = memory_new(n, sizeof *p.rows);
    double *room = memory_new(3 * k * k + 3 * k, sizeof *room);
    if (status == STATUS_OK && (p.rows == NULL || room == NULL))
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK) {
        p.precision = room;
        p.hessian = room + k * k;
        p.factor = room + 2 * k * k;
        p.mean = room + 3 * k * k;
        p.slope = p.mean + k;
        p.try = p.slope + k;
        if (!set_prior(&p, prior))
            status = err_set(err, STATUS_INPUT, "the base law's covariance is not one");
    }
    if (status == STATUS_OK) {
        memcpy(law->theta, p.mean, k * sizeof *p.mean);
        status = collect_rows(&p, runs, used, n, err);
    }
    if (status == STATUS_OK && !minimise(&p))
        status = err_set(err, STATUS_INPUT, "the coefficients of the law cannot be told apart");
    if (status == STATUS_OK) {
        describe_recipes(&p);
        forget_levels(&p);
    }
    memory_free(p.rows);
    memory_free(room);
    memory_free(prior);
    return status;
}
