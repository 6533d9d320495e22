#include "cli/search_run.h"

#include <stdio.h>

#include "base/memory.h"
#include "cli/best_search.h"
#include "cli/exact_search.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/published_rows.h"
#include "cli/run_record.h"
#include "cli/run_traits.h"
#include "cli/search_begin.h"
#include "cli/search_crew.h"
#include "cli/search_report.h"
#include "search/share.h"

struct running {
    struct search search;
    struct keeper keeper;
    struct progress progress;
    /* Of the first process of a crew: the run that has the front of all. */
    int64_t joined_run_id, n_passed;
};

static enum status take_batch(const struct candidate *candidates, int64_t n, void *user,
                              struct err *err)
{
    struct running *run = user;
    enum status status = keeper_add(&run->keeper, candidates, n, err);
    progress_update(&run->progress, run->keeper.position, run->search.whole.count);
    return status;
}

/* Every candidate of the part becomes one of the keeper's. batch: as of enumerate_options. */
static enum status price_all(struct running *run, const struct enumeration *part, int64_t batch,
                             struct err *err)
{
    const struct search_job *job = &run->search.job;
    struct enumerate_options options = {
        .n_jobs = (int)args_int(run->search.args, "jobs", run->search.crew != NULL ? 1 : 0),
        .batch = batch,
        .loss = search_job_loss(job),
        .stop = interrupt_flag()};
    return enumerate_candidates(part, &job->machine, &job->workload, &options, take_batch, run,
                                err);
}

static enum status price_chunk(void *user, const struct enumeration *chunk, struct err *err)
{
    return price_all(user, chunk, chunk->count, err);
}

/* Rows are made of what is kept only, but where types of files want every depth priced by itself. */
static enum status price_part(struct running *run, const struct enumeration *part, struct err *err)
{
    const struct search_job *job = &run->search.job;
    return job->keep == KEEP_ALL || space_has_files(part->space)
               ? price_all(run, part, 0, err)
               : best_search(job, part, (int)args_int(run->search.args, "jobs", 0),
                             interrupt_flag(), &run->keeper, &run->progress, err);
}

static enum status price_shard(struct running *run, struct err *err)
{
    struct enumeration part;
    enum status status = enumeration_shard(&run->search.whole, run->search.job.shard,
                                           run->search.job.n_shards, &part, err);
    if (status != STATUS_OK)
        return status;
    status = price_part(run, &part, err);
    enumeration_end(&part);
    return status;
}

/* What is this process's to price. */
static enum status price_own(struct running *run, struct err *err)
{
    const struct search_job *job = &run->search.job;
    if (run->search.crew != NULL)
        return crew_work(run->search.crew, job, &run->search.whole, &run->keeper, price_chunk, run,
                         err);
    return job->n_shards > 0 ? price_shard(run, err) : price_part(run, &run->search.whole, err);
}

/* An interrupted search stores what it found and is still a failure: it did not do it all. */
static enum status end_run(struct running *run, enum status status, struct err *err)
{
    struct keeper *keeper = &run->keeper;
    progress_end(&run->progress);
    enum status stored = status == STATUS_INTERRUPTED ? STATUS_OK : status;
    if (stored == STATUS_OK)
        stored = keeper_flush(keeper, err);
    const bool is_whole =
        search_agree(&run->search, stored != STATUS_OK ? stored : status, NULL) == STATUS_OK;
    if (stored == STATUS_OK)
        stored = run_record_end(keeper->store, keeper->run_id, is_whole, err);
    if (stored != STATUS_OK || is_whole)
        return stored;
    if (status == STATUS_INTERRUPTED)
        return err_set(err, status, "interrupted: what was found so far is run %lld in '%s'",
                       (long long)keeper->run_id, store_path(keeper->store));
    return err_set(err, STATUS_IO, "process %lld failed",
                   (long long)run->search.crew->first_failed + 1);
}

/* The front of all processes, in the store that --db names: few shapes are priced once more. */
static enum status join_fronts(struct running *run, struct err *err)
{
    struct enumeration part = {0};
    struct stored_run own = {0};
    struct keeper *keeper = &run->keeper;
    enum status status =
        crew_front(run->search.crew, &run->search.whole, keeper, &part, &run->n_passed, err);
    if (status != STATUS_OK || run->search.crew->rank != 0)
        goto out;
    if ((status = stored_run_read(run->search.store, run->search.run_id, &own, err)) ||
        (status = joined_run_begin(&own, own.run->command, "front", run->search.joined,
                                   &run->joined_run_id, err)))
        goto out;
    keeper_release(keeper);
    status =
        keeper_init(keeper, KEEP_FRONT, 0, &run->search.job.filter, &run->search.job.objectives,
                    search_job_loss(&run->search.job), run->search.joined, run->joined_run_id, err);
    if (status == STATUS_OK)
        status = price_all(run, &part, 0, err);
    keeper->position = run->search.whole.count;
    if (status == STATUS_OK && (status = keeper_flush(keeper, err)) == STATUS_OK)
        status = run_record_end(run->search.joined, run->joined_run_id, true, err);
out:
    stored_run_release(&own);
    enumeration_end(&part);
    return status;
}

