#include "costmodel/trial.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "kernels/kernel.h"
#include "kernels/timing.h"
#include "runtime/pages.h"
#include "runtime/runner.h"

enum { MIN_DECODES = 3, MAX_DECODES = 41, MAX_PREFILLS = 5, SENTINEL_BYTES = 256 << 20 };
/* The arithmetic: products of 16 tokens with a matrix that, like them, fits the nearest caches. */
enum { SUM_M = 16, SUM_N = 64, SUM_K = 128, SUM_REPEATS = 100, SUM_THREADS = 64 };
/* Share of the budget that may be spent on waiting for a calm machine. */
#define PATIENCE_FRAC 0.4

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

struct session {
    struct trial *trials;
    int n;
    const struct trial_options *options;
    uint8_t *sentinel_data;
    double *sentinel_gbps;
    size_t n_sentinels, sentinels_capacity;
    double processor_ns, wall_ns; /* while one thread timed */
    float *sums;                  /* [SUM_THREADS, what each thread multiplies] */
    double fastest_ns[2];         /* arithmetic by one thread and by several; INFINITY: none yet */
    double waited_ns;
};

/* One thread reads the same memory: what the machine has to give besides us. */
static enum status stand_sentinel(struct session *s, struct err *err)
{
    const struct kernel *read = kernel_find(KERNEL_READ, DTYPE_F32, s->options->isa);
    volatile uint32_t sum = 0;
    enum status status = memory_grow((void **)&s->sentinel_gbps, &s->sentinels_capacity,
                                     s->n_sentinels + 1, sizeof *s->sentinel_gbps, err);
    if (status != STATUS_OK)
        return status;
    int64_t processor = timing_thread_ns();
    int64_t start = clock_ns();
    sum += read->run.read(s->sentinel_data, SENTINEL_BYTES);
    double ns = (double)(clock_ns() - start);
    s->processor_ns += (double)(timing_thread_ns() - processor);
    s->wall_ns += ns;
    s->sentinel_gbps[s->n_sentinels++] = SENTINEL_BYTES / ns;
    (void)sum;
    return STATUS_OK;
}

enum { SUM_FLOATS = SUM_M * SUM_K + SUM_N * SUM_K + SUM_M * SUM_N + 4096 };

static double one_threads_sums(const struct kernel *matmul, float *x)
{
    float *w = x + SUM_M * SUM_K, *y = w + SUM_N * SUM_K;
    int64_t start = clock_ns();
    for (int i = 0; i < SUM_REPEATS; i++)
        matmul->run.matmul(SUM_M, SUM_K, w, x, SUM_K * (int64_t)sizeof *x, y, SUM_N, 0, SUM_N,
                           y + SUM_M * SUM_N);
    return (double)(clock_ns() - start);
}

/* The slowest thread's time, best of two: a thread that has just woken up is slow once. */
static double arithmetic_ns(struct session *s, int threads)
{
    const struct kernel *matmul = kernel_find(KERNEL_MATMUL, DTYPE_F32, s->options->isa);
    double best = INFINITY;
    threads = threads < SUM_THREADS ? threads : SUM_THREADS;
    for (int i = 0; i < 2; i++) {
        double slowest = 0;
#pragma omp parallel num_threads(threads) reduction(max : slowest) if (threads > 1)
        slowest = one_threads_sums(matmul, s->sums + pages_thread() * SUM_FLOATS);
        best = fmin(best, slowest);
    }
    double *fastest = &s->fastest_ns[threads > 1];
    *fastest = fmin(*fastest, best);
    return best;
}

