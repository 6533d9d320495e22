#include "costmodel/validate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "costmodel/draw.h"
#include "costmodel/price.h"

static const enum dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_F16};
static const int64_t budgets[] = {25000000, 60000000, 125000000};
static const int64_t contexts[] = {0, 128, 512, 1024, 256, 64, 768, 0, 384};
enum { N_TYPES = 3, N_BUDGETS = 3, N_SERIES = N_TYPES * N_BUDGETS, MAX_SERIES = 64 };

const char *validation_clock_name(enum validation_clock clock)
{
    static const char *const names[N_CLOCKS] = {"lathe", "bytes", "bytes + layers"};
    return names[clock];
}

static void draw_series(const struct validation_options *options, struct validation *v)
{
    struct rng rng;
    int length = v->n_networks / N_SERIES;
    rng_init(&rng, options->seed);
    for (int i = 0; i < v->n_networks; i++) {
        int series = i / length, at = i % length;
        struct draw_options draw = {.params = budgets[series % N_BUDGETS],
                                    .aspect = (at + 0.5) / length,
                                    .dtype = types[series / N_BUDGETS],
                                    .share = at % 3 == 2};
        draw_network(&rng, &draw, &v->networks[i]);
        for (int t = 0; t < options->n_threads; t++)
            v->trials[v->n_trials++] = (struct trial){.net = &v->networks[i],
                                                      .group = series * options->n_threads + t,
                                                      .threads = options->threads[t],
                                                      .prompt = options->prompt,
                                                      .context = contexts[series]};
    }
    v->n_groups = N_SERIES * options->n_threads;
}

enum status validation_draw(const struct validation_options *options, struct validation *out,
                            struct err *err)
{
    *out = (struct validation){0};
    out->n_networks = (options->n_networks + N_SERIES - 1) / N_SERIES * N_SERIES;
    size_t n_trials = (size_t)(out->n_networks * options->n_threads);
    out->networks = memory_new((size_t)out->n_networks, sizeof *out->networks);
    out->trials = memory_new(n_trials, sizeof *out->trials);
    out->prefill_ns = memory_new(n_trials, sizeof(double));
    bool complete = out->networks && out->trials && out->prefill_ns;
    for (int clock = 0; clock < N_CLOCKS; clock++) {
        out->decode_ns[clock] = memory_new(n_trials, sizeof(double));
        complete = complete && out->decode_ns[clock];
    }
    if (!complete)
        return err_set(err, STATUS_NOMEM, "out of memory for %d networks", out->n_networks);
    draw_series(options, out);
    return STATUS_OK;
}

void validation_release(struct validation *v)
{
    memory_free(v->networks);
    memory_free(v->trials);
    memory_free(v->prefill_ns);
    for (int clock = 0; clock < N_CLOCKS; clock++)
        memory_free(v->decode_ns[clock]);
    *v = (struct validation){0};
}

enum status validation_predict(const struct device *device, struct validation *v, struct err *err)
{
    struct machine machine = {0};
    for (int i = 0; i < v->n_trials; i++) {
        const struct trial *trial = &v->trials[i];
        struct workload workload = {trial->prompt, trial->context};
        struct price price;
        enum status status = machine_resolve(device, trial->threads, &machine, err);
        if (status == STATUS_OK)
            status = price_network(trial->net, &machine, &workload, &price, NULL, err);
        if (status != STATUS_OK)
            return status;
        v->decode_ns[CLOCK_LATHE][i] = price.decode_ns;
        v->prefill_ns[i] = price.prefill_ns;
    }
    return STATUS_OK;
}

static double read_bytes(const struct trial *trial)
{
    struct weight_bytes bytes;
    transformer_weight_bytes(trial->net, &bytes);
    double table = trial->net->tie_embeddings ? 0 : (double)bytes.embedding;
    return (double)bytes.total - table + (double)transformer_kv_bytes(trial->net, trial->context);
}

/* Least squares of relative errors with one or two terms, neither negative. */
static void fit_group(struct validation *v, enum dtype dtype, int threads)
{
    double bb = 0, bl = 0, ll = 0, b1 = 0, l1 = 0;
    for (int i = 0; i < v->n_trials; i++) {
        const struct trial *trial = &v->trials[i];
        if (trial->threads != threads || trial->net->block_dtype != dtype)
            continue;
        double ns = trial_decode_ns(trial), bytes = read_bytes(trial) / ns;
        double layers = (double)schedule_executions(&trial->net->schedule) / ns;
        bb += bytes * bytes;
        bl += bytes * layers;
        ll += layers * layers;
        b1 += bytes;
        l1 += layers;
    }
    double det = bb * ll - bl * bl, byte = (b1 * ll - l1 * bl) / det;
    double layer = (l1 * bb - b1 * bl) / det;
    if (!(layer > 0)) {
        layer = 0;
        byte = b1 / bb;
    }
    for (int i = 0; i < v->n_trials; i++) {
        const struct trial *trial = &v->trials[i];
        if (trial->threads != threads || trial->net->block_dtype != dtype)
            continue;
        v->decode_ns[CLOCK_BYTES][i] = read_bytes(trial) * b1 / bb;
        v->decode_ns[CLOCK_BYTES_LAYERS][i] =
            read_bytes(trial) * byte + (double)schedule_executions(&trial->net->schedule) * layer;
    }
}

