#include "quality/next_runs.h"

#include <math.h>
#include <string.h>

enum { LOCAL = QUALITY_LOCAL, MAX_CONTENDERS = 16 };

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

/* The covariance of what one recipe's rows depend on, the prior's for a new recipe. */
static void local_covariance(const struct quality_law *law, int recipe, double *out)
{
    const struct quality_form *form = law->form;
    int n = form->n_shared + form->n_own;
    double unit[LOCAL];
    memset(unit, 0, sizeof unit);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double both, one, other;
            unit[i] = 1;
            one = quality_variance(law, recipe, unit);
            unit[i] = 0;
            unit[j] = 1;
            other = quality_variance(law, recipe, unit);
            unit[i] = unit[j] = 1;
            both = quality_variance(law, recipe, unit);
            unit[i] = unit[j] = 0;
            out[i * LOCAL + j] = out[j * LOCAL + i] = i == j ? one : (both - one - other) / 2;
        }
}

static double form_of(const double *c, const double *x, const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            sum += x[i] * c[i * LOCAL + j] * y[j];
    return sum;
}

struct design {
    const struct quality_law *law;
    int n, recipe;
    double covariance[LOCAL * LOCAL];
    double contrast[MAX_CONTENDERS][LOCAL]; /* gradient of a contender minus that of the best */
    int n_contrasts;
    double loss_nats;
};

static double spread(const struct design *d)
{
    double sum = 0;
    for (int i = 0; i < d->n_contrasts; i++)
        sum += form_of(d->covariance, d->contrast[i], d->contrast[i], d->n);
    return sum;
}

static double half_width(const struct design *d)
{
    double sum = 0, inflate = d->law->constants.value[QUALITY_INFLATE];
    for (int i = 0; i < d->n_contrasts; i++)
        sum += sqrt(form_of(d->covariance, d->contrast[i], d->contrast[i], d->n));
    return d->n_contrasts > 0 ? QUALITY_Z90 * inflate * sum / d->n_contrasts * d->loss_nats : 0;
}

static void set_contenders(struct design *d, struct quality_plan *plan)
{
    static const int depths[] = {4, 6, 8, 12, 16, 20, 24, 30, 36, 42, 50, 62};
    struct quality_prediction of[MAX_CONTENDERS];
    int n = 0, best = 0;
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        double width = quality_width_at(plan->total_params, depths[i], plan->vocab, plan->tied);
        const struct quality_shape shape =
            quality_paper_shape(width, depths[i], plan->vocab, plan->tied);
        if (fabs(log(quality_total_params(&shape) / plan->total_params)) > 0.12)
            continue;
        quality_predict(d->law, d->recipe, &shape, plan->tokens, &of[n]);
        best = of[n].loss_nats < of[best].loss_nats ? n : best;
        n++;
    }
    for (int i = 0; i < n; i++) {
        if (i == best)
            continue;
        for (int k = 0; k < d->n; k++)
            d->contrast[d->n_contrasts][k] = of[i].gradient[k] - of[best].gradient[k];
        d->n_contrasts++;
    }
    d->loss_nats = n > 0 ? of[best].loss_nats : 0;
    plan->n_contenders = n;
    plan->half_nats = half_width(d);
}

/* How much of the contenders' spread a row takes away. */
static double gain_of(const struct design *d, const double *gradient, double variance)
{
    double denominator = variance + form_of(d->covariance, gradient, gradient, d->n), sum = 0;
    for (int i = 0; i < d->n_contrasts; i++) {
        double shared = form_of(d->covariance, d->contrast[i], gradient, d->n);
        sum += shared * shared;
    }
    return sum / denominator;
}

static void learn(struct design *d, const double *gradient, double variance)
{
    double denominator = variance + form_of(d->covariance, gradient, gradient, d->n);
    double moved[LOCAL] = {0};
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->n; j++)
            moved[i] += d->covariance[i * LOCAL + j] * gradient[j];
    for (int i = 0; i < d->n; i++)
        for (int j = 0; j < d->n; j++)
            d->covariance[i * LOCAL + j] -= moved[i] * moved[j] / denominator;
}

/* The best next run into *out; false: none is allowed. */
static bool pick(struct design *d, const struct training_gpu *gpu, double most_flop,
                 const struct quality_plan *plan, const struct quality_next_run *before,
                 int n_before, struct quality_next_run *out)
{
    static const double widths[] = {256, 384, 512, 640, 768}, tokens[] = {2e9, 5e9, 10e9, 20e9};
    static const int depths[] = {4, 8, 12, 16, 24, 32, 48};
    double most = -1, learnt[LOCAL], learnt_variance = 0;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (size_t l = 0; l < sizeof depths / sizeof *depths; l++)
            for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++) {
                struct quality_next_run run = {.tokens = tokens[t]};
                struct quality_prediction prediction;
                bool again = false;
                run.shape = quality_paper_shape(widths[w], depths[l], plan->vocab, plan->tied);
                training_cost_of(&run.shape, run.tokens, gpu, &run.cost);
                for (int i = 0; i < n_before; i++)
                    again = again || (before[i].shape.d_model == run.shape.d_model &&
                                      before[i].shape.n_layers == run.shape.n_layers &&
                                      before[i].tokens == run.tokens);
                if (again || run.cost.flop > most_flop)
                    continue;
                quality_predict(d->law, d->recipe, &run.shape, run.tokens, &prediction);
                double sigma = d->law->constants.value[QUALITY_SIGMA];
                double variance = sigma * sigma + prediction.shape_sd * prediction.shape_sd;
                double gain = gain_of(d, prediction.gradient, variance);
                if (gain <= most)
                    continue;
                most = gain;
                *out = run;
                memcpy(learnt, prediction.gradient, sizeof learnt);
                learnt_variance = variance;
            }
    if (most < 0)
        return false;
    learn(d, learnt, learnt_variance);
    return true;
}

int quality_next_runs(const struct quality_law *law, int recipe, const struct training_gpu *gpu,
                      double most_flop, struct quality_plan *plan, int n,
                      struct quality_next_run *picked)
{
    struct design d = {.law = law, .recipe = recipe};
    d.n = law->form->n_shared + law->form->n_own;
    local_covariance(law, recipe, d.covariance);
    set_contenders(&d, plan);
    double before = spread(&d);
    for (int i = 0; i < n; i++) {
        if (!pick(&d, gpu, most_flop, plan, picked, i, &picked[i]))
            return i;
        picked[i].gain_frac = before > 0 ? 1 - spread(&d) / before : 0;
        picked[i].half_nats = half_width(&d);
    }
    return n;
}
