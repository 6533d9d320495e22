/* The part of calibration that runs whole networks. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/stats.h"
#include "calibrate/calibrate.h"
#include "calibrate/timing_fit.h"
#include "costmodel/price.h"
#include "model/draw.h"

static const enum dtype run_types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_F16};
enum { N_RUN_TYPES = 3, N_FOLDS = 5, TRIALS_A_POINT = 2, SEED = 20260 };

/* Of six networks one runs each block twice in a row, and the next is the same without: what the
 * second runs cost is the difference. */
static bool has_twin(int i)
{
    return i % 6 == 3;
}
static bool is_twin(int i)
{
    return i % 6 == 4;
}
static int count_shapes(int n_networks)
{
    return n_networks - (n_networks + 1) / 6;
}

/* Latin hypercube: every shape has an aspect and a budget of its own stratum. `shape`: its number.
 */
static void draw_one(struct rng *rng, const struct calibration_options *options, int shape,
                     int n_shapes, bool share, bool immediate, struct transformer *out)
{
    const double least = 5e6, most = options->thorough ? 150e6 : 80e6;
    double n = n_shapes, size = (double)(shape * 7 % n_shapes);
    struct draw_options draw = {
        .params = (int64_t)(least * pow(most / least, (size + rng_uniform(rng)) / n)),
        .aspect = ((double)shape + rng_uniform(rng)) / n,
        .dtype = run_types[shape % N_RUN_TYPES],
        .share = share,
        .immediate = immediate};
    draw_network(rng, &draw, out);
}

static int trials_of_network(const struct calibration *c)
{
    return c->n_points * TRIALS_A_POINT;
}

static void add_trials(struct rng *rng, struct calibration *out, int i)
{
    static const int64_t contexts[TRIALS_A_POINT][4] = {{0, 32, 64, 128}, {256, 512, 1024, 2048}};
    static const int64_t prompts[] = {16, 32, 64, 128, 256};
    struct param_count count;
    transformer_count(&out->networks[i], &count);
    int64_t prompt = prompts[rng_between(rng, 0, 4)];
    int64_t affordable = 4000000000 / count.total / 16 * 16;
    prompt = prompt < affordable ? prompt : affordable;
    for (int p = 0; p < out->n_points; p++) {
        for (int c = 0; c < TRIALS_A_POINT; c++)
            out->trials[out->n_trials++] =
                (struct trial){.net = &out->networks[i],
                               .group = i,
                               .threads = out->threads[p],
                               .prompt = c == 0 ? prompt : 0,
                               .context = contexts[c][rng_between(rng, 0, 3)]};
    }
}

/* The same trials as of the network before. */
static void add_trials_of_twin(struct calibration *out, int i)
{
    const struct transformer *net = &out->networks[i], *before = net - 1;
    assert(net->schedule.sharing == SHARING_NONE &&
           net->schedule.n_layers == before->schedule.n_layers &&
           net->stack.first.d_ff == before->stack.first.d_ff &&
           net->block_dtype == before->block_dtype);
    for (int t = 0; t < trials_of_network(out); t++) {
        struct trial trial = out->trials[out->n_trials - trials_of_network(out)];
        trial.net = &out->networks[i];
        trial.group = i;
        out->trials[out->n_trials++] = trial;
    }
}

static void draw_all(struct calibration *out, const struct calibration_options *options)
{
    struct rng rng, before;
    int shape = 0, n_shapes = count_shapes(out->n_networks);
    rng_init(&rng, SEED);
    for (int i = 0; i < out->n_networks; i++) {
        if (is_twin(i)) {
            draw_one(&before, options, shape - 1, n_shapes, false, false, &out->networks[i]);
            add_trials_of_twin(out, i);
            continue;
        }
        before = rng;
        draw_one(&rng, options, shape, n_shapes, shape % 4 == 0 && !has_twin(i), has_twin(i),
                 &out->networks[i]);
        shape++;
        add_trials(&rng, out, i);
    }
}

static void note_reach(struct calibration *out)
{
    for (int i = 0; i < out->n_trials; i++) {
        const struct trial *trial = &out->trials[i];
        double d_ff = (double)trial->net->stack.first.d_ff, d_model = (double)trial->net->d_model;
        out->timed_d_in = fmax(out->timed_d_in, fmax(d_ff, d_model));
        out->timed_context = fmax(out->timed_context, (double)trial->context);
        out->timed_tokens = fmax(out->timed_tokens, (double)trial->prompt);
    }
}