/* Returns how slow the arithmetic is once it is calm, or patience has run out. */
static double wait_for_calm(struct session *s, int threads)
{
    static const struct timespec moment = {.tv_nsec = 20000000};
    int64_t start = clock_ns();
    double before = s->waited_ns, ns;
    while ((ns = arithmetic_ns(s, threads)) > (1 + CALM_FRAC) * s->fastest_ns[threads > 1] &&
           s->waited_ns < PATIENCE_FRAC * s->options->budget_ns &&
           !(s->options->stop && *s->options->stop)) {
        nanosleep(&moment, NULL);
        s->waited_ns = before + (double)(clock_ns() - start);
    }
    return ns;
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
    double decode = NAN, prefill = NAN, sentinel = wait_for_calm(s, trial->threads);
    if (status == STATUS_OK && trial->prompt > 0)
        status = time_prefill(runner, trial, tokens, s->options->decode_ns, &prefill, err);
    if (status == STATUS_OK)
        status = time_decode(runner, trial, s->options->decode_ns, &decode, err);
    if (status == STATUS_OK) {
        trial->decode_ns[trial->n_rounds] = decode;
        trial->prefill_ns[trial->n_rounds] = prefill;
        trial->sentinel_ns[trial->n_rounds++] = fmax(sentinel, arithmetic_ns(s, trial->threads));
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
    enum status status = stand_sentinel(s, err);
    if (status == STATUS_OK)
        status = weights_repeated(net, s->options->seed, most, &weights, err);
    for (int i = first; i < s->n && s->trials[i].net == net && status == STATUS_OK; i++)
        status = time_trial(s, &s->trials[i], &weights, err);
    weights_release(&weights);
    return status;
}

int trial_keep_calm(struct trial *trial, double calm_ns)
{
    int least = trial->n_rounds / 4 > 2 ? trial->n_rounds / 4 : 2, kept = 0;
    double sorted[MAX_TRIAL_ROUNDS];
    if (trial->n_rounds <= least)
        return 0;
    for (int i = 0; i < trial->n_rounds; i++)
        sorted[i] = trial->sentinel_ns[i];
    double limit =
        stats_quantile(sorted, (size_t)trial->n_rounds, (least - 1.0) / (trial->n_rounds - 1.0));
    limit = fmax(limit, calm_ns);
    for (int i = 0; i < trial->n_rounds; i++) {
        if (trial->sentinel_ns[i] > limit)
            continue;
        trial->decode_ns[kept] = trial->decode_ns[i];
        trial->prefill_ns[kept] = trial->prefill_ns[i];
        trial->sentinel_ns[kept++] = trial->sentinel_ns[i];
    }
    int left_out = trial->n_rounds - kept;
    trial->n_rounds = kept;
    return left_out;
}

/* Once all rounds have run and the fastest arithmetic is known. */
static double keep_calm(struct session *s)
{
    int n = 0, left_out = 0;
    for (int i = 0; i < s->n; i++) {
        struct trial *trial = &s->trials[i];
        n += trial->n_rounds;
        left_out += trial_keep_calm(trial, (1 + CALM_FRAC) * s->fastest_ns[trial->threads > 1]);
    }
    return n > 0 ? (double)left_out / n : 0;
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
    struct session s = {
        .trials = trials, .n = n, .options = options, .fastest_ns = {INFINITY, INFINITY}
    };
    assert(n >= 1 && options->min_rounds >= 1 && options->max_rounds <= MAX_TRIAL_ROUNDS);
    *report = (struct trial_report){0};
    for (int i = 0; i < n; i++)
        trials[i].n_rounds = 0;
    int *firsts = memory_new((size_t)n, sizeof *firsts);
    s.sentinel_data = pages_new(SENTINEL_BYTES);
    s.sums = pages_new(SUM_THREADS * SUM_FLOATS * (int64_t)sizeof *s.sums);
    enum status status = firsts && s.sentinel_data && s.sums
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for %d trials", n);
    if (status == STATUS_OK) {
        memset(s.sentinel_data, 1, SENTINEL_BYTES);
        status = run_rounds(&s, firsts, report, err);
        report->disturbed_frac = keep_calm(&s);
    }
    if (s.n_sentinels > 0) {
        report->sentinel_gbps = stats_median(s.sentinel_gbps, s.n_sentinels);
        report->sentinel_spread_frac =
            stats_mad(s.sentinel_gbps, s.n_sentinels) / report->sentinel_gbps;
        report->processor_frac = s.processor_ns / s.wall_ns;
    }
    memory_free(firsts);
    pages_free(s.sentinel_data, SENTINEL_BYTES);
    pages_free(s.sums, SUM_THREADS * SUM_FLOATS * (int64_t)sizeof *s.sums);
    memory_free(s.sentinel_gbps);
    return status;
}
