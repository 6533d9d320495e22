#include "cli/search_run.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "cli/best_search.h"
#include "cli/candidate_listing.h"
#include "cli/exact_search.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/published_rows.h"
#include "cli/run_record.h"
#include "cli/run_traits.h"
#include "cli/search_crew.h"
#include "search/share.h"

struct search {
    const struct args *args;
    struct crew *crew; /* NULL: one process */
    struct search_job job;
    struct enumeration whole;
    struct store *store;
    int64_t run_id;
    struct keeper keeper;
    struct progress progress;
    /* Of the first process of a crew: where the front of all goes. */
    struct store *joined;
    int64_t joined_run_id, n_passed;
};

/* Of several processes one talks. */
static bool is_speaker(const struct search *search)
{
    return search->crew == NULL || search->crew->rank == 0;
}

/* A failure anywhere is one everywhere. */
static enum status agree(const struct search *search, enum status status, struct err *err)
{
    if (search->crew == NULL || search->crew->all_well(search->crew, status == STATUS_OK) ||
        status != STATUS_OK)
        return status;
    return err_set(err, STATUS_IO, "process %lld failed",
                   (long long)search->crew->first_failed + 1);
}

static enum status take_batch(const struct candidate *candidates, int64_t n, void *user,
                              struct err *err)
{
    struct search *search = user;
    enum status status = keeper_add(&search->keeper, candidates, n, err);
    progress_update(&search->progress, search->keeper.position, search->whole.count);
    return status;
}

/* Every candidate of the part becomes one of the keeper's. batch: as of enumerate_options. */
static enum status price_all(struct search *search, const struct enumeration *part, int64_t batch,
                             struct err *err)
{
    const struct search_job *job = &search->job;
    struct enumerate_options options = {
        .n_jobs = (int)args_int(search->args, "jobs", search->crew != NULL ? 1 : 0),
        .batch = batch,
        .loss = search_job_loss(job),
        .stop = interrupt_flag()};
    return enumerate_candidates(part, &job->machine, &job->workload, &options, take_batch, search,
                                err);
}

static enum status price_chunk(void *user, const struct enumeration *chunk, struct err *err)
{
    return price_all(user, chunk, chunk->count, err);
}

/* Rows are made of what is kept only. */
static enum status price_part(struct search *search, const struct enumeration *part,
                              struct err *err)
{
    const struct search_job *job = &search->job;
    return job->keep == KEEP_ALL
               ? price_all(search, part, 0, err)
               : best_search(job, part, (int)args_int(search->args, "jobs", 0), interrupt_flag(),
                             &search->keeper, &search->progress, err);
}

static enum status price_shard(struct search *search, struct err *err)
{
    struct enumeration part;
    enum status status =
        enumeration_shard(&search->whole, search->job.shard, search->job.n_shards, &part, err);
    if (status != STATUS_OK)
        return status;
    status = price_part(search, &part, err);
    enumeration_end(&part);
    return status;
}

/* What is this process's to price. */
static enum status price_own(struct search *search, struct err *err)
{
    const struct search_job *job = &search->job;
    if (search->crew != NULL)
        return crew_work(search->crew, job, &search->whole, &search->keeper, price_chunk, search,
                         err);
    return job->n_shards > 0 ? price_shard(search, err) : price_part(search, &search->whole, err);
}

/* An interrupted search stores what it found and is still a failure: it did not do it all. */
static enum status end_run(struct search *search, enum status status, struct err *err)
{
    struct keeper *keeper = &search->keeper;
    progress_end(&search->progress);
    enum status stored = status == STATUS_INTERRUPTED ? STATUS_OK : status;
    if (stored == STATUS_OK)
        stored = keeper_flush(keeper, err);
    const bool is_whole = agree(search, stored != STATUS_OK ? stored : status, NULL) == STATUS_OK;
    if (stored == STATUS_OK)
        stored = run_record_end(keeper->store, keeper->run_id, is_whole, err);
    if (stored != STATUS_OK || is_whole)
        return stored;
    if (status == STATUS_INTERRUPTED)
        return err_set(err, status, "interrupted: what was found so far is run %lld in '%s'",
                       (long long)keeper->run_id, store_path(keeper->store));
    return err_set(err, STATUS_IO, "process %lld failed",
                   (long long)search->crew->first_failed + 1);
}

/* The front of all processes, in the store that --db names: few shapes are priced once more. */
static enum status join_fronts(struct search *search, struct err *err)
{
    struct enumeration part = {0};
    struct stored_run own = {0};
    struct keeper *keeper = &search->keeper;
    enum status status =
        crew_front(search->crew, &search->whole, keeper, &part, &search->n_passed, err);
    if (status != STATUS_OK || search->crew->rank != 0)
        goto out;
    if ((status = stored_run_read(search->store, search->run_id, &own, err)) ||
        (status = joined_run_begin(&own, own.run->command, "front", search->joined,
                                   &search->joined_run_id, err)))
        goto out;
    keeper_release(keeper);
    status = keeper_init(keeper, KEEP_FRONT, 0, &search->job.filter, &search->job.objectives,
                         search_job_loss(&search->job), search->joined, search->joined_run_id, err);
    if (status == STATUS_OK)
        status = price_all(search, &part, 0, err);
    keeper->position = search->whole.count;
    if (status == STATUS_OK && (status = keeper_flush(keeper, err)) == STATUS_OK)
        status = run_record_end(search->joined, search->joined_run_id, true, err);
out:
    stored_run_release(&own);
    enumeration_end(&part);
    return status;
}

