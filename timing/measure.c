#include "timing/measure.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "kernels/threaded.h"
#include "runtime/pages.h"
#include "runtime/weights.h"
#include "timing/machine_load.h"

enum {
    LOADS = 3,
    INITS = 3,
    MIN_TURNS = 3,
    MAX_TURN_SAMPLES = 200,
    SENTINEL_READS = 5,
};
static const double TURN_NS = 50e6;
static const int64_t LEAST_CACHE_BYTES = INT64_C(64) << 20;

/* A measurement under way. */
struct session {
    const struct measure_plan *plan;
    struct measurement *out;
    struct weights *weights; /* [n_models] */
    struct runner **runners; /* [n_models, n_threads] */
    const struct kernel *read;
    const void *read_from;
    void *cache_filler; /* [cache_bytes] */
    int32_t *tokens;    /* [longest prompt] */
    int64_t max_context;
    struct rng rng;
    struct err *err;
};

static bool is_stopped(const struct session *s)
{
    return s->plan->stop != NULL && *s->plan->stop;
}

static enum status add_sample(struct measure_condition *c, double ns, struct err *err)
{
    enum status status =
        memory_grow((void **)&c->samples, &c->capacity, c->n + 1, sizeof *c->samples, err);
    if (status == STATUS_OK)
        c->samples[c->n++] = ns;
    return status;
}

static bool is_known(const struct session *s, const struct measure_condition *c)
{
    return c->n >= MEASURE_LEAST_SAMPLES && c->turns >= MIN_TURNS &&
           measure_median_error(measure_summary(c)) <= s->plan->error_frac;
}

static struct runner **runner_of(const struct session *s, size_t model, int thread)
{
    return &s->runners[model * (size_t)s->plan->n_threads + (size_t)thread];
}

/* Loading and init. */

/* Asks the kernel to forget the file's pages. True: it said it would. */
static bool drop_from_page_cache(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool dropped = fsync(file) == 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
    close(file);
    return dropped;
}

static enum status load(struct session *s, size_t i)
{
    const struct measure_model *model = &s->plan->models[i];
    struct measure_condition *c = measure_condition_of(s->out, MEASURE_LOAD, i, 0, 0);
    if (model->gguf == NULL)
        return weights_random(model->net, model->seed, s->plan->threads[s->plan->n_threads - 1],
                              &s->weights[i], s->err);
    enum status status = STATUS_OK;
    for (int n = 0; n < LOADS && status == STATUS_OK && !(n > 0 && is_stopped(s)); n++) {
        weights_release(&s->weights[i]);
        s->out->loads_are_cold = drop_from_page_cache(model->gguf) && s->out->loads_are_cold;
        int64_t start = clock_ns();
        status = weights_open_gguf(model->gguf, model->net, &s->weights[i], s->err);
        if (status == STATUS_OK)
            status = add_sample(c, (double)(clock_ns() - start), s->err);
    }
    return status;
}

static enum status init(struct session *s, size_t model, int thread)
{
    const struct measure_plan *plan = s->plan;
    struct measure_condition *c = measure_condition_of(s->out, MEASURE_INIT, model, thread, 0);
    struct runner **runner = runner_of(s, model, thread);
    struct runner_options options = {.n_threads = plan->threads[thread],
                                     .max_context = s->max_context,
                                     .isa = plan->isa,
                                     .pin = plan->pin};
    enum status status = STATUS_OK;
    for (int n = 0; n < INITS && status == STATUS_OK; n++) {
        runner_free(*runner);
        int64_t start = clock_ns();
        status =
            runner_create(plan->models[model].net, &s->weights[model], &options, runner, s->err);
        if (status == STATUS_OK)
            status = add_sample(c, (double)(clock_ns() - start), s->err);
    }
    if (status == STATUS_OK)
        c->peak_bytes = s->weights[model].memory_bytes + runner_bytes(*runner);
    return status;
}

static enum status name_model(const struct session *s, size_t model, enum status status)
{
    return status == STATUS_OK || status == STATUS_INTERRUPTED
               ? status
               : err_prefix(s->err, status, "%s: ", s->plan->models[model].net->name);
}

