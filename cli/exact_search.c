#include "cli/exact_search.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/run_record.h"
#include "search/layer_scores.h"
#include "search/predictor_command.h"
#include "search/stack_search.h"

struct exact_result {
    struct stack_candidates found;
};

static struct stack_search search_of(const struct search_job *job, int n_jobs)
{
    const struct quality_law *law = job->loss.law;
    return (struct stack_search){
        .space = &job->space,
        .budget = &job->budget,
        .machine = &job->machine,
        .workload = &job->workload,
        .objectives = &job->objectives,
        .filter = &job->filter,
        .scores = job->scores,
        .ordering = law != NULL && law->has_layer_score ? &law->layer_score : NULL,
        .eps = job->eps,
        .evaluations = job->evaluations,
        .seed = job->seed,
        .is_evolved = job->is_evolved,
        .n_jobs = n_jobs,
    };
}

static void say(const struct search_job *job, const struct stack_count *count)
{
    char least[32], most[32];
    fprintf(stderr, job->space.scaling.is_given ? "%.0f stack%s" : "%.1e stack%s", count->n_stacks,
            count->n_stacks == 1 ? "" : "s");
    fprintf(stderr, ", of %s to %s parameters on %s",
            format_count(job->budget.min, least, sizeof least),
            format_count(job->budget.max, most, sizeof most), job->device.name);
    if (!job->space.scaling.is_given)
        fprintf(stderr, ": up to %lld layers to choose from in each of %lld places",
                (long long)count->n_classes, (long long)count->n_places);
    fprintf(stderr, "\n");
    if (job->scores == NULL && search_job_scores_by_law(job)) {
        const struct layer_score *ordering = &job->loss.law->layer_score;
        fprintf(stderr,
                "score by the ordering of stacks fitted to %d of about 200M after short training: "
                "%.0f %% of pairs right that differ by 0.05 nats\n",
                ordering->rows, 100 * ordering->pairs_right_frac);
    }
}

/* Why there is no default score: the ordering's reason, and what to do. */
static enum status explain(const struct search_job *job, enum status status, struct err *err)
{
    char reason[sizeof err->message];
    if (status != STATUS_UNSUPPORTED || job->scores != NULL)
        return status;
    snprintf(reason, sizeof reason, "%s", err->message);
    return err_set(err, status,
                   "no score of layers: %.600s; give --scores FILE, or --minimize objectives that "
                   "need none (decode_ns,params)",
                   reason);
}

enum status exact_search_check(const struct search_job *job, struct err *err)
{
    struct stack_search search = search_of(job, 0);
    static const struct stack_predictor not_asked;
    static struct scored_stacks not_read;
    struct stack_count count;
    search.predictor = job->predictor != NULL ? &not_asked : NULL;
    search.table = job->table != NULL ? &not_read : NULL;
    enum status status = stack_search_check(&search, &count, err);
    if (status != STATUS_OK)
        return explain(job, status, err);
    say(job, &count);
    return STATUS_OK;
}

struct telling {
    struct progress progress;
    int64_t tables;
};

static void tell(const struct stack_dp_at *at, void *user)
{
    struct telling *telling = user;
    char count[32];
    telling->tables += !at->has_labels && at->place == 1;
    progress_say(&telling->progress, "table %lld, place %lld of %lld, %s %s",
                 (long long)telling->tables, (long long)at->place, (long long)at->n_places,
                 format_count(at->n, count, sizeof count),
                 at->has_labels ? "partial stacks that nothing beats" : "keys");
}

static void say_predicted(const struct stack_candidates *found)
{
    fprintf(stderr, "%zu evaluations of the predictor", found->evaluations);
    if (!isnan(found->explained_frac))
        fprintf(stderr, "; a sum over layers explains %.1f %% of what it says",
                100 * fmax(found->explained_frac, 0));
    fprintf(stderr, "\n");
}

