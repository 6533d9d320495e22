#include "timing/trial.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "runtime/runner.h"
#include "timing/timing.h"

enum { MIN_DECODES = 3, MAX_DECODES = 41, MAX_PREFILLS = 5 };

/* Drift is symmetric and a mean averages it out; another program that takes a processor for a round
 * is not, and goes with the slowest quarter. */
static double middle_mean(const double *rounds, int n)
{
    double sorted[MAX_TRIAL_ROUNDS];
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > rounds[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = rounds[i];
    }
    return stats_mean(sorted + n / 4, (size_t)(n - n / 4 * 2));
}

double trial_decode_ns(const struct trial *trial)
{
    return trial->n_rounds > 0 ? middle_mean(trial->decode_ns, trial->n_rounds) : NAN;
}

double trial_prefill_ns(const struct trial *trial)
{
    bool timed = trial->n_rounds > 0 && trial->prompt > 0;
    return timed ? middle_mean(trial->prefill_ns, trial->n_rounds) : NAN;
}

double trial_noise_frac(const double *rounds, int n)
{
    double off[MAX_TRIAL_ROUNDS];
    if (n < 2)
        return NAN;
    double mean = middle_mean(rounds, n);
    for (int i = 0; i < n; i++)
        off[i] = fabs(rounds[i] / mean - 1);
    return stats_median(off, (size_t)n) * sqrt((double)n / (double)(n - 1));
}

struct trial_spread trial_spread(const double *rounds, int n)
{
    double values[MAX_TRIAL_ROUNDS];
    memcpy(values, rounds, (size_t)n * sizeof *values);
    return (struct trial_spread){.min_ns = stats_quantile(values, (size_t)n, 0),
                                 .median_ns = stats_median(values, (size_t)n),
                                 .mad_ns = stats_mad(values, (size_t)n)};
}

bool trial_report_busy(const struct trial_report *report, char *buffer, size_t size)
{
    const double quiet_spread = 0.15, whole_processor = 0.9;
    if (!(report->sentinel_spread_frac > quiet_spread || report->processor_frac < whole_processor))
        return false;
    snprintf(buffer, size,
             "the sentinel's rate varied by %.0f %% and this process got %.0f %% of the "
             "processor: the machine was busy",
             100 * report->sentinel_spread_frac, 100 * report->processor_frac);
    return true;
}

struct session {
    struct trial *trials;
    int n;
    const struct trial_options *options;
    struct state_probe *probe;
    double *sentinel_gbps, *sentinel_sums; /* [n_sentinels], of one thread */
    size_t n_sentinels, gbps_capacity, sums_capacity;
    double processor_ns, wall_ns; /* while one thread's sentinels ran */
};

/* What the machine has to give besides us. */
static enum status stand_sentinel(struct session *s, int threads, struct machine_state *state,
                                  struct err *err)
{
    int64_t processor = timing_thread_ns(), start = clock_ns();
    *state = state_probe_look(s->probe, threads);
    if (threads > 1)
        return STATUS_OK;
    s->processor_ns += (double)(timing_thread_ns() - processor);
    s->wall_ns += (double)(clock_ns() - start);
    enum status status = memory_grow((void **)&s->sentinel_gbps, &s->gbps_capacity,
                                     s->n_sentinels + 1, sizeof *s->sentinel_gbps, err);
    if (status == STATUS_OK)
        status = memory_grow((void **)&s->sentinel_sums, &s->sums_capacity, s->n_sentinels + 1,
                             sizeof *s->sentinel_sums, err);
    if (status != STATUS_OK)
        return status;
    s->sentinel_gbps[s->n_sentinels] = state->read_gbps;
    s->sentinel_sums[s->n_sentinels++] = state->sum_ns;
    return STATUS_OK;
}

/* What one thread runs is timed by its own clock, so that other programs count less. */
static int64_t now_ns(const struct trial *trial)
{
    return trial->threads == 1 ? timing_thread_ns() : clock_ns();
}