static enum status prepare_models(struct session *s)
{
    for (size_t i = 0; i < s->plan->n_models; i++) {
        if (is_stopped(s))
            return STATUS_INTERRUPTED;
        enum status status = load(s, i);
        for (int t = 0; t < s->plan->n_threads && status == STATUS_OK; t++)
            status = init(s, i, t);
        if (status != STATUS_OK)
            return name_model(s, i, status);
    }
    return STATUS_OK;
}

/* The size of a processor's largest cache as Linux tells it, 0 if it does not. topology.h knows more,
 * but not where there is no hwloc, and networks are measured there too. */
static int64_t largest_cache_bytes(void)
{
    int64_t largest = 0, kib;
    for (int i = 0; i < 8; i++) {
        char path[96];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%" SCNd64 "K", &kib) == 1 && kib < (INT64_C(1) << 30) &&
            kib * 1024 > largest)
            largest = kib * 1024;
        fclose(file);
    }
    return largest;
}

static enum status prepare_reads(struct session *s)
{
    struct measurement *out = s->out;
    int64_t twice = 2 * largest_cache_bytes();
    out->cache_bytes = twice > LEAST_CACHE_BYTES ? twice : LEAST_CACHE_BYTES;
    s->read = kernel_find(KERNEL_READ, DTYPE_F32, s->plan->isa);
    s->cache_filler = pages_new(out->cache_bytes);
    if (s->read == NULL || s->cache_filler == NULL)
        return err_set(s->err, STATUS_NOMEM, "out of memory for %" PRId64 " bytes to fill caches",
                       out->cache_bytes);
    memset(s->cache_filler, 1, (size_t)out->cache_bytes);
    s->read_from = s->cache_filler;
    out->read_bytes = out->cache_bytes;
    for (size_t i = 0; i < s->plan->n_models; i++) {
        if (s->weights[i].memory_bytes > out->read_bytes) {
            s->read_from = s->weights[i].memory;
            out->read_bytes = s->weights[i].memory_bytes;
        }
    }
    return STATUS_OK;
}

/* Turns. */

static double time_read(const struct session *s, int thread)
{
    int64_t start = clock_ns();
    threaded_read(s->read, s->read_from, s->out->read_bytes, s->plan->threads[thread]);
    return (double)(clock_ns() - start);
}

static void read_sentinel(const struct session *s, double *gbps)
{
    for (int t = 0; t < s->plan->n_threads; t++) {
        double ns[SENTINEL_READS];
        for (int i = 0; i < SENTINEL_READS; i++)
            ns[i] = time_read(s, t);
        gbps[t] = (double)s->out->read_bytes / stats_median(ns, SENTINEL_READS);
    }
}

static int32_t any_token(struct session *s, const struct transformer *net)
{
    return (int32_t)rng_between(&s->rng, 0, net->vocab_size - 1);
}

/* One pass; its time. */
static enum status pass(struct session *s, struct measure_condition *c, double *ns)
{
    const struct transformer *net = s->plan->models[c->model].net;
    struct runner *runner = *runner_of(s, c->model, c->thread);
    bool is_decode = c->kind == MEASURE_DECODE;
    int64_t n = is_decode ? 1 : c->tokens;
    for (int64_t i = 0; i < n; i++)
        s->tokens[i] = any_token(s, net);
    if (s->plan->is_cold)
        threaded_read(s->read, s->cache_filler, s->out->cache_bytes, s->plan->threads[c->thread]);
    runner_set_position(runner, is_decode ? c->tokens : 0);
    int64_t start = clock_ns();
    enum status status = is_decode ? runner_decode(runner, s->tokens[0], s->err)
                                   : runner_prefill(runner, s->tokens, n, s->err);
    *ns = (double)(clock_ns() - start);
    return status;
}