/* The machine as the profile written now would have it: there is no second way from one to the
 * other. */
static enum status machine_of(const struct calibration *c, int threads, struct machine *out,
                              struct err *err)
{
    char *text = NULL;
    struct json_doc *doc = NULL;
    struct json root;
    struct device *device = memory_new(1, sizeof *device);
    enum status status = device ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = calibration_profile(c, &text, err);
    if (status == STATUS_OK)
        status = json_parse("profile", text, (int64_t)strlen(text), &doc, &root, err);
    if (status == STATUS_OK)
        status = device_parse(&root, device, err);
    if (status == STATUS_OK)
        status = machine_resolve(device, threads, out, err);
    json_close(doc);
    memory_free(text);
    memory_free(device);
    return status;
}

static void set_spill(const struct calibration *c, int level, double usable, double spill,
                      struct machine *machine)
{
    double capacity = (double)c->levels[level].capacity_bytes *
                      (c->levels[level].per_thread ? machine->threads : 1);
    machine->levels[level].capacity_bytes = (int64_t)(usable * capacity);
    machine_level_spill(&machine->levels[level], (int64_t)(spill * capacity));
}

struct fitting {
    struct timing_fit fit;
    int last_cache; /* -1: the machine tells of none */
    double usable, spill, lost;
    struct machine kernels[MAX_THREAD_POINTS]; /* as the kernels alone have it */
    int *fold;
};

/* How much of the last cache the networks see, and how it gives way: what fits them best of a grid
 * of pairs, around what plain reads saw of it. */
static enum status find_spill(const struct calibration *c, struct fitting *f, struct err *err)
{
    static const double usable[] = {0.25, 0.375, 0.5, 0.75, 1, 1.5, 2};
    static const double spill[] = {1, 2, 4, 7, 11, 16, 22};
    enum { N = 7 };
    double best = INFINITY;
    for (int i = 0; f->last_cache >= 0 && i < N; i++) {
        double frac = fmin(1, usable[i] * c->levels[f->last_cache].usable_frac);
        for (int j = 0; j < N; j++) {
            double sum = 0, loss;
            for (int p = 0; p < c->n_points; p++) {
                struct machine machine = f->kernels[p];
                set_spill(c, f->last_cache, frac, frac * spill[j], &machine);
                enum status status = timing_fit(&f->fit, &machine, &loss, err);
                if (status != STATUS_OK)
                    return status;
                sum += loss;
            }
            if (sum < best) {
                best = sum;
                f->usable = frac;
                f->spill = frac * spill[j];
            }
        }
    }
    for (int p = 0; p < c->n_points && f->last_cache >= 0; p++)
        set_spill(c, f->last_cache, f->usable, f->spill, &f->kernels[p]);
    return STATUS_OK;
}

static bool is_half_of_pair(const struct calibration *c, int i)
{
    return has_twin(c->trials[i].group) && c->trials[i].group + 1 < c->n_networks;
}

/* Adds to *sum how far off the ratio of each pair is: of a network that runs its blocks twice, and
 * its twin. */
static enum status pair_loss(const struct calibration *c, const struct machine *machine,
                             double *sum, struct err *err)
{
    for (int i = 0; i < c->n_trials; i++) {
        const struct trial *trial = &c->trials[i], *twin = trial + trials_of_network(c);
        struct workload workload = {1, trial->context};
        struct price price, price_of_twin;
        if (!is_half_of_pair(c, i) || trial->threads != machine->threads)
            continue;
        enum status status = price_network(trial->net, machine, &workload, &price, NULL, err);
        if (status == STATUS_OK)
            status = price_network(twin->net, machine, &workload, &price_of_twin, NULL, err);
        if (status != STATUS_OK)
            return status;
        *sum += fabs(log(price.decode_ns / price_of_twin.decode_ns) -
                     log(trial_decode_ns(trial) / trial_decode_ns(twin)));
    }
    return STATUS_OK;
}

/* How much of a block is lost between its two runs: what predicts the pairs best, the rest of the
 * fit being as it is. */
