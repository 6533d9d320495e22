#include "cli/loosened.h"

#include <string.h>

#include "base/memory.h"
#include "cli/exact_search.h"
#include "cli/interrupt.h"
#include "cli/search_job.h"
#include "search/column_search.h"
#include "search/stack_search.h"

static enum status take_scores(const struct objectives *objectives,
                               const struct candidate *candidates, size_t n, int64_t vocab_size,
                               struct loosened_front *out, struct err *err)
{
    size_t width = (size_t)objectives->n;
    out->score = memory_new(n * width + 1, sizeof *out->score);
    if (out->score == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu candidates", n);
    for (size_t i = 0; i < n; i++) {
        if (vocab_size != 0 && candidates[i].row.vocab_size != vocab_size)
            continue;
        for (int o = 0; o < objectives->n; o++)
            out->score[out->n * width + (size_t)o] = objective_score(objectives, o, &candidates[i]);
        out->n++;
    }
    return STATUS_OK;
}

/* The ids that the last call has. */
struct last_ids {
    size_t n, capacity;
    int64_t *ids;
};

static enum status take_ids(const struct column_best *best, void *user, struct err *err)
{
    struct last_ids *last = user;
    void *array = last->ids;
    enum status status = memory_grow(&array, &last->capacity, best->n, sizeof *last->ids, err);
    last->ids = array;
    if (status != STATUS_OK)
        return status;
    if (best->n > 0)
        memcpy(last->ids, best->ids, best->n * sizeof *last->ids);
    last->n = best->n;
    return STATUS_OK;
}

static enum status price_front(const struct search_job *job, const struct enumeration *all,
                               int64_t vocab_size, struct loosened_front *out, struct err *err)
{
    struct last_ids last = {0};
    struct candidate *front = NULL;
    const struct column_search search = {
        .pricing = {all, &job->machine, &job->workload, search_job_loss(job)},
        .filter = &job->filter,
        .objectives = &job->objectives,
        .stop = interrupt_flag(),
    };
    enum status status = column_search(&search, take_ids, &last, err);
    if (status == STATUS_OK && (front = memory_new(last.n + 1, sizeof *front)) == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory for %zu candidates", last.n);
    if (status == STATUS_OK)
        status = pick_candidates(&search.pricing, last.ids, last.n, 0, front, err);
    if (status == STATUS_OK)
        status = take_scores(&job->objectives, front, last.n, vocab_size, out, err);
    memory_free(front);
    memory_free(last.ids);
    return status;
}

static enum status search_columns(struct search_job *job, int64_t vocab_size,
                                  struct loosened_front *out, struct err *err)
{
    struct enumeration all = {0};
    enum status status = enumeration_start(&job->space, &job->budget, &all, err);
    if (status != STATUS_OK)
        return status;
    status = search_job_scale(job, &all, 0, err);
    if (status == STATUS_OK)
        status = price_front(job, &all, vocab_size, out, err);
    enumeration_end(&all);
    return status;
}

static enum status search_stacks(const struct search_job *job, int64_t vocab_size,
                                 struct loosened_front *out, struct err *err)
{
    struct exact_result *result = NULL;
    enum status status = exact_search_run(job, 0, &result, err);
    if (status == STATUS_OK) {
        const struct stack_candidates *found = exact_result_found(result);
        status = take_scores(&job->objectives, found->candidate, found->n, vocab_size, out, err);
    }
    exact_result_free(result);
    return status;
}

enum status loosened_front_search(struct store *store, int64_t run_id, const struct bounds *bounds,
                                  int64_t vocab_size, struct loosened_front *out, struct err *err)
{
    struct search_job *job = memory_new(1, sizeof *job);
    *out = (struct loosened_front){0};
    if (job == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = search_job_of_run(store, run_id, job, err);
    if (status == STATUS_OK && job->n_shards > 0)
        status = err_set(err, STATUS_UNSUPPORTED, "the run is a part of a search");
    job->budget = bounds->budget;
    job->filter = bounds->filter;
    job->space = bounds->space;
    if (status == STATUS_OK)
        status = search_job_is_exact(job) ? search_stacks(job, vocab_size, out, err)
                                          : search_columns(job, vocab_size, out, err);
    search_job_release(job);
    memory_free(job);
    return status;
}

void loosened_front_release(struct loosened_front *front)
{
    memory_free(front->score);
    *front = (struct loosened_front){0};
}