/* Begins a run, or takes up again the one that --resume names. That of a process of a crew may be
 * finished while another's is not. */
static enum status open_run(struct search *search, int64_t total, struct err *err)
{
    if (args_text(search->args, "resume") == NULL)
        return search_job_begin(search->args, &search->job, total, search->store, &search->run_id,
                                err);
    return search->job.is_finished ? STATUS_OK
                                   : store_resume_run(search->store, search->run_id, err);
}

static enum status start_keeper(struct search *search, struct err *err)
{
    struct search_job *job = &search->job;
    struct keeper *keeper = &search->keeper;
    enum status status = open_run(search, search->whole.count, err);
    if (status != STATUS_OK)
        return status;
    status = keeper_init(keeper, job->keep, job->keep_limit, &job->filter, &job->objectives,
                         search_job_loss(job), search->store, search->run_id, err);
    keeper->stored = job->stored;
    keeper->parts = job->has_parts ? &job->parts : NULL;
    return status;
}

static void say_what_was_found(const struct search *search)
{
    const struct keeper *keeper = &search->keeper;
    const bool is_joined = search->joined_run_id > 0;
    if (is_speaker(search))
        fprintf(stderr, "%lld of them pass, %zu on the front: run %lld in '%s'\n",
                (long long)(is_joined ? search->n_passed : keeper->n_passed), keeper->front.n,
                (long long)keeper->run_id, store_path(keeper->store));
}

/* A resumed search prices what was stored once more: that takes a fraction of the time it took to
 * store it, and the front is whole again. */
static enum status search_all(struct search *search, struct err *err)
{
    enum status status = agree(search, start_keeper(search, err), err);
    if (status == STATUS_OK && search->crew != NULL)
        status = agree(search,
                       crew_has_same_search(search->crew, search->store, search->run_id, err), err);
    progress_init(&search->progress, "search");
    search->progress.terminal &= is_speaker(search);
    if (status == STATUS_OK)
        status = agree(search, end_run(search, price_own(search, err), err), err);
    if (status == STATUS_OK && search->crew != NULL)
        status = agree(search, join_fronts(search, err), err);
    if (status == STATUS_OK || status == STATUS_INTERRUPTED)
        say_what_was_found(search);
    keeper_release(&search->keeper);
    return status;
}

/* The run begins when there is something to store: a search that finds nothing leaves none. One that
 * is resumed starts again. */
