#include "cli/search_job.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/run_record.h"
#include "cli/setting.h"
#include "device/device.h"
#include "search/share.h"
#include "search/stack_search.h"

enum { MAX_SCORES_BYTES = 64 << 20 };
static const char HEURISTIC[] = "heuristic";

static enum status read_space(const struct args *args, struct space *space, struct err *err)
{
    const char *path = args_text(args, "space");
    enum status status = STATUS_OK;
    if (path != NULL && strcmp(path, "layers") == 0)
        space_default_layers(space);
    else if (path != NULL)
        status = space_open(path, space, err);
    else
        space_default(space);
    if (status == STATUS_OK && args_dtype(args, "dtype", &space->dtype[0]))
        space->n_dtypes = 1;
    if (status == STATUS_OK && args_dtype(args, "kv-dtype", &space->kv_dtype[0]))
        space->n_kv_dtypes = 1;
    return status;
}

static enum status add_objective(struct search_job *job, const char *prefix, const char *name,
                                 struct err *err)
{
    struct text text = {0};
    text_addf(&text, "%s%s", prefix, name);
    text_addf(&job->objectives_text, "%s%s%s", job->objectives.n > 0 ? "," : "", prefix, name);
    enum status status = text.failed ? err_set(err, STATUS_NOMEM, "out of memory")
                                     : objectives_add(&job->objectives, text.data, err);
    text_release(&text);
    return status;
}

/* "decode_ns,max:params_blocks", say, as search_job_begin stored them. */
enum status search_job_objectives(const char *text, struct search_job *job, struct err *err)
{
    enum status status = STATUS_OK;
    while (*text != '\0' && status == STATUS_OK) {
        char one[128];
        size_t n = strcspn(text, ",");
        if (n >= sizeof one)
            return err_set(err, STATUS_INPUT, "the run's objectives are damaged: '%s'", text);
        snprintf(one, sizeof one, "%.*s", (int)n, text);
        status = add_objective(job, "", one, err);
        text += n + (text[n] == ',');
    }
    return status;
}

static enum status read_objectives(const struct args *args, struct search_job *job, struct err *err)
{
    enum status status = STATUS_OK;
    const char *name;
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "minimize", i)) != NULL; i++)
        status = add_objective(job, "", name, err);
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "maximize", i)) != NULL; i++)
        status = add_objective(job, "max:", name, err);
    if (status == STATUS_OK && job->objectives.n == 0 && search_job_is_exact(job))
        return search_job_objectives(STACK_OBJECTIVES_DEFAULT, job, err);
    if (status == STATUS_OK && job->objectives.n == 0) {
        objectives_default(&job->objectives);
        text_add(&job->objectives_text, OBJECTIVES_DEFAULT);
    }
    return status;
}

static enum status parse_filter(struct search_job *job, struct err *err)
{
    if (job->where_text.failed)
        return err_set(err, STATUS_NOMEM, "out of memory");
    return filter_parse(job->where_text.data, &job->filter, err);
}

static enum status read_filter(const struct args *args, struct search_job *job, struct err *err)
{
    const char *where;
    for (int i = 0; (where = args_nth(args, "where", i)) != NULL; i++)
        text_addf(&job->where_text, "%s%s", i > 0 ? " and " : "", where);
    return parse_filter(job, err);
}

static enum status read_device(const struct args *args, struct search_job *job, struct err *err)
{
    const char *name;
    enum status status = args_one_device(args, &name, err);
    if (status == STATUS_OK)
        status = device_open(name, &job->device, err);
    if (status != STATUS_OK)
        return status;
    return machine_resolve(&job->device, (int)args_int(args, "threads", 0), &job->machine, err);
}

/* "2/8": digits, so that a slip in a job script is not read as something else. */
static enum status read_shard(const struct args *args, struct search_job *job, struct err *err)
{
    const char *text = args_text(args, "shard"), *slash;
    if (text == NULL)
        return STATUS_OK;
    if ((slash = strchr(text, '/')) != NULL && isdigit((unsigned char)text[0]) &&
        isdigit((unsigned char)slash[1]) && strspn(text, "0123456789") == (size_t)(slash - text) &&
        strspn(slash + 1, "0123456789") == strlen(slash + 1) && strlen(text) < 16) {
        job->shard = strtoll(text, NULL, 10);
        job->n_shards = strtoll(slash + 1, NULL, 10);
        if (1 <= job->shard && job->shard <= job->n_shards && job->n_shards <= MAX_SHARDS)
            return STATUS_OK;
    }
    return err_set(err, STATUS_USAGE,
                   "--shard '%.64s': expected I/N, part I of N, from 1/N to N/N with N up to %d",
                   text, MAX_SHARDS);
}