static enum status start_keeper(struct running *run, struct err *err)
{
    struct search_job *job = &run->search.job;
    struct keeper *keeper = &run->keeper;
    enum status status = search_open_run(&run->search, run->search.whole.count, err);
    if (status != STATUS_OK)
        return status;
    status = keeper_init(keeper, job->keep, job->keep_limit, &job->filter, &job->objectives,
                         search_job_loss(job), run->search.store, run->search.run_id, err);
    keeper->stored = job->stored;
    keeper->parts = job->has_parts ? &job->parts : NULL;
    return status;
}

static void say_what_was_found(const struct running *run)
{
    const struct keeper *keeper = &run->keeper;
    const bool is_joined = run->joined_run_id > 0;
    if (search_is_speaker(&run->search))
        fprintf(stderr, "%lld of them pass, %zu on the front: run %lld in '%s'\n",
                (long long)(is_joined ? run->n_passed : keeper->n_passed), keeper->front.n,
                (long long)keeper->run_id, store_path(keeper->store));
}

/* A resumed search prices what was stored once more: that takes a fraction of the time it took to
 * store it, and the front is whole again. */
static enum status search_all(struct running *run, struct err *err)
{
    enum status status = search_agree(&run->search, start_keeper(run, err), err);
    if (status == STATUS_OK && run->search.crew != NULL)
        status = search_agree(
            &run->search,
            crew_has_same_search(run->search.crew, run->search.store, run->search.run_id, err),
            err);
    progress_init(&run->progress, "search");
    run->progress.terminal &= search_is_speaker(&run->search);
    if (status == STATUS_OK)
        status = search_agree(&run->search, end_run(run, price_own(run, err), err), err);
    if (status == STATUS_OK && run->search.crew != NULL)
        status = search_agree(&run->search, join_fronts(run, err), err);
    if (status == STATUS_OK || status == STATUS_INTERRUPTED)
        say_what_was_found(run);
    keeper_release(&run->keeper);
    return status;
}

/* What was found before an interruption, and that the search starts again from its row. */
static enum status say_interrupted(const struct running *run, size_t n_found, struct err *err)
{
    const char *path = store_path(run->search.store);
    const long long id = (long long)run->search.run_id;
    if (n_found == 0)
        return err_set(err, STATUS_INTERRUPTED,
                       "interrupted before a table was done: nothing was found yet; lathe search "
                       "--resume %lld --db %s starts again",
                       id, path);
    return err_set(err, STATUS_INTERRUPTED,
                   "interrupted: the front so far, of %zu, is run %lld in '%s'; lathe search "
                   "--resume %lld --db %s starts again",
                   n_found, id, path, id, path);
}

/* What cannot be searched leaves no run. */
static void drop_new_run(const struct running *run)
{
    if (args_text(run->search.args, "resume") == NULL)
        store_drop_run(run->search.store, run->search.run_id, NULL);
}

/* The run is there from the start, so that a killed search can be started again from its row. */
static enum status search_exactly(struct running *run, struct err *err)
{
    struct exact_result *result = NULL;
    struct err stored_err;
    enum status status = search_open_run(&run->search, ROW_UNKNOWN, err);
    if (status != STATUS_OK)
        return status;
    status = exact_search_run(&run->search.job, (int)args_int(run->search.args, "jobs", 0), &result,
                              err);
    bool is_whole = status == STATUS_OK;
    if (is_whole || status == STATUS_INTERRUPTED) {
        enum status stored = exact_result_store(result, is_whole, run->search.store,
                                                run->search.run_id, &stored_err);
        if (stored != STATUS_OK)
            status = err_set(err, stored, "%s", stored_err.message);
        else if (!is_whole)
            status = say_interrupted(run, exact_result_n(result), err);
    } else {
        drop_new_run(run);
    }
    exact_result_free(result);
    return status;
}

static enum status store_published(const struct search *search, struct err *err)
{
    enum status status = published_store(search->store, err);
    if (status == STATUS_OK && search->joined != NULL)
        status = published_store(search->joined, err);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (search_is_speaker(search))
        warn(search->args, "no published figures stored: %s", err->message);
    return STATUS_OK;
}

static enum status report(const struct running *run, struct err *err)
{
    if (run->search.crew == NULL)
        return search_print_front(run->search.args, &run->search.job, run->search.store,
                                  run->search.run_id, err);
    if (run->search.crew->rank != 0)
        return STATUS_OK;
    search_say_how_to_merge(&run->search);
    return search_print_front(run->search.args, &run->search.job, run->search.joined,
                              run->joined_run_id, err);
}

static enum status search_every(struct running *run, struct err *err)
{
    if (search_is_speaker(&run->search))
        search_say_start(&run->search);
    enum status status = search_agree(&run->search, store_published(&run->search, err), err);
    return status == STATUS_OK ? search_all(run, err) : status;
}

enum status search_run(const struct args *args, struct crew *crew, struct err *err)
{
    struct running *run = memory_new(1, sizeof *run);
    if (run == NULL) {
        if (crew != NULL) /* the others wait in search_begin */
            crew->all_well(crew, false);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    run->search.args = args;
    run->search.crew = crew;
    enum status status = search_begin(&run->search, err);
    if (status == STATUS_OK)
        status = search_job_is_exact(&run->search.job) ? search_exactly(run, err)
                                                       : search_every(run, err);
    if (status == STATUS_OK)
        status = report(run, err);
    search_end(&run->search);
    memory_free(run);
    return status;
}