static enum status take_passes(struct session *s, struct measure_condition *c)
{
    struct runner *runner = *runner_of(s, c->model, c->thread);
    double ns, phases[N_RUNNER_PHASES];
    bool is_decode = c->kind == MEASURE_DECODE;
    enum status status = STATUS_OK;
    if (c->turns == 0 || (is_decode && !s->plan->is_cold))
        status = pass(s, c, &ns); /* what was there before is not what a steady state finds */
    if (s->plan->per_phase)
        runner_times(runner, true, phases);
    int64_t end = clock_ns() + (int64_t)TURN_NS;
    for (int i = 0; i < MAX_TURN_SAMPLES && status == STATUS_OK; i++) {
        status = pass(s, c, &ns);
        if (status == STATUS_OK)
            status = add_sample(c, ns, s->err);
        if (clock_ns() >= end || is_stopped(s))
            break;
    }
    if (s->plan->per_phase) {
        runner_times(runner, false, phases);
        for (int p = 0; p < N_RUNNER_PHASES; p++)
            c->phase_ns[p] += phases[p];
    }
    return name_model(s, c->model, status);
}

static enum status take_turn(struct session *s, struct measure_condition *c)
{
    enum status status = c->kind == MEASURE_READ ? add_sample(c, time_read(s, c->thread), s->err)
                                                 : take_passes(s, c);
    c->turns++;
    return status;
}

static void report(const struct session *s, int64_t start_ns)
{
    size_t known = 0, rounds = 0;
    for (size_t i = 0; i < s->out->n_conditions; i++) {
        const struct measure_condition *c = &s->out->conditions[i];
        if (c->kind == MEASURE_LOAD || c->kind == MEASURE_INIT)
            continue;
        rounds++;
        known += is_known(s, c);
    }
    double by_time = (double)(clock_ns() - start_ns) / s->plan->budget_ns;
    double by_error = (double)known / (double)rounds;
    double done = by_time > by_error ? by_time : by_error;
    if (s->plan->progress != NULL)
        s->plan->progress(s->plan->progress_context, done < 1 ? (int)(1000 * done) : 1000, 1000);
}

/* A round there or back; *left: conditions that are not known yet. */
static enum status take_round(struct session *s, int round, int64_t start_ns, size_t *left)
{
    size_t n = s->out->n_conditions;
    *left = 0;
    for (size_t k = 0; k < n; k++) {
        struct measure_condition *c = &s->out->conditions[round % 2 == 0 ? k : n - 1 - k];
        if (c->kind == MEASURE_LOAD || c->kind == MEASURE_INIT || is_known(s, c))
            continue;
        if (is_stopped(s))
            return STATUS_INTERRUPTED;
        bool is_over = (double)(clock_ns() - start_ns) > s->plan->budget_ns;
        (*left)++;
        if (is_over && round > 0)
            continue;
        enum status status = take_turn(s, c);
        if (status != STATUS_OK)
            return status;
        report(s, start_ns);
    }
    return STATUS_OK;
}

static enum status take_rounds(struct session *s)
{
    int64_t start_ns = clock_ns();
    size_t left = 1;
    enum status status = STATUS_OK;
    for (int round = 0; left > 0 && status == STATUS_OK; round++) {
        if (round > 0 && (double)(clock_ns() - start_ns) > s->plan->budget_ns)
            break;
        status = take_round(s, round, start_ns, &left);
    }
    s->out->is_complete = status == STATUS_OK && left == 0;
    return status;
}

/* Conditions. */

static enum status add_condition(struct measurement *out, size_t *capacity, enum measure_kind kind,
                                 size_t model, int thread, int64_t tokens, struct err *err)
{
    if (measure_condition_of(out, kind, model, thread, tokens) != NULL)
        return STATUS_OK;
    enum status status = memory_grow((void **)&out->conditions, capacity, out->n_conditions + 1,
                                     sizeof *out->conditions, err);
    if (status == STATUS_OK)
        out->conditions[out->n_conditions++] = (struct measure_condition){
            .kind = kind, .model = model, .thread = thread, .tokens = tokens};
    return status;
}