static enum status parse_scores(const char *name, struct search_job *job, struct err *err)
{
    return csv_parse(name, job->scores_text, (int64_t)strlen(job->scores_text), &job->scores, err);
}

/* Uniform candidates have no score, and say their cache by the token. */
static enum status check_metric(const struct metric *metric, struct err *err)
{
    static const char *const of_stacks[] = {"score", "kv_bytes"};
    for (size_t i = 0; i < sizeof of_stacks / sizeof *of_stacks; i++)
        if (strcmp(metric->field->name, of_stacks[i]) == 0)
            return err_set(err, STATUS_USAGE,
                           "'%s' is known where the layers of the space differ, not of this one",
                           of_stacks[i]);
    return STATUS_OK;
}

static enum status check_metrics(const struct search_job *job, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < job->objectives.n && status == STATUS_OK; i++)
        status = check_metric(&job->objectives.metric[i], err);
    for (int i = 0; i < job->filter.n && status == STATUS_OK; i++)
        status = check_metric(&job->filter.condition[i].metric, err);
    return status;
}

/* Options that only make sense where layers differ, and those that do not there. */
static enum status check_exact(const struct args *args, const struct search_job *job,
                               struct err *err)
{
    static const char *const of_layers[] = {"exact",          "eps",  "scores", "predictor",
                                            "evaluations",    "seed", "method", "predictor-timeout",
                                            "predictor-table"};
    static const char *const of_sums[] = {"exact", "eps", "predictor", "predictor-table"};
    static const char *const of_losses[] = {"recipe", "tokens", "tokens-per-param", "reference"};
    bool is_exact = search_job_is_exact(job);
    for (size_t i = 0; i < sizeof of_layers / sizeof *of_layers && !is_exact; i++)
        if (args_given(args, of_layers[i]))
            return err_set(err, STATUS_USAGE,
                           "--%s is for spaces whose layers differ ('--space layers', or a file "
                           "with 'layers'): of this one every architecture is priced",
                           of_layers[i]);
    for (size_t i = 0; i < sizeof of_losses / sizeof *of_losses && is_exact; i++)
        if (args_given(args, of_losses[i]))
            return err_set(err, STATUS_USAGE,
                           "--%s: the law of loss does not judge stacks whose layers differ",
                           of_losses[i]);
    for (size_t i = 0; i < sizeof of_sums / sizeof *of_sums && job->space.scaling.is_given; i++)
        if (args_given(args, of_sums[i]))
            return err_set(err, STATUS_USAGE,
                           "--%s is for spaces with 'layers': of one with 'scaling' every stack is "
                           "priced",
                           of_sums[i]);
    if (job->space.scaling.is_given && job->n_shards > 0)
        return err_set(err, STATUS_USAGE, "--shard: a space with 'scaling' is not shared out");
    if (is_exact && job->n_shards > 0)
        return err_set(err, STATUS_USAGE,
                       "--shard: an exact search prices no stack by itself, and is not shared out");
    if (job->space.scaling.is_given && args_given(args, "keep") && job->keep != KEEP_FRONT)
        return err_set(err, STATUS_USAGE,
                       "--keep %s: of a space with 'scaling' only the front is kept",
                       args_text(args, "keep"));
    if (is_exact && args_given(args, "keep") && job->keep != KEEP_FRONT)
        return err_set(err, STATUS_USAGE,
                       "--keep %s: an exact search visits no stack that is not on the front, and "
                       "keeps the front",
                       args_text(args, "keep"));
    return STATUS_OK;
}