static enum status run_predicted(const struct search_job *job, struct stack_search *search,
                                 struct stack_candidates *found, struct err *err)
{
    struct predictor_command command;
    enum status status =
        predictor_command_start(job->predictor, job->predictor_timeout_s, &command, err);
    if (status != STATUS_OK)
        return status;
    const struct stack_predictor predictor = {predictor_command_score, &command, LAYER_SCORE_UNIT};
    search->predictor = &predictor;
    status = stack_search_run(search, found, err);
    predictor_command_end(&command);
    search->predictor = NULL;
    if (status == STATUS_OK || status == STATUS_INTERRUPTED)
        say_predicted(found);
    return status;
}

static void say_table(const struct scored_stacks *table)
{
    const char *left = scored_stacks_left(table);
    fprintf(stderr, "of %d rows %zu are stacks of the space, %zu of them inside budget and rules",
            csv_n_rows(table->table), table->n_taken, table->n_priced);
    if (left != NULL)
        fprintf(stderr, "; the first that is none: '%s'", left);
    fprintf(stderr, "\n");
}

static enum status run_table(const struct search_job *job, struct stack_search *search,
                             struct stack_candidates *found, struct err *err)
{
    struct scored_stacks table;
    enum status status = scored_stacks_start(job->table, &table, err);
    search->table = &table;
    if (status == STATUS_OK)
        status = stack_search_run(search, found, err);
    if (status == STATUS_OK)
        say_table(&table);
    if (status == STATUS_RANGE && table.n_taken == 0)
        err_set(
            err, status,
            "none of the table's %d stacks is one of the space (the first: '%s'): is it of another "
            "space?",
            csv_n_rows(job->table), csv_n_rows(job->table) > 0 ? scored_stacks_left(&table) : "");
    scored_stacks_end(&table);
    search->table = NULL;
    return status;
}

static enum status run_kind(const struct search_job *job, struct stack_search *search,
                            struct stack_candidates *found, struct err *err)
{
    if (job->table != NULL)
        return run_table(job, search, found, err);
    return job->predictor != NULL ? run_predicted(job, search, found, err)
                                  : stack_search_run(search, found, err);
}

enum status exact_search_run(const struct search_job *job, int n_jobs, struct exact_result **out,
                             struct err *err)
{
    struct stack_search search = search_of(job, n_jobs);
    struct telling telling = {.tables = 0};
    search.stop = interrupt_flag();
    search.told = tell;
    search.told_user = &telling;
    *out = memory_new(1, sizeof **out);
    if (*out == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    progress_init(&telling.progress, "exact front");
    enum status status = run_kind(job, &search, &(*out)->found, err);
    progress_end(&telling.progress);
    return status;
}

const struct stack_candidates *exact_result_found(const struct exact_result *result)
{
    return &result->found;
}

void exact_result_free(struct exact_result *result)
{
    if (result == NULL)
        return;
    stack_candidates_release(&result->found);
    memory_free(result);
}

static enum status store_rows(const struct stack_candidates *found, struct candidate_row *rows,
                              int64_t *ids, struct store *store, int64_t run_id, struct err *err)
{
    for (size_t i = 0; i < found->n; i++) {
        rows[i] = found->candidate[i].row;
        ids[i] = rows[i].id;
    }
    enum status status =
        store_replace_candidates(store, run_id, rows, found->n, (int64_t)found->n, err);
    return status == STATUS_OK ? store_mark_front(store, run_id, ids, found->n, err) : status;
}

enum status exact_result_store(struct exact_result *result, bool is_whole, struct store *store,
                               int64_t run_id, struct err *err)
{
    const struct stack_candidates *found = &result->found;
    struct candidate_row *rows = memory_new(found->n + 1, sizeof *rows);
    int64_t *ids = memory_new(found->n + 1, sizeof *ids);
    enum status status = rows != NULL && ids != NULL
                             ? store_rows(found, rows, ids, store, run_id, err)
                             : err_set(err, STATUS_NOMEM, "out of memory");
    memory_free(rows);
    memory_free(ids);
    if (status == STATUS_OK)
        status = run_record_end(store, run_id, is_whole, err);
    if (status == STATUS_OK && is_whole)
        fprintf(stderr, "%zu on the front: run %lld in '%s'\n", found->n, (long long)run_id,
                store_path(store));
    return status;
}

size_t exact_result_n(const struct exact_result *result)
{
    return result->found.n;
}