static enum status list_conditions(const struct measure_plan *plan, struct measurement *out,
                                   struct err *err)
{
    size_t capacity = 0;
    enum status status = STATUS_OK;
    for (int t = 0; t < plan->n_threads && status == STATUS_OK; t++)
        status = add_condition(out, &capacity, MEASURE_READ, 0, t, 0, err);
    for (size_t m = 0; m < plan->n_models && status == STATUS_OK; m++) {
        if (plan->models[m].gguf != NULL)
            status = add_condition(out, &capacity, MEASURE_LOAD, m, 0, 0, err);
        for (int t = 0; t < plan->n_threads && status == STATUS_OK; t++)
            status = add_condition(out, &capacity, MEASURE_INIT, m, t, 0, err);
    }
    /* models side by side under equal conditions */
    for (int t = 0; t < plan->n_threads; t++) {
        for (size_t i = 0; i < plan->n_contexts; i++)
            for (size_t m = 0; m < plan->n_models && status == STATUS_OK; m++)
                status =
                    add_condition(out, &capacity, MEASURE_DECODE, m, t, plan->contexts[i], err);
        for (size_t i = 0; i < plan->n_prompts; i++)
            for (size_t m = 0; m < plan->n_models && status == STATUS_OK; m++)
                status =
                    add_condition(out, &capacity, MEASURE_PREFILL, m, t, plan->prompts[i], err);
    }
    return status;
}

static int64_t longest(const struct measure_plan *plan)
{
    int64_t most = 1;
    for (size_t i = 0; i < plan->n_prompts; i++)
        most = plan->prompts[i] > most ? plan->prompts[i] : most;
    for (size_t i = 0; i < plan->n_contexts; i++)
        most = plan->contexts[i] + 1 > most ? plan->contexts[i] + 1 : most;
    return most;
}

static void release(struct session *s)
{
    size_t n = s->plan->n_models;
    for (size_t i = 0; s->runners && i < n * (size_t)s->plan->n_threads; i++)
        runner_free(s->runners[i]);
    for (size_t i = 0; s->weights && i < n; i++)
        weights_release(&s->weights[i]);
    pages_free(s->cache_filler, s->out->cache_bytes);
    memory_free(s->runners);
    memory_free(s->weights);
    memory_free(s->tokens);
}

static enum status prepare(struct session *s)
{
    const struct measure_plan *plan = s->plan;
    s->max_context = longest(plan);
    s->weights = memory_new(plan->n_models, sizeof *s->weights);
    s->runners = memory_new(plan->n_models * (size_t)plan->n_threads, sizeof *s->runners);
    s->tokens = memory_new((size_t)s->max_context, sizeof *s->tokens);
    if (!s->weights || !s->runners || !s->tokens)
        return err_set(s->err, STATUS_NOMEM, "out of memory for %zu models", plan->n_models);
    for (size_t i = 0; i < plan->n_models; i++) {
        const struct transformer *net = plan->models[i].net;
        if (s->max_context > net->max_context)
            return err_set(s->err, STATUS_RANGE,
                           "%s: made for 1 to %" PRId64 " tokens, not for %" PRId64
                           " (a depth counts with the token after it)",
                           net->name, net->max_context, s->max_context);
    }
    enum status status = list_conditions(plan, s->out, s->err);
    if (status == STATUS_OK)
        status = prepare_models(s);
    return status == STATUS_OK ? prepare_reads(s) : status;
}

enum status measure_run(const struct measure_plan *plan, struct measurement *out, struct err *err)
{
    assert(plan->n_models >= 1 && plan->n_threads >= 1 && plan->error_frac > 0);
    *out = (struct measurement){.steal_frac = NAN, .others_busy = NAN, .loads_are_cold = true};
    for (int t = 0; t < MEASURE_MAX_THREAD_COUNTS; t++)
        out->before_gbps[t] = out->after_gbps[t] = NAN;
    struct session s = {.plan = plan, .out = out, .err = err};
    struct machine_load before, after;
    rng_init(&s.rng, 1);
    enum status status = prepare(&s);
    if (status == STATUS_OK) {
        read_sentinel(&s, out->before_gbps);
        machine_load_read(MACHINE_LOAD_STAT, &before);
        status = take_rounds(&s);
        machine_load_read(MACHINE_LOAD_STAT, &after);
        out->steal_frac = machine_load_steal_frac(&before, &after);
        out->others_busy = machine_load_others_busy(&before, &after);
        out->seconds = 1e-9 * (double)(after.now_ns - before.now_ns);
        read_sentinel(&s, out->after_gbps);
    }
    if (status == STATUS_INTERRUPTED)
        err_set(err, status, "interrupted: what was measured until then is kept");
    release(&s);
    return status;
}