static enum status time_decode(struct runner *runner, const struct trial *trial, double least_ns,
                               double *out, struct err *err)
{
    double samples[MAX_DECODES], sum = 0;
    int n = -1; /* the first warms up */
    while (n < MIN_DECODES || (sum < least_ns && n < MAX_DECODES)) {
        runner_set_position(runner, trial->context);
        int64_t start = now_ns(trial);
        enum status status = runner_decode(runner, 1, err);
        if (status != STATUS_OK)
            return status;
        if (n >= 0) {
            samples[n] = (double)(now_ns(trial) - start);
            sum += samples[n];
        }
        n++;
    }
    *out = stats_median(samples, (size_t)n);
    return STATUS_OK;
}

static enum status time_prefill(struct runner *runner, const struct trial *trial,
                                const int32_t *tokens, double least_ns, double *out,
                                struct err *err)
{
    double samples[MAX_PREFILLS], sum = 0;
    int n = 0;
    while (n < 2 || (sum < least_ns && n < MAX_PREFILLS)) {
        runner_set_position(runner, 0);
        int64_t start = now_ns(trial);
        enum status status = runner_prefill(runner, tokens, trial->prompt, err);
        if (status != STATUS_OK)
            return status;
        samples[n] = (double)(now_ns(trial) - start);
        sum += samples[n++];
    }
    *out = stats_median(samples, (size_t)n);
    return STATUS_OK;
}

static enum status time_trial(struct session *s, struct trial *trial, const struct weights *weights,
                              struct err *err)
{
    struct runner *runner = NULL;
    int64_t context = trial->context + 1;
    context = trial->prompt > context ? trial->prompt : context;
    struct runner_options options = {
        .n_threads = trial->threads, .max_context = context, .isa = s->options->isa, .pin = true};
    int32_t *tokens = memory_new((size_t)trial->prompt + 1, sizeof *tokens);
    enum status status =
        tokens ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for a prompt");
    for (int64_t i = 0; i < trial->prompt && status == STATUS_OK; i++)
        tokens[i] = (int32_t)(i * 7919 % trial->net->vocab_size);
    if (status == STATUS_OK)
        status = runner_create(trial->net, weights, &options, &runner, err);
    double decode = NAN, prefill = NAN;
    struct machine_state before, after;
    if (status == STATUS_OK)
        status = stand_sentinel(s, trial->threads, &before, err);
    if (status == STATUS_OK && trial->prompt > 0)
        status = time_prefill(runner, trial, tokens, s->options->decode_ns, &prefill, err);
    if (status == STATUS_OK)
        status = time_decode(runner, trial, s->options->decode_ns, &decode, err);
    if (status == STATUS_OK)
        status = stand_sentinel(s, trial->threads, &after, err);
    if (status == STATUS_OK) {
        trial->decode_ns[trial->n_rounds] = trial->raw_decode_ns[trial->n_rounds] = decode;
        trial->prefill_ns[trial->n_rounds] = trial->raw_prefill_ns[trial->n_rounds] = prefill;
        trial->state[trial->n_rounds++] = machine_state_middle(before, after);
    }
    runner_free(runner);
    memory_free(tokens);
    return status;
}

/* All trials of the network that starts at `first`. */
static enum status time_network(struct session *s, int first, struct err *err)
{
    struct weights weights = {0};
    const struct transformer *net = s->trials[first].net;
    int most = 1;
    for (int i = first; i < s->n && s->trials[i].net == net; i++)
        most = s->trials[i].threads > most ? s->trials[i].threads : most;
    enum status status = weights_repeated(net, s->options->seed, most, &weights, err);
    for (int i = first; i < s->n && s->trials[i].net == net && status == STATUS_OK; i++)
        status = time_trial(s, &s->trials[i], &weights, err);
    weights_release(&weights);
    return status;
}

/* The rounds of all trials of a type and thread count in one phase, end to end. */
struct samples {
    double *ns;
    struct machine_state *states;
    int *items;
    size_t n;
};

