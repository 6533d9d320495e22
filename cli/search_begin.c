#include "cli/search_begin.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/quantity.h"
#include "cli/exact_search.h"
#include "cli/search_crew.h"

enum status search_agree(const struct search *search, enum status status, struct err *err)
{
    if (search->crew == NULL || search->crew->all_well(search->crew, status == STATUS_OK) ||
        status != STATUS_OK)
        return status;
    return err_set(err, STATUS_IO, "process %lld failed",
                   (long long)search->crew->first_failed + 1);
}

/* --resume 3, or `latest`. */
static enum status resume_id(const struct args *args, struct store *store, int64_t *run_id,
                             struct err *err)
{
    const char *text = args_text(args, "resume");
    int64_t id = 0;
    if (strcmp(text, "latest") != 0 && (parse_count(text, &id, NULL) != STATUS_OK || id < 1))
        return err_set(err, STATUS_USAGE,
                       "--resume '%s': expected the number of a run, or 'latest'", text);
    return query_run_id(store, id, run_id, err);
}

/* The store of this process. */
static enum status own_path(const struct search *search, char *out, size_t size, struct err *err)
{
    const char *path = args_text(search->args, "db");
    if (search->crew != NULL)
        return crew_path(path, search->crew->rank, search->crew->n, out, size, err);
    if ((size_t)snprintf(out, size, "%s", path) < size)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE, "cannot open '%.100s...': the path is too long", path);
}

/* Counts what there is to price. The stacks of an exact search are not visited one by one. */
static enum status start_enumeration(struct search *search, struct err *err)
{
    const struct search_job *job = &search->job;
    if (!search_job_is_exact(job))
        return enumeration_start(&job->space, &job->budget, &search->whole, err);
    if (search->crew != NULL)
        return err_set(err, STATUS_USAGE,
                       "an exact search is not shared out: the layers of this space differ, use "
                       "'lathe search'");
    return STATUS_OK;
}

/* Can this run be gone on with, in this way? */
static enum status check_resumed(const struct search *search, struct err *err)
{
    const struct search_job *job = &search->job;
    const char *path = store_path(search->store);
    const long long run = (long long)search->run_id;
    if (search->crew != NULL && (!job->has_parts || job->n_shards != search->crew->n))
        return err_set(err, STATUS_INPUT,
                       "run %lld of '%s' is not of a search that %lld processes of lathe-mpi began",
                       run, path, (long long)search->crew->n);
    if (search->crew == NULL && job->has_parts)
        return err_set(err, STATUS_INPUT,
                       "run %lld of '%s' is that of process %lld of %lld: resume all of them with "
                       "mpirun -n %lld lathe-mpi search --resume %lld",
                       run, path, (long long)job->shard, (long long)job->n_shards,
                       (long long)job->n_shards, run);
    if (search->crew == NULL && job->is_finished)
        return err_set(err, STATUS_INPUT, "run %lld is finished: there is nothing to resume", run);
    if (search_job_is_exact(job))
        return exact_search_check(job, err);
    if (search->whole.count == job->total)
        return STATUS_OK;
    return err_set(err, STATUS_INPUT,
                   "run %lld was begun by lathe %s over %lld architectures, this one counts %lld: "
                   "start a new search",
                   run, job->version, (long long)job->total, (long long)search->whole.count);
}

static enum status resume(struct search *search, struct err *err)
{
    static const char *const begun_with[] = {
        "budget",    "device",           "space",       "where",   "minimize", "maximize", "keep",
        "dtype",     "kv-dtype",         "prompt",      "context", "threads",  "law",      "recipe",
        "tokens",    "tokens-per-param", "reference",   "exact",   "eps",      "scores",   "shard",
        "predictor", "predictor-table",  "evaluations", "seed",    "method"};
    char path[4096];
    enum status status = own_path(search, path, sizeof path, err);
    for (size_t i = 0; i < sizeof begun_with / sizeof *begun_with; i++)
        if (args_given(search->args, begun_with[i]))
            return err_set(err, STATUS_USAGE, "a resumed search is as it was begun: leave out --%s",
                           begun_with[i]);
    if (status == STATUS_OK && search->crew != NULL && !file_exists(path))
        status = err_set(err, STATUS_NOT_FOUND,
                         "cannot open '%s': a search is resumed by as many processes as began it, "
                         "where the files of each are",
                         path);
    if (status != STATUS_OK || (status = store_open(path, STORE_WRITE, &search->store, err)) ||
        (status = resume_id(search->args, search->store, &search->run_id, err)) ||
        (status = search_job_of_run(search->store, search->run_id, &search->job, err)) ||
        (status = start_enumeration(search, err)))
        return status;
    return check_resumed(search, err);
}

/* A new search is checked in full before its database is touched. */
static enum status begin(struct search *search, struct err *err)
{
    struct search_job *job = &search->job;
    char path[4096];
    enum status status;
    if (search->crew != NULL && args_given(search->args, "shard"))
        return err_set(err, STATUS_USAGE,
                       "the processes of lathe-mpi share the search out: leave out --shard");
    if ((status = search_job_of_options(search->args, job, err)) ||
        (status = start_enumeration(search, err)) ||
        (status = search_job_is_exact(job) ? exact_search_check(job, err) : STATUS_OK) ||
        (status = own_path(search, path, sizeof path, err)))
        return status;
    if (search->crew != NULL) {
        job->has_parts = true;
        job->shard = search->crew->rank + 1;
        job->n_shards = search->crew->n;
    }
    return store_open(path, STORE_WRITE, &search->store, err);
}

enum status search_begin(struct search *search, struct err *err)
{
    const struct args *args = search->args;
    enum status status =
        args_text(args, "resume") != NULL ? resume(search, err) : begin(search, err);
    if (status == STATUS_OK && search->crew != NULL && search->crew->rank == 0)
        status = store_open(args_text(args, "db"), STORE_WRITE, &search->joined, err);
    if (status == STATUS_OK && !search_job_is_exact(&search->job))
        status = search_job_scale(&search->job, &search->whole,
                                  (int)args_int(args, "jobs", search->crew != NULL ? 1 : 0), err);
    return search_agree(search, status, err);
}

enum status search_open_run(struct search *search, int64_t total, struct err *err)
{
    if (args_text(search->args, "resume") == NULL)
        return search_job_begin(search->args, &search->job, total, search->store, &search->run_id,
                                err);
    return search->job.is_finished ? STATUS_OK
                                   : store_resume_run(search->store, search->run_id, err);
}

void search_end(struct search *search)
{
    store_close(search->store);
    store_close(search->joined);
    enumeration_end(&search->whole);
    search_job_release(&search->job);
}