static enum status find_lost(const struct calibration *c, struct fitting *f, struct err *err)
{
    enum { N = 24, LEAST_TRIALS = 8 };
    double best = INFINITY;
    int n = 0; /* a few say more of themselves than of the cache */
    for (int i = 0; i < c->n_trials; i++)
        n += is_half_of_pair(c, i) && c->trials[i].threads == c->threads[0];
    for (int k = 0; n >= LEAST_TRIALS && f->last_cache >= 0 && k <= N; k++) {
        double lost = 1.5 * k / N, sum = 0;
        for (int p = 0; p < c->n_points; p++) {
            struct machine machine = f->kernels[p];
            machine.levels[f->last_cache].reread_lost_frac = lost;
            enum status status = timing_fit(&f->fit, &machine, NULL, err);
            if (status == STATUS_OK)
                status = pair_loss(c, &machine, &sum, err);
            if (status != STATUS_OK)
                return status;
        }
        if (sum < best) {
            best = sum;
            f->lost = lost;
        }
    }
    for (int p = 0; p < c->n_points && f->last_cache >= 0; p++)
        f->kernels[p].levels[f->last_cache].reread_lost_frac = f->lost;
    return STATUS_OK;
}

/* Each fold predicted from a fit to the others. */
static enum status hold_out(struct calibration *c, struct fitting *f, struct err *err)
{
    size_t n_trials = (size_t)c->n_trials, n_prefill = 0;
    double *decode = memory_new(n_trials, sizeof *decode);
    double *prefill = memory_new(n_trials, sizeof *prefill);
    enum status status =
        decode && prefill ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    int n = 0;
    for (int p = 0; p < c->n_points; p++) {
        for (int fold = 0; fold < N_FOLDS && status == STATUS_OK; fold++) {
            struct machine machine = f->kernels[p];
            f->fit.left_out = fold;
            status = timing_fit(&f->fit, &machine, NULL, err);
            if (status == STATUS_OK)
                status = timing_errors(&f->fit, &machine, fold, decode, prefill, &n, err);
        }
    }
    f->fit.left_out = -1;
    for (int i = 0; i < n && status == STATUS_OK; i++)
        if (!isnan(prefill[i]))
            prefill[n_prefill++] = prefill[i];
    if (status == STATUS_OK && n > 0) {
        c->error_median_frac = stats_quantile(decode, (size_t)n, 0.5);
        c->error_p90_frac = stats_quantile(decode, (size_t)n, 0.9);
        c->prefill_error_median_frac = n_prefill > 0 ? stats_median(prefill, n_prefill) : NAN;
    }
    memory_free(decode);
    memory_free(prefill);
    return status;
}

static void keep(struct calibration *c, int p, const struct machine *machine)
{
#define FITTED(number) \
    ((struct measured){.value = (number), .n = c->n_trials / c->n_points, .fitted = true})
    int dram = c->n_levels - 1;
    for (int i = 0; i < N_RUN_TYPES; i++) {
        int type = (int)run_types[i];
        const int terms[] = {TIMING_ROW, TIMING_COLUMN, TIMING_PROMPT_BYTE, TIMING_PROMPT_COLUMN,
                             TIMING_START};
        for (int level = dram > 0 ? dram - 1 : 0; level <= dram; level++) {
            double least = machine->weight_gbps[type][dram];
            c->matvec_gbps[type][level].at[p] =
                FITTED(fmax(machine->weight_gbps[type][level], least));
        }
        c->peak_gflops[type].at[p] = FITTED(machine->peak_gflops[type]);
        for (size_t t = 0; t < sizeof terms / sizeof *terms; t++)
            c->timing_ns[terms[t] + type].at[p] = FITTED(machine->timing_ns[terms[t] + type]);
    }
    /* Of types that did not run nobody knows the start: the first guess is no measurement. */
    for (int type = 0; type < N_DTYPES; type++)
        if (!c->timing_ns[TIMING_START + type].at[p].fitted)
            c->timing_ns[TIMING_START + type].at[p] = (struct measured){0};
    for (int level = dram > 0 ? dram - 1 : 0; level <= dram; level++)
        c->cache_gbps[level].at[p] = FITTED(fmax(machine->kv_gbps[level], machine->kv_gbps[dram]));
    for (int term = TIMING_PROMPT_ROW; term < N_TIMING_TERMS; term++)
        c->timing_ns[term].at[p] = FITTED(machine->timing_ns[term]);
    c->op_ns[OP_MATMUL].at[p] = FITTED(machine->op_ns[OP_MATMUL]);
    c->pass_ns.at[p] = FITTED(machine->pass_ns);
#undef FITTED
}

