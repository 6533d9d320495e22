#include "cli/best_search.h"

#include "base/memory.h"
#include "search/column_search.h"

/* What is kept so far: ids, until their rows are wanted. */
struct best_sink {
    struct pricing pricing;
    int n_jobs;
    struct keeper *keeper;
    struct progress *progress;
    int64_t position, n_passed;
    size_t n, capacity;
    int64_t *ids;
};

/* Prices them by the walk, as every row in the store is, and hands them over. */
static enum status hand_over(struct best_sink *sink, struct err *err)
{
    struct candidate *candidates = memory_new(sink->n, sizeof *candidates);
    if (candidates == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for the best %zu", sink->n);
    enum status status =
        pick_candidates(&sink->pricing, sink->ids, sink->n, sink->n_jobs, candidates, err);
    if (status == STATUS_OK)
        status =
            keeper_replace(sink->keeper, candidates, sink->n, sink->n_passed, sink->position, err);
    memory_free(candidates);
    return status;
}

static enum status take_best(const struct column_best *best, void *user, struct err *err)
{
    struct best_sink *sink = user;
    void *array = sink->ids;
    enum status status = memory_grow(&array, &sink->capacity, best->n, sizeof *sink->ids, err);
    sink->ids = array;
    if (status != STATUS_OK)
        return status;
    memory_copy(sink->ids, best->ids, best->n, sizeof *sink->ids);
    sink->n = best->n;
    sink->n_passed = best->n_passed;
    sink->position = best->position;
    progress_update(sink->progress, best->position, enumeration_ids_end(sink->pricing.enumeration));
    if (!keeper_is_due(sink->keeper, sink->position))
        return STATUS_OK;
    status = hand_over(sink, err);
    return status == STATUS_OK ? keeper_save(sink->keeper, err) : status;
}

enum status best_search(const struct search_job *job, const struct enumeration *enumeration,
                        int n_jobs, volatile sig_atomic_t *stop, struct keeper *keeper,
                        struct progress *progress, struct err *err)
{
    struct best_sink sink = {
        .pricing = {enumeration, &job->machine, &job->workload, search_job_loss(job)},
        .n_jobs = n_jobs,
        .keeper = keeper,
        .progress = progress,
    };
    struct column_search search = {
        .pricing = sink.pricing,
        .filter = &job->filter,
        .objectives = &job->objectives,
        .n_top = job->keep == KEEP_TOP ? (size_t)job->keep_limit : 0,
        .n_jobs = n_jobs,
        .stop = stop,
    };
    enum status status = column_search(&search, take_best, &sink, err);
    if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
        enum status handed = hand_over(&sink, err);
        status = handed == STATUS_OK ? status : handed;
    }
    memory_free(sink.ids);
    return status;
}