/* Of all rounds at each thread count. */
static void find_calm(const struct session *s, struct samples *scratch, struct state_reference *out)
{
    *out = (struct state_reference){0};
    for (int i = 0; i < s->n; i++) {
        int threads = s->trials[i].threads;
        size_t n = 0;
        if (s->trials[i].n_rounds == 0 || state_reference_at(out, threads) ||
            out->n == MAX_THREAD_POINTS)
            continue;
        for (int j = i; j < s->n; j++)
            for (int r = 0; r < s->trials[j].n_rounds && s->trials[j].threads == threads; r++)
                scratch->states[n++] = s->trials[j].state[r];
        out->at[out->n] = state_calm(scratch->states, n, scratch->ns);
        out->threads[out->n++] = threads;
    }
}

static bool is_alike(const struct trial *a, const struct trial *b)
{
    return a->threads == b->threads && a->net->block_dtype == b->net->block_dtype;
}

static void gather(const struct session *s, const struct trial *like, bool decode,
                   struct samples *out)
{
    out->n = 0;
    for (int i = 0; i < s->n; i++) {
        const struct trial *trial = &s->trials[i];
        const double *raw = decode ? trial->raw_decode_ns : trial->raw_prefill_ns;
        for (int r = 0; r < trial->n_rounds && is_alike(trial, like); r++) {
            if (isnan(raw[r]))
                continue;
            out->ns[out->n] = raw[r];
            out->states[out->n] = trial->state[r];
            out->items[out->n++] = i;
        }
    }
}

/* What timings are believed to feel of the sentinels before any tells: arithmetic, memory, meeting.
 * Prompts compute, single tokens also read; networks were seen to feel most of what rows of q8_0
 * feel (docs/method.md, State). The rest is judgement, and as wide as that: the exponents of a kind
 * of timings by COMMON_WIDTH, those of one trial around them by half of it. */
static const struct state_effect token_prior = {{0.6, 0.4, 0}};
static const struct state_effect prompt_prior = {{0.6, 0.1, 0.1}};
#define COMMON_WIDTH 0.3
#define OWN_WIDTH    0.15

/* Brings the timings of trials like `like` to the reference: what they feel in common, then, from
 * that, what each of them does. */
static enum status correct_phase(struct session *s, const struct trial *like, bool decode,
                                 const struct machine_state *reference, struct samples *samples,
                                 struct err *err)
{
    struct state_effect common;
    gather(s, like, decode, samples);
    enum status status =
        state_effect_fit(samples->ns, samples->states, samples->items, samples->n,
                         decode ? &token_prior : &prompt_prior, COMMON_WIDTH, &common, err);
    for (size_t first = 0, next; first < samples->n && status == STATUS_OK; first = next) {
        struct state_effect own;
        struct trial *trial = &s->trials[samples->items[first]];
        for (next = first; next < samples->n && samples->items[next] == samples->items[first];)
            next++;
        status =
            state_effect_fit(samples->ns + first, samples->states + first, samples->items + first,
                             next - first, &common, OWN_WIDTH, &own, err);
        const double *raw = decode ? trial->raw_decode_ns : trial->raw_prefill_ns;
        double *out = decode ? trial->decode_ns : trial->prefill_ns;
        for (int r = 0; r < trial->n_rounds && status == STATUS_OK; r++)
            out[r] = state_corrected_ns(raw[r], &own, &trial->state[r], reference);
    }
    return status;
}

