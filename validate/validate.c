#include "validate/validate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "costmodel/price.h"
#include "fit/fit_baseline.h"
#include "model/count.h"
#include "model/draw.h"

static const enum dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_F16};
static const int64_t budgets[] = {25000000, 60000000, 125000000};
static const int64_t contexts[] = {0, 128, 512, 1024, 256, 64, 768, 0, 384};
enum { N_TYPES = 3, N_BUDGETS = 3, N_SERIES = N_TYPES * N_BUDGETS };

const char *validation_clock_name(enum validation_clock clock)
{
    static const char *const names[N_CLOCKS] = {"lathe", "simulator", "bytes", "bytes + layers"};
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

static enum status allocate(struct validation *v, size_t n_networks, size_t n_trials,
                            struct err *err)
{
    *v = (struct validation){0};
    v->trials = memory_new(n_trials, sizeof *v->trials);
    v->prefill_ns = memory_new(n_trials, sizeof(double));
    bool complete = v->trials && v->prefill_ns;
    if (n_networks > 0) {
        v->networks = memory_new(n_networks, sizeof *v->networks);
        complete = complete && v->networks;
    }
    for (int clock = 0; clock < N_CLOCKS; clock++) {
        v->decode_ns[clock] = memory_new(n_trials, sizeof(double));
        complete = complete && v->decode_ns[clock];
    }
    return complete ? STATUS_OK
                    : err_set(err, STATUS_NOMEM, "out of memory for %zu trials", n_trials);
}

enum status validation_draw(const struct validation_options *options, struct validation *out,
                            struct err *err)
{
    int n_networks = (options->n_networks + N_SERIES - 1) / N_SERIES * N_SERIES;
    enum status status =
        allocate(out, (size_t)n_networks, (size_t)n_networks * (size_t)options->n_threads, err);
    out->n_networks = n_networks;
    if (status == STATUS_OK)
        draw_series(options, out);
    return status;
}

enum status validation_of_networks(const struct transformer *networks,
                                   const struct validation_options *options, struct validation *out,
                                   struct err *err)
{
    size_t n = (size_t)options->n_networks, n_threads = (size_t)options->n_threads;
    enum status status = allocate(out, n, n * n_threads, err);
    if (status != STATUS_OK)
        return status;
    out->n_networks = options->n_networks;
    memcpy(out->networks, networks, n * sizeof *networks);
    for (int i = 0; i < out->n_networks; i++)
        for (int t = 0; t < options->n_threads; t++)
            out->trials[out->n_trials++] = (struct trial){.net = &out->networks[i],
                                                          .group = -1,
                                                          .threads = options->threads[t],
                                                          .prompt = options->prompt,
                                                          .context = options->context};
    return STATUS_OK;
}

int64_t validation_params(const struct trial *trial)
{
    struct param_count count;
    transformer_count(trial->net, &count);
    return count.total;
}

/* The row's trial of a phase, new or of rows alike; NULL: it did not time the phase, or there are
 * rounds enough. */
static struct trial *trial_of_row(struct validation *v, const struct fit_row *row,
                                  enum fit_phase phase)
{
    int64_t prompt = phase == FIT_PREFILL ? row->prompt : 0;
    int64_t context = phase == FIT_DECODE ? row->context : 0;
    if (isnan(fit_measured_ns(row, phase)))
        return NULL;
    for (int i = 0; i < v->n_trials; i++) {
        struct trial *trial = &v->trials[i];
        if (trial->prompt == prompt && trial->context == context &&
            trial->threads == row->threads && fit_same_types(trial->net, &row->net) &&
            strcmp(trial->net->name, row->net.name) == 0 &&
            transformer_same_shape(trial->net, &row->net))
            return trial->n_rounds < MAX_TRIAL_ROUNDS ? trial : NULL;
    }
    struct trial *trial = &v->trials[v->n_trials++];
    *trial = (struct trial){.net = &row->net,
                            .group = -1,
                            .threads = row->threads,
                            .prompt = prompt,
                            .context = context};
    return trial;
}

static void add_round(struct validation *v, const struct fit_row *row, enum fit_phase phase)
{
    struct trial *trial = trial_of_row(v, row, phase);
    if (trial == NULL)
        return;
    double ns = fit_measured_ns(row, phase);
    trial->decode_ns[trial->n_rounds] = phase == FIT_DECODE ? ns : NAN;
    trial->prefill_ns[trial->n_rounds++] = phase == FIT_PREFILL ? ns : NAN;
}

/* The smallest network without a group starts one, and those little larger join it. */
static void group_alike(struct validation *v)
{
    for (;;) {
        const struct trial *least = NULL;
        for (int i = 0; i < v->n_trials; i++)
            if (v->trials[i].group < 0 &&
                (least == NULL || validation_params(&v->trials[i]) < validation_params(least)))
                least = &v->trials[i];
        if (least == NULL)
            return;
        double most = (1 + VALIDATION_ALIKE_FRAC) * (double)validation_params(least);
        struct trial first = *least;
        for (int i = 0; i < v->n_trials; i++) {
            struct trial *trial = &v->trials[i];
            if (trial->group < 0 && trial->prompt == first.prompt &&
                trial->context == first.context && trial->threads == first.threads &&
                trial->net->block_dtype == first.net->block_dtype &&
                (double)validation_params(trial) <= most)
                trial->group = v->n_groups;
        }
        v->n_groups++;
    }
}

static int count_networks(const struct validation *v)
{
    int n = 0;
    for (int i = 0; i < v->n_trials; i++) {
        bool is_new = true;
        for (int j = 0; j < i && is_new; j++)
            is_new = !(strcmp(v->trials[i].net->name, v->trials[j].net->name) == 0 &&
                       fit_same_types(v->trials[i].net, v->trials[j].net));
        n += is_new;
    }
    return n;
}

enum status validation_of_rows(const struct fit_rows *rows, struct validation *out, struct err *err)
{
    enum status status = allocate(out, 0, 2 * rows->n + 1, err);
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++) {
        add_round(out, &rows->items[i], FIT_DECODE);
        add_round(out, &rows->items[i], FIT_PREFILL);
    }
    if (status == STATUS_OK && out->n_trials == 0)
        status = err_set(err, STATUS_INPUT, "no timing of a decode or a prompt to hold against");
    if (status == STATUS_OK) {
        group_alike(out);
        out->n_networks = count_networks(out);
    }
    return status;
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
        struct workload workload = {trial->prompt > 0 ? trial->prompt : 1, trial->context};
        struct price price;
        enum status status = machine_resolve(device, trial->threads, &machine, err);
        if (status == STATUS_OK)
            status = price_network(trial->net, &machine, &workload, &price, NULL, err);
        if (status != STATUS_OK)
            return status;
        v->decode_ns[CLOCK_LATHE][i] = price.decode_ns;
        v->decode_ns[CLOCK_SIMULATOR][i] = NAN;
        v->prefill_ns[i] = price.prefill_ns;
    }
    return STATUS_OK;
}