void validation_fit_baselines(struct validation *v)
{
    for (int t = 0; t < N_TYPES; t++) {
        int done[MAX_VALIDATION_THREADS], n = 0;
        for (int i = 0; i < v->n_trials; i++) {
            bool is_new = n < MAX_VALIDATION_THREADS;
            for (int j = 0; j < n; j++)
                is_new = is_new && done[j] != v->trials[i].threads;
            if (!is_new)
                continue;
            done[n++] = v->trials[i].threads;
            fit_group(v, types[t], v->trials[i].threads);
        }
    }
}

double validation_measured(const struct validation *v, enum validation_phase phase, int trial)
{
    return phase == VALIDATE_DECODE ? trial_decode_ns(&v->trials[trial])
                                    : trial_prefill_ns(&v->trials[trial]);
}

static double noise_of(const struct trial *trial, enum validation_phase phase)
{
    return trial_noise_frac(phase == VALIDATE_DECODE ? trial->decode_ns : trial->prefill_ns,
                            trial->n_rounds);
}

double validation_group(const struct validation *v, enum validation_phase phase,
                        const double *predicted, int group, double *spread_frac, double *noise_frac)
{
    double x[MAX_SERIES], y[MAX_SERIES], noise = 0;
    size_t n = 0;
    for (int i = 0; i < v->n_trials && n < MAX_SERIES; i++) {
        if (v->trials[i].group != group)
            continue;
        x[n] = predicted[i];
        y[n] = validation_measured(v, phase, i);
        noise += noise_of(&v->trials[i], phase) / sqrt((double)v->trials[i].n_rounds);
        n++;
    }
    if (n < 3)
        return NAN;
    *spread_frac = stats_stddev(y, n) / stats_mean(y, n);
    *noise_frac = 1.4826 * noise / (double)n;
    return stats_spearman(x, y, n);
}

static void summarise_groups(const struct validation *v, enum validation_phase phase,
                             const double *predicted, struct validation_summary *out)
{
    double rho[N_SERIES * MAX_VALIDATION_THREADS];
    for (int g = 0; g < v->n_groups; g++) {
        double spread, noise, r = validation_group(v, phase, predicted, g, &spread, &noise);
        if (!isnan(r) && !(spread <= noise))
            rho[out->n_groups++] = r;
    }
    out->group_spearman = out->group_worst = NAN;
    if (out->n_groups == 0)
        return;
    out->group_worst = stats_quantile(rho, (size_t)out->n_groups, 0);
    out->group_spearman = stats_median(rho, (size_t)out->n_groups);
}

enum status validation_summarise(const struct validation *v, enum validation_phase phase,
                                 const double *predicted, struct validation_summary *out,
                                 struct err *err)
{
    size_t n = (size_t)v->n_trials;
    double *work = memory_new(5 * n, sizeof *work);
    *out = (struct validation_summary){.n = v->n_trials};
    if (!work)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu trials", n);
    double *off = work, *bias = work + n, *single = work + 2 * n, *mean = work + 3 * n;
    double *measured = work + 4 * n;
    for (size_t i = 0; i < n; i++) {
        measured[i] = validation_measured(v, phase, (int)i);
        bias[i] = predicted[i] / measured[i] - 1;
        off[i] = fabs(bias[i]);
        single[i] = noise_of(&v->trials[i], phase);
        single[i] = isnan(single[i]) ? 0 : single[i];
        mean[i] = single[i] / sqrt((double)v->trials[i].n_rounds);
        out->within_5 += (off[i] <= 0.05) / (double)n;
        out->within_10 += (off[i] <= 0.10) / (double)n;
    }
    out->spearman = stats_spearman(predicted, measured, n);
    out->kendall = stats_kendall(predicted, measured, n);
    out->single_floor = stats_median(single, n);
    out->mean_floor = stats_median(mean, n);
    for (size_t i = 0; i < n; i++)
        out->within_floor_10 += (off[i] <= out->single_floor + 0.1) / (double)n;
    out->bias = stats_median(bias, n);
    out->mean = stats_mean(off, n);
    out->p95 = stats_quantile(off, n, 0.95);
    out->median = stats_median(off, n);
    summarise_groups(v, phase, predicted, out);
    memory_free(work);
    return STATUS_OK;
}