static enum status search_exactly(struct search *search, struct err *err)
{
    struct exact_result *result = NULL;
    struct err stored_err;
    enum status status =
        exact_search_run(&search->job, (int)args_int(search->args, "jobs", 0), &result, err);
    bool is_whole = status == STATUS_OK;
    if (is_whole || status == STATUS_INTERRUPTED) {
        enum status stored = open_run(search, ROW_UNKNOWN, &stored_err);
        if (stored == STATUS_OK)
            stored =
                exact_result_store(result, is_whole, search->store, search->run_id, &stored_err);
        if (stored != STATUS_OK)
            status = err_set(err, stored, "%s", stored_err.message);
        else if (!is_whole)
            err_set(err, status, "interrupted: what was found so far is run %lld in '%s'",
                    (long long)search->run_id, store_path(search->store));
    }
    exact_result_free(result);
    return status;
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

/* The front from end to end: the best by the first objective alone is one of its ends. */
enum status search_print_front(const struct args *args, const struct search_job *job,
                               struct store *store, int64_t run_id, struct err *err)
{
    char by[64];
    bool most;
    struct rows rows = {0};
    search_job_first_objective(job, by, sizeof by, &most);
    struct candidate_query query = {
        .run_id = run_id, .order_by = by, .descending = most, .front_only = true};
    const struct candidate_view view = {.limit = args_int(args, "limit", 0),
                                        .is_front = true,
                                        .from_end_to_end = true,
                                        .by = by,
                                        .json = args_flag(args, "json")};
    enum status status = query_candidates(store, &query, &rows, err);
    if (status == STATUS_OK)
        status = candidate_listing_print(store, &rows, &view, err);
    rows_release(&rows);
    return status;
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
        "budget", "device",           "space",     "where",   "minimize", "maximize", "keep",
        "dtype",  "kv-dtype",         "prompt",    "context", "threads",  "law",      "recipe",
        "tokens", "tokens-per-param", "reference", "exact",   "eps",      "scores",   "shard"};
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

static enum status prepare(struct search *search, struct err *err)
{
    const struct args *args = search->args;
    enum status status =
        args_text(args, "resume") != NULL ? resume(search, err) : begin(search, err);
    if (status == STATUS_OK && search->crew != NULL && search->crew->rank == 0)
        status = store_open(args_text(args, "db"), STORE_WRITE, &search->joined, err);
    if (status == STATUS_OK && !search_job_is_exact(&search->job))
        status = search_job_scale(&search->job, &search->whole,
                                  (int)args_int(args, "jobs", search->crew != NULL ? 1 : 0), err);
    return agree(search, status, err);
}

static bool is_in(const struct axis *axis, double value)
{
    for (int i = 0; i < axis->n; i++)
        if ((double)axis->value[i] == value)
            return true;
    return false;
}

/* Losses of two vocabularies are never compared: says of whose candidates the loss is unknown. */
static void warn_of_vocabularies(const struct args *args, const struct search_job *job)
{
    if (!job->loss.has_reference)
        return;
    const struct axis *axis = &job->space.vocab_size;
    double vocab = job->loss.reference.vocab;
    if (!is_in(axis, vocab))
        warn(args,
             "the reference has a vocabulary of %.0f, no candidate has: their losses stay "
             "unknown",
             vocab);
    else if (axis->n > 1)
        warn(args,
             "the reference has a vocabulary of %.0f: the losses of candidates with another "
             "stay unknown",
             vocab);
}

/* The references by name: the search's best, or the user's. */
static void say_loss(const struct search_job *job)
{
    struct text whom = {0};
    text_add(&whom, job->is_best ? BEST_OF_SEARCH ": " : "");
    for (size_t i = 0; i < job->scale.n && i < 3; i++)
        text_addf(&whom, "%s%s", i > 0 ? ", " : "", job->scale.reference[i].name);
    text_add(&whom, job->scale.n > 3 ? ", ..." : "");
    if (!whom.failed)
        loss_setting_say(&job->loss, job->budget.target, whom.data);
    text_release(&whom);
}

static void say_what_is_searched(const struct search *search)
{
    const struct search_job *job = &search->job;
    char count[32], least[32], most[32], part[64] = "";
    if (search->crew != NULL)
        snprintf(part, sizeof part, ", %lld processes", (long long)search->crew->n);
    else if (job->n_shards > 0)
        snprintf(part, sizeof part, ", part %lld of %lld", (long long)job->shard,
                 (long long)job->n_shards);
    fprintf(stderr, "%s architectures of %s to %s parameters on %s%s\n",
            format_count(search->whole.count, count, sizeof count),
            format_count(job->budget.min, least, sizeof least),
            format_count(job->budget.max, most, sizeof most), job->device.name, part);
    if (search_job_loss(job) != NULL)
        say_loss(job);
    warn_of_vocabularies(search->args, job);
}

static enum status store_published(const struct search *search, struct err *err)
{
    enum status status = published_store(search->store, err);
    if (status == STATUS_OK && search->joined != NULL)
        status = published_store(search->joined, err);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (is_speaker(search))
        warn(search->args, "no published figures stored: %s", err->message);
    return STATUS_OK;
}

/* The front is in one file; what else was kept is in those of the processes. */
static void say_how_to_merge(const struct search *search)
{
    char path[4096];
    struct text files = {0};
    for (int64_t rank = 0; rank < search->crew->n; rank++)
        if (crew_path(args_text(search->args, "db"), rank, search->crew->n, path, sizeof path,
                      NULL) == STATUS_OK)
            text_addf(&files, " %s", path);
    if (!files.failed && search->job.keep != KEEP_FRONT)
        fprintf(stderr, "'%s' has the front; for all that was kept: lathe merge OUT.db%s\n",
                store_path(search->joined), files.data);
    text_release(&files);
}

static enum status report(const struct search *search, struct err *err)
{
    if (search->crew == NULL)
        return search_print_front(search->args, &search->job, search->store, search->run_id, err);
    if (search->crew->rank != 0)
        return STATUS_OK;
    say_how_to_merge(search);
    return search_print_front(search->args, &search->job, search->joined, search->joined_run_id,
                              err);
}

static enum status search_every(struct search *search, struct err *err)
{
    if (is_speaker(search))
        say_what_is_searched(search);
    enum status status = agree(search, store_published(search, err), err);
    return status == STATUS_OK ? search_all(search, err) : status;
}

enum status search_run(const struct args *args, struct crew *crew, struct err *err)
{
    struct search *search = memory_new(1, sizeof *search);
    if (search == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    search->args = args;
    search->crew = crew;
    enum status status = prepare(search, err);
    if (status == STATUS_OK)
        status = search_job_is_exact(&search->job) ? search_exactly(search, err)
                                                   : search_every(search, err);
    if (status == STATUS_OK)
        status = report(search, err);
    store_close(search->store);
    store_close(search->joined);
    enumeration_end(&search->whole);
    search_job_release(&search->job);
    memory_free(search);
    return status;
}