/* A predictor, and what only goes with one. */
static enum status read_predictor(const struct args *args, struct search_job *job, struct err *err)
{
    static const char *const of_predictor[] = {"evaluations", "seed", "method",
                                               "predictor-timeout"};
    static const char *const of_sums[] = {"exact", "eps", "scores"};
    const char *method = args_text(args, "method");
    const char *table = args_text(args, "predictor-table");
    job->predictor = args_text(args, "predictor");
    if (job->predictor != NULL && table != NULL)
        return err_set(err, STATUS_USAGE, "--predictor and --predictor-table: give one of them");
    for (size_t i = 0; i < sizeof of_predictor / sizeof *of_predictor && !job->predictor; i++)
        if (args_given(args, of_predictor[i]))
            return err_set(err, STATUS_USAGE, "--%s goes with --predictor", of_predictor[i]);
    for (size_t i = 0; i < sizeof of_sums / sizeof *of_sums && (job->predictor || table); i++)
        if (args_given(args, of_sums[i]))
            return err_set(err, STATUS_USAGE,
                           "--%s: what a predictor says is no sum over layers, so that no front of "
                           "it is proved: leave out --%s or --predictor",
                           of_sums[i], of_sums[i]);
    if (strcmp(method, "fit") != 0 && strcmp(method, "nsga2") != 0)
        return err_set(err, STATUS_USAGE, "--method '%s': expected fit or nsga2", method);
    job->is_evolved = strcmp(method, "nsga2") == 0;
    job->evaluations = (size_t)args_int(args, "evaluations", 0);
    job->seed = (uint64_t)args_int(args, "seed", 0);
    job->predictor_timeout_s = (double)args_int(args, "predictor-timeout", 0);
    return table == NULL ? STATUS_OK : csv_open(table, &job->table, err);
}

static enum status read_exact(const struct args *args, struct search_job *job, struct err *err)
{
    const char *eps = args_text(args, "eps"), *scores = args_text(args, "scores");
    int64_t length;
    enum status status = check_exact(args, job, err);
    if (status == STATUS_OK)
        status = read_predictor(args, job, err);
    if (status == STATUS_OK && !search_job_is_exact(job))
        status = check_metrics(job, err);
    if (status != STATUS_OK || !search_job_is_exact(job))
        return status;
    job->keep = KEEP_FRONT;
    if (eps != NULL) {
        char *end;
        job->eps = strtod(eps, &end);
        if (end == eps || *end != '\0' || !(job->eps >= 0 && job->eps <= 1))
            return err_set(err, STATUS_USAGE, "--eps '%s': expected a number from 0 to 1", eps);
    }
    if (scores == NULL)
        return STATUS_OK;
    status = file_read(scores, MAX_SCORES_BYTES, &job->scores_text, &length, err);
    return status == STATUS_OK ? parse_scores(scores, job, err) : status;
}

static bool asks_for_loss(const struct search_job *job)
{
    bool asks = job->objectives.compare_losses;
    for (int i = 0; i < job->filter.n; i++)
        asks |= metric_is_of_loss(&job->filter.condition[i].metric);
    return asks || (search_job_is_exact(job) && search_job_scores_by_law(job));
}

/* Without a law what asks for no loss can be searched. */
static enum status read_losses(const struct args *args, struct search_job *job, struct err *err)
{
    enum status status = loss_setting_of_options(args, &job->loss, err);
    if (status != STATUS_OK || job->loss.law != NULL || !asks_for_loss(job))
        return status;
    return err_set(err, STATUS_NOT_FOUND,
                   "no law of loss: %.600s; give --law FILE, or --minimize objectives that need "
                   "none (decode_ns,params)",
                   job->loss.no_law.message);
}

enum status search_job_of_options(const struct args *args, struct search_job *job, struct err *err)
{
    const char *budget = args_text(args, "budget");
    if (budget == NULL)
        return err_set(err, STATUS_USAGE,
                       "'search' needs --budget, like 125M, 125M+-2%% or 100M..130M");
    job->workload = (struct workload){.prompt = args_int(args, "prompt", DEFAULT_PROMPT),
                                      .context = args_int(args, "context", DEFAULT_CONTEXT)};
    enum status status;
    if ((status = parse_budget(budget, &job->budget, err)) ||
        (status = keep_parse(args_text(args, "keep"), &job->keep, &job->keep_limit, err)) ||
        (status = read_shard(args, job, err)) || (status = read_space(args, &job->space, err)) ||
        (status = read_objectives(args, job, err)) || (status = read_filter(args, job, err)) ||
        (status = read_exact(args, job, err)) || (status = read_device(args, job, err)) ||
        (status = read_losses(args, job, err)))
        return status;
    job->is_best = job->loss.law != NULL && !job->loss.has_reference && !search_job_is_exact(job);
    if (job->workload.prompt <= job->space.max_context &&
        job->workload.context < job->space.max_context)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE,
                   "--prompt %lld and --context %lld do not fit the space's max_context of %lld",
                   (long long)job->workload.prompt, (long long)job->workload.context,
                   (long long)job->space.max_context);
}

