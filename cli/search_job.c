#include "cli/search_job.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/setting.h"
#include "device/device.h"

static enum status read_space(const struct args *args, struct space *space, struct err *err)
{
    const char *path = args_text(args, "space");
    enum status status = STATUS_OK;
    if (path != NULL)
        status = space_open(path, space, err);
    else
        space_default(space);
    if (status == STATUS_OK && args_dtype(args, "dtype", &space->dtype[0]))
        space->n_dtypes = 1;
    args_dtype(args, "kv-dtype", &space->kv_dtype);
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

static enum status read_objectives(const struct args *args, struct search_job *job, struct err *err)
{
    enum status status = STATUS_OK;
    const char *name;
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "minimize", i)) != NULL; i++)
        status = add_objective(job, "", name, err);
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "maximize", i)) != NULL; i++)
        status = add_objective(job, "max:", name, err);
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
        (status = read_objectives(args, job, err)) || (status = read_filter(args, job, err)) ||
        (status = read_space(args, &job->space, err)) || (status = read_device(args, job, err)) ||
        (status = loss_setting_of_options(args, &job->loss, err)))
        return status;
    job->is_best = !job->loss.has_reference;
    if (job->workload.prompt <= job->space.max_context &&
        job->workload.context < job->space.max_context)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE,
                   "--prompt %lld and --context %lld do not fit the space's max_context of %lld",
                   (long long)job->workload.prompt, (long long)job->workload.context,
                   (long long)job->space.max_context);
}

/* "decode_ns,max:params_blocks", say, as begin_run stored them. */
static enum status split_objectives(const char *text, struct search_job *job, struct err *err)
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

static enum status from_row(struct store *store, const struct run_row *run, struct search_job *job,
                            struct err *err)
{
    struct setting setting;
    int64_t unused;
    if (run->finished == 1)
        return err_set(err, STATUS_INPUT, "run %lld is finished: there is nothing to resume",
                       (long long)run->id);
    if (run->objectives == NULL || run->keep == NULL)
        return err_set(err, STATUS_INPUT, "run %lld is no search", (long long)run->id);
    enum status status;
    text_add(&job->where_text, run->constraints == NULL ? "" : run->constraints);
    if ((status = setting_of_run(store, run->id, &setting, &unused, &job->budget, err)) ||
        (status = run_device(store, run, &job->device, err)) ||
        (status = run_space(run, &job->space, err)) ||
        (status = keep_parse(run->keep, &job->keep, &job->keep_limit, err)) ||
        (status = split_objectives(run->objectives, job, err)) ||
        (status = parse_filter(job, err)) ||
        (status = loss_setting_of_run(store, run, &job->loss, err)))
        return status;
    job->is_best = run->reference != NULL && strcmp(run->reference, BEST_OF_SEARCH) == 0;
    text_add(&job->reference_shapes, run->reference_shapes == NULL ? "" : run->reference_shapes);
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

void search_job_release(struct search_job *job)
{
    loss_scale_release(&job->scale);
    loss_setting_release(&job->loss);
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