static enum status fit_all(struct calibration *c, struct err *err)
{
    struct fitting *f = memory_new(1, sizeof *f);
    int *fold = memory_new((size_t)c->n_trials, sizeof *fold);
    enum status status = f && fold ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    for (int i = 0; i < c->n_trials; i++)
        fold[i] = c->trials[i].group / N_RUN_TYPES % N_FOLDS;
    f->fit = (struct timing_fit){c->trials, c->n_trials, fold, -1};
    f->last_cache = c->n_levels - 2;
    for (int p = 0; p < c->n_points && status == STATUS_OK; p++)
        status = machine_of(c, c->threads[p], &f->kernels[p], err);
    if (status == STATUS_OK)
        status = find_spill(c, f, err);
    if (status == STATUS_OK)
        status = find_lost(c, f, err);
    if (status == STATUS_OK && c->n_networks >= 3 * N_FOLDS)
        status = hold_out(c, f, err);
    for (int p = 0; p < c->n_points && status == STATUS_OK; p++) {
        struct machine machine = f->kernels[p];
        status = timing_fit(&f->fit, &machine, NULL, err);
        if (status == STATUS_OK)
            keep(c, p, &machine);
    }
    if (status == STATUS_OK && f->last_cache >= 0) {
        c->levels[f->last_cache].usable_frac = f->usable;
        c->levels[f->last_cache].spill_frac = f->spill;
        c->levels[f->last_cache].reread_lost_frac = f->lost;
    }
out:
    memory_free(f);
    memory_free(fold);
    return status;
}

/* The thread count at which networks decode fastest; one that is slower than fewer threads says
 * that the machine was not ours. */
static void compare_threads(struct calibration *c)
{
    double speed[MAX_THREAD_POINTS] = {0};
    int best = 0;
    for (int p = 0; p < c->n_points; p++) {
        int n = 0;
        for (int i = 0; i < c->n_trials; i++) {
            if (c->trials[i].threads != c->threads[p])
                continue;
            speed[p] += log(trial_decode_ns(&c->trials[i]));
            n++;
        }
        speed[p] = exp(-speed[p] / n);
        best = speed[p] > speed[best] ? p : best;
    }
    c->default_threads = c->threads[best];
    if (best < c->n_points - 1)
        snprintf(c->note, sizeof c->note,
                 "networks ran %.2g times as fast with %d threads as with %d: other programs had "
                 "the processors, or the cores share what bounds them; the default is %d",
                 speed[c->n_points - 1] / speed[best], c->threads[c->n_points - 1],
                 c->threads[best], c->threads[best]);
}

void calibration_judge(struct calibration *c)
{
    const struct trial_report *r = &c->trial_report;
    if (*c->note == '\0')
        trial_report_busy(r, c->note, sizeof c->note);
    /* All threads do the same sums, each in its own caches. */
    const struct state_reference *state = &r->state;
    for (int i = 1; *c->note == '\0' && i < state->n; i++) {
        double slower = state->at[i].sum_ns / state->at[0].sum_ns - 1;
        if (slower > 0.1)
            snprintf(c->note, sizeof c->note,
                     "with %d threads arithmetic was at best %.0f %% slower than with %d: other "
                     "programs had a core all the time, or the cores slow down together",
                     state->threads[i], 100 * slower, state->threads[0]);
    }
}

struct shown {
    const struct calibration_options *options;
};

static void show(void *context, double done_frac)
{
    const struct shown *shown = context;
    if (shown->options->progress)
        shown->options->progress(shown->options->progress_context, (int)(1000 * done_frac), 1000);
}

enum status calibrate_networks(const struct calibration_options *options, int n_networks,
                               double budget_ns, struct calibration *out, struct err *err)
{
    struct shown shown = {options};
    size_t n_trials = (size_t)(n_networks * out->n_points * TRIALS_A_POINT);
    struct trial_options trial_options = {.min_rounds = 1,
                                          .max_rounds = options->thorough ? MAX_TRIAL_ROUNDS : 4,
                                          .budget_ns = budget_ns,
                                          .decode_ns = 15e6,
                                          .isa = options->isa,
                                          .seed = SEED,
                                          .stop = options->stop,
                                          .progress = show,
                                          .progress_context = &shown};
    out->networks = memory_new((size_t)n_networks, sizeof *out->networks);
    out->trials = memory_new(n_trials, sizeof *out->trials);
    if (!out->networks || !out->trials)
        return err_set(err, STATUS_NOMEM, "out of memory for %d networks", n_networks);
    out->n_networks = n_networks;
    draw_all(out, options);
    note_reach(out);
    enum status status =
        trials_run(out->trials, out->n_trials, &trial_options, &out->trial_report, err);
    if (status == STATUS_OK)
        status = fit_all(out, err);
    if (status == STATUS_OK) {
        compare_threads(out);
        calibration_judge(out);
    }
    return status;
}