static enum status correct_all(struct session *s, int n_rounds, struct state_reference *calm,
                               struct err *err)
{
    struct samples samples = {0};
    size_t most = (size_t)s->n * MAX_TRIAL_ROUNDS;
    samples.ns = memory_new(most, sizeof *samples.ns);
    samples.states = memory_new(most, sizeof *samples.states);
    samples.items = memory_new(most, sizeof *samples.items);
    enum status status = samples.ns && samples.states && samples.items
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for %zu timings", most);
    if (status == STATUS_OK)
        find_calm(s, &samples, calm);
    for (int i = 0; n_rounds >= LEAST_STATE_ROUNDS && i < s->n && status == STATUS_OK; i++) {
        const struct trial *trial = &s->trials[i];
        bool is_first = true;
        for (int j = 0; j < i && is_first; j++)
            is_first = !is_alike(&s->trials[j], trial);
        if (!is_first)
            continue;
        const struct machine_state *to = state_reference_at(s->options->reference, trial->threads);
        to = to ? to : state_reference_at(calm, trial->threads);
        status = correct_phase(s, trial, true, to, &samples, err);
        if (status == STATUS_OK)
            status = correct_phase(s, trial, false, to, &samples, err);
    }
    memory_free(samples.ns);
    memory_free(samples.states);
    memory_free(samples.items);
    return status;
}

static int list_networks(const struct session *s, int *firsts)
{
    int n = 0;
    for (int i = 0; i < s->n; i++)
        if (i == 0 || s->trials[i].net != s->trials[i - 1].net)
            firsts[n++] = i;
    return n;
}

static void shuffle(struct rng *rng, int *items, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = (int)rng_between(rng, 0, i), item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

static enum status run_rounds(struct session *s, int *firsts, struct trial_report *report,
                              struct err *err)
{
    const struct trial_options *options = s->options;
    int64_t start = clock_ns();
    int n = list_networks(s, firsts);
    struct rng rng;
    rng_init(&rng, options->seed);
    for (report->n_rounds = 0; report->n_rounds < options->max_rounds; report->n_rounds++) {
        double spent = (double)(clock_ns() - start);
        double round = report->n_rounds > 0 ? spent / report->n_rounds : 0;
        if (report->n_rounds >= options->min_rounds && spent + round > options->budget_ns)
            break;
        shuffle(&rng, firsts, n);
        for (int i = 0; i < n; i++) {
            if (options->stop && *options->stop)
                return err_set(err, STATUS_INTERRUPTED, "interrupted");
            enum status status = time_network(s, firsts[i], err);
            if (status != STATUS_OK)
                return status;
            double by_rounds = (report->n_rounds + (i + 1.0) / n) / options->max_rounds;
            double by_time = (double)(clock_ns() - start) / options->budget_ns;
            if (options->progress)
                options->progress(options->progress_context, fmin(1, fmax(by_rounds, by_time)));
        }
    }
    return STATUS_OK;
}

enum status trials_run(struct trial *trials, int n, const struct trial_options *options,
                       struct trial_report *report, struct err *err)
{
    struct session s = {.trials = trials, .n = n, .options = options};
    assert(n >= 1 && options->min_rounds >= 1 && options->max_rounds <= MAX_TRIAL_ROUNDS);
    *report = (struct trial_report){0};
    for (int i = 0; i < n; i++)
        trials[i].n_rounds = 0;
    int *firsts = memory_new((size_t)n, sizeof *firsts);
    enum status status =
        firsts ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for %d trials", n);
    if (status == STATUS_OK)
        status = state_probe_create(options->isa, &s.probe, err);
    if (status == STATUS_OK)
        status = run_rounds(&s, firsts, report, err);
    if (status == STATUS_OK)
        status = correct_all(&s, report->n_rounds, &report->state, err);
    if (s.n_sentinels > 0) {
        report->sentinel_gbps = stats_median(s.sentinel_gbps, s.n_sentinels);
        report->sentinel_spread_frac =
            stats_mad(s.sentinel_gbps, s.n_sentinels) / report->sentinel_gbps;
        report->arithmetic_spread_frac = stats_mad(s.sentinel_sums, s.n_sentinels) /
                                         stats_median(s.sentinel_sums, s.n_sentinels);
        report->processor_frac = s.processor_ns / s.wall_ns;
    }
    memory_free(firsts);
    state_probe_free(s.probe);
    memory_free(s.sentinel_gbps);
    memory_free(s.sentinel_sums);
    return status;
}