static enum status exact_of_run(const struct run_row *run, struct search_job *job, struct err *err)
{
    job->eps = isnan(run->eps) ? 0 : run->eps;
    if (run->scores == NULL)
        return STATUS_OK;
    job->scores_text = memory_strdup(run->scores);
    return job->scores_text != NULL ? parse_scores("the run's scores", job, err)
                                    : err_set(err, STATUS_NOMEM, "out of memory");
}

static enum status from_row(struct store *store, const struct run_row *run, struct search_job *job,
                            struct err *err)
{
    struct setting setting;
    int64_t unused;
    if (run->objectives == NULL || run->keep == NULL)
        return err_set(err, STATUS_INPUT, "run %lld is no search", (long long)run->id);
    if (run->method != NULL && strcmp(run->method, HEURISTIC) == 0)
        return err_set(
            err, STATUS_INPUT,
            "run %lld asked a predictor, or a table of one, which is not stored: start it "
            "again, the same --seed asks about the same architectures",
            (long long)run->id);
    enum status status;
    text_add(&job->where_text, run->constraints == NULL ? "" : run->constraints);
    if ((status = setting_of_run(store, run->id, &setting, &unused, &job->budget, err)) ||
        (status = run_device(store, run, &job->device, err)) ||
        (status = run_space(run, &job->space, err)) ||
        (status = keep_parse(run->keep, &job->keep, &job->keep_limit, err)) ||
        (status = search_job_objectives(run->objectives, job, err)) ||
        (status = parse_filter(job, err)) ||
        (status = loss_setting_of_run(store, run, &job->loss, err)) ||
        (status = exact_of_run(run, job, err)))
        return status;
    job->is_best = run->reference != NULL && strcmp(run->reference, BEST_OF_SEARCH) == 0;
    text_add(&job->reference_shapes, run->reference_shapes == NULL ? "" : run->reference_shapes);
    job->is_finished = run->finished == 1;
    if (run->n_shards != ROW_UNKNOWN) {
        job->shard = run->shard;
        job->n_shards = run->n_shards;
    }
    job->has_parts = run->parts != NULL;
    if (job->has_parts && (status = ranges_parse(&job->parts, "the run's parts", run->parts, err)))
        return status;
    job->machine = setting.machine;
    job->workload = setting.workload;
    job->total = run->total;
    snprintf(job->version, sizeof job->version, "%s", run->version == NULL ? "?" : run->version);
    job->stored = run->position == ROW_UNKNOWN ? 0 : run->position;
    return STATUS_OK;
}

enum status search_job_of_run(struct store *store, int64_t run_id, struct search_job *job,
                              struct err *err)
{
    struct rows rows = {0};
    enum status status = read_run(store, run_id, &rows, err);
    if (status == STATUS_OK)
        status = from_row(store, rows.data, job, err);
    rows_release(&rows);
    return status;
}

/* What losses are compared by, in the run's row. */
static enum status note_loss(const struct args *args, const struct search_job *job,
                             char *reference_shapes, struct store *store, struct run_row *run,
                             struct err *err)
{
    struct law_row law;
    row_clear(TABLE_LAW, &law);
    law.name = job->loss.law->name;
    law.law = job->loss.law_text;
    run->recipe = job->loss.recipe == QUALITY_NO_RECIPE
                      ? NULL
                      : job->loss.law->recipes[job->loss.recipe].name;
    run->train_tokens = (int64_t)job->scale.tokens;
    run->reference = job->is_best ? BEST_OF_SEARCH : args_text(args, "reference");
    run->reference_shapes = reference_shapes;
    if (search_job_is_exact(job)) { /* the law orders stacks: no losses, no reference */
        run->recipe = run->reference = run->reference_shapes = NULL;
        run->train_tokens = ROW_UNKNOWN;
    }
    return store_put_law(store, &law, &run->law_id, err);
}