void validation_state(const struct device *device, const struct validation_options *options,
                      struct state_reference *out)
{
    *out = (struct state_reference){0};
    if (device->sentinel_sum_ns.n == 0 || device->sentinel_meet_ns.n == 0)
        return;
    for (int t = 0; t < options->n_threads; t++) {
        int threads = options->threads[t];
        out->threads[out->n] = threads;
        out->at[out->n++] =
            (struct machine_state){by_threads_at(&device->sentinel_sum_ns, threads, NAN),
                                   by_threads_at(&device->sentinel_read_gbps, threads, NAN),
                                   by_threads_at(&device->sentinel_meet_ns, threads, NAN)};
    }
}

void validation_exchange_raw(struct validation *v)
{
    for (int i = 0; i < v->n_trials && v->networks; i++) {
        struct trial *trial = &v->trials[i];
        for (int r = 0; r < trial->n_rounds; r++) {
            double decode = trial->decode_ns[r], prefill = trial->prefill_ns[r];
            trial->decode_ns[r] = trial->raw_decode_ns[r];
            trial->prefill_ns[r] = trial->raw_prefill_ns[r];
            trial->raw_decode_ns[r] = decode;
            trial->raw_prefill_ns[r] = prefill;
        }
    }
}

/* What a baseline sees of a trial: bytes as stored, each once a token however often a block runs. */
static struct baseline_sample baseline_sample(const struct trial *trial)
{
    struct weight_bytes bytes;
    transformer_weight_bytes(trial->net, &bytes);
    double table = trial->net->tie_embeddings ? 0 : (double)bytes.embedding;
    double cache = (double)transformer_kv_bytes(trial->net, trial->context);
    return (struct baseline_sample){.dtype = trial->net->block_dtype,
                                    .bytes = (double)bytes.total - table + cache,
                                    .layers = (double)transformer_executions(trial->net),
                                    .ns = trial_decode_ns(trial)};
}

static bool is_alike(const struct trial *a, const struct trial *b)
{
    return a->threads == b->threads && a->net->block_dtype == b->net->block_dtype;
}

/* samples: [n_trials], workspace. */
static enum status fit_group(struct validation *v, const struct trial *like,
                             struct baseline_sample *samples, struct err *err)
{
    enum { LEAST_TRIALS = 4 }; /* two terms meet two trials whatever they are */
    struct fit_baseline bytes, layers;
    size_t n = 0;
    for (int i = 0; i < v->n_trials; i++) {
        samples[n] = baseline_sample(&v->trials[i]);
        n += is_alike(&v->trials[i], like) && !isnan(samples[n].ns);
    }
    enum status status = fit_baseline(samples, n, false, &bytes, err);
    if (status == STATUS_OK)
        status = fit_baseline(samples, n, true, &layers, err);
    for (int i = 0; i < v->n_trials && status == STATUS_OK; i++) {
        if (!is_alike(&v->trials[i], like))
            continue;
        struct baseline_sample sample = baseline_sample(&v->trials[i]);
        bool enough = n >= LEAST_TRIALS;
        v->decode_ns[CLOCK_BYTES][i] = enough ? fit_baseline_ns(&bytes, &sample) : NAN;
        v->decode_ns[CLOCK_BYTES_LAYERS][i] = enough ? fit_baseline_ns(&layers, &sample) : NAN;
    }
    return status;
}

enum status validation_fit_baselines(struct validation *v, struct err *err)
{
    struct baseline_sample *samples = memory_new((size_t)v->n_trials, sizeof *samples);
    enum status status =
        samples ? STATUS_OK
                : err_set(err, STATUS_NOMEM, "out of memory for %d trials", v->n_trials);
    for (int i = 0; i < v->n_trials && status == STATUS_OK; i++) {
        bool is_first = true;
        for (int j = 0; j < i && is_first; j++)
            is_first = !is_alike(&v->trials[j], &v->trials[i]);
        if (is_first)
            status = fit_group(v, &v->trials[i], samples, err);
    }
    memory_free(samples);
    return status;
}