static const char *method_of(const struct search_job *job)
{
    if (!search_job_is_exact(job) || job->space.scaling.is_given)
        return "enumerated";
    if (job->predictor != NULL || job->table != NULL)
        return HEURISTIC;
    return job->eps > 0 ? "within" : "exact";
}

enum status search_job_begin(const struct args *args, const struct search_job *job, int64_t total,
                             struct store *store, int64_t *run_id, struct err *err)
{
    struct run_row run;
    char *profile = NULL;
    char *space = space_print(&job->space), *shapes = loss_scale_print(&job->scale);
    enum status status = space && shapes ? device_text(args_nth(args, "device", 0), &profile, err)
                                         : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    run_record_start(args, &run);
    run.space = space;
    run.budget = args_text(args, "budget");
    run.budget_min = job->budget.min;
    run.budget_max = job->budget.max;
    run.objectives = job->objectives_text.data;
    run.constraints = job->where_text.data;
    run.keep = search_job_is_exact(job) ? "front" : args_text(args, "keep");
    run.method = method_of(job);
    if (strcmp(run.method, "exact") == 0 || strcmp(run.method, "within") == 0)
        run.eps = job->eps;
    run.scores = job->scores_text;
    run.threads = job->machine.threads;
    run.prompt = job->workload.prompt;
    run.context = job->workload.context;
    run.total = total;
    run.finished = 0;
    if (job->n_shards > 0) {
        run.shard = job->shard;
        run.n_shards = job->n_shards;
    }
    run.parts = job->has_parts ? "[]" : NULL;
    if (job->loss.law != NULL && (!search_job_is_exact(job) || search_job_scores_by_law(job)))
        status = note_loss(args, job, shapes, store, &run, err);
    if (status != STATUS_OK)
        goto out;
    struct device_row device = device_record(&job->device, profile);
    status = run_record_begin(store, &device, &run, err);
    *run_id = run.id;
out:
    memory_free(space);
    memory_free(shapes);
    memory_free(profile);
    return status;
}

enum status search_job_scale(struct search_job *job, const struct enumeration *enumeration,
                             int n_jobs, struct err *err)
{
    if (job->loss.law == NULL)
        return STATUS_OK;
    if (job->reference_shapes.data == NULL)
        return loss_setting_scale(&job->loss, enumeration, n_jobs, &job->scale, err);
    enum status status = loss_scale_init(&job->scale, job->loss.law, job->loss.recipe,
                                         (double)job->loss.tokens, job->space.max_layers, err);
    return status == STATUS_OK ? loss_scale_parse(&job->scale, "the run's reference",
                                                  job->reference_shapes.data, err)
                               : status;
}

const struct loss_scale *search_job_loss(const struct search_job *job)
{
    return job->loss.law != NULL ? &job->scale : NULL;
}

bool search_job_scores_by_law(const struct search_job *job)
{
    bool asks = false;
    for (int i = 0; i < job->objectives.n; i++)
        asks |= strcmp(job->objectives.metric[i].field->name, "score") == 0;
    for (int i = 0; i < job->filter.n; i++)
        asks |= strcmp(job->filter.condition[i].metric.field->name, "score") == 0;
    return asks && job->scores == NULL && job->predictor == NULL && job->table == NULL;
}

void search_job_release(struct search_job *job)
{
    csv_close(job->scores);
    csv_close(job->table);
    memory_free(job->scores_text);
    loss_scale_release(&job->scale);
    loss_setting_release(&job->loss);
    ranges_release(&job->parts);
    text_release(&job->reference_shapes);
    text_release(&job->objectives_text);
    text_release(&job->where_text);
}

void search_job_first_objective(const struct search_job *job, char *column, size_t size, bool *most)
{
    const char *first = job->objectives_text.data;
    *most = strncmp(first, "max:", 4) == 0;
    first += *most || strncmp(first, "min:", 4) == 0 ? 4 : 0;
    snprintf(column, size, "%.*s", (int)strcspn(first, ","), first);
}
