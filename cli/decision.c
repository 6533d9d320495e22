#include "cli/decision.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "cli/candidate_groups.h"
#include "cli/candidate_rows.h"
#include "cli/loosened.h"
#include "cli/search_job.h"
#include "cli/setting.h"
#include "model/stack_json.h"
#include "search/decide.h"

static enum status read_objectives(const struct run_row *run, struct search_job *job,
                                   struct err *err)
{
    if (run->objectives == NULL)
        return err_set(err, STATUS_INPUT, "run %lld is no search", (long long)run->id);
    return search_job_objectives(run->objectives, job, err);
}

/* The rows of the query by the first objective. */
static enum status read_rows(struct store *store, const struct candidate_query *query,
                             const struct search_job *job, struct decision *out, struct err *err)
{
    char by[64];
    struct candidate_query ordered = *query;
    search_job_first_objective(job, by, sizeof by, &ordered.descending);
    ordered.run_id = out->run_id;
    ordered.order_by = by;
    ordered.front_only = true;
    ordered.limit = 0;
    enum status status = query_candidates(store, &ordered, &out->rows, err);
    if (status == STATUS_OK && out->rows.n == 0)
        status =
            err_set(err, STATUS_NOT_FOUND, "no candidate of the front of run %lld is asked for",
                    (long long)out->run_id);
    return status;
}

static enum status read_candidate(const struct candidate_row *row, struct decision *out,
                                  struct err *err)
{
    struct candidate *candidate = &out->front[out->n];
    enum status status = row_to_candidate(row, 0, candidate, err);
    if (status != STATUS_OK || row->layers == NULL)
        return status;
    status = stack_parse("the candidate", row->layers, row->n_layers, &out->stacks[out->n], err);
    candidate->stack = &out->stacks[out->n];
    return status;
}

/* Of several vocabularies, whose losses are not compared, that of the first. */
static void choose_vocabulary(struct decision *out)
{
    const struct candidate_row *rows = out->rows.data;
    for (size_t i = 1; out->objectives.compare_losses && i < out->rows.n; i++)
        if (rows[i].vocab_size != rows[0].vocab_size)
            out->vocab_size = rows[0].vocab_size;
}

static enum status take_candidates(const struct candidate_groups *groups, struct decision *out,
                                   struct err *err)
{
    const struct candidate_row *rows = out->rows.data;
    size_t width = (size_t)out->objectives.n, most = out->rows.n;
    out->front = memory_new(most, sizeof *out->front);
    out->stacks = memory_new(most, sizeof *out->stacks);
    out->score = memory_new(most * width, sizeof *out->score);
    if (out->front == NULL || out->stacks == NULL || out->score == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu candidates", most);
    choose_vocabulary(out);
    for (int o = 0; o < out->objectives.n; o++)
        out->best[o] = (double)INFINITY;
    for (size_t i = 0; i < most; i++) {
        double *score = &out->score[out->n * width];
        if (out->vocab_size != 0 && rows[i].vocab_size != out->vocab_size)
            continue;
        enum status status = read_candidate(&rows[i], out, err);
        if (status != STATUS_OK)
            return status;
        for (int o = 0; o < out->objectives.n; o++) {
            score[o] = objective_score(&out->objectives, o, &out->front[out->n]);
            out->best[o] = fmin(out->best[o], score[o]);
        }
        if (groups->outdone_by[i] == ALIKE_NONE)
            out->n++;
        else
            stack_release(&out->stacks[out->n]);
    }
    return STATUS_OK;
}

static enum status read_front(struct store *store, const struct candidate_query *query,
                              const struct search_job *job, struct decision *out, struct err *err)
{
    struct candidate_groups groups = {0};
    enum status status = read_rows(store, query, job, out, err);
    if (status != STATUS_OK)
        return status;
    status = candidate_groups_make(store, &out->rows, true, &groups, err);
    if (status == STATUS_OK)
        status = take_candidates(&groups, out, err);
    candidate_groups_release(&groups);
    return status;
}

static enum status choose(size_t k, struct decision *out, struct err *err)
{
    out->picked = memory_new(k + 1, sizeof *out->picked);
    if (out->picked == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = decide_knee(out->score, out->n, out->objectives.n, &out->knee, err);
    return status == STATUS_OK ? decide_pick(out->score, out->n, out->objectives.n, k, out->picked,
                                             &out->n_picked, err)
                               : status;
}

static enum status read_bounds(const struct run_row *run, struct bounds *out, struct err *err)
{
    if (run->budget_min == ROW_UNKNOWN || run->budget_max == ROW_UNKNOWN)
        return err_set(err, STATUS_INPUT, "the run's budget is not in the database");
    out->budget =
        (struct budget){run->budget_min, run->budget_max, (run->budget_min + run->budget_max) / 2};
    enum status status = run_space(run, &out->space, err);
    return status == STATUS_OK ? filter_parse(run->constraints, &out->filter, err) : status;
}

/* The least score of an objective. */
static double best_of(const double *score, size_t n, int n_objectives, int o)
{
    double best = (double)INFINITY;
    for (size_t i = 0; i < n; i++)
        best = fmin(best, score[i * (size_t)n_objectives + (size_t)o]);
    return best;
}

static void compare(const struct decision *decision, const struct loosened_front *with,
                    struct loosening *out)
{
    int m = decision->objectives.n;
    const double *knee = &decision->score[decision->knee * (size_t)m];
    for (int o = 0; o < m; o++) {
        double gain = decision->best[o] - best_of(with->score, with->n, m, o);
        out->at_knee[o] = decide_gain(with->score, with->n, m, knee, o);
        out->at_best[o] = gain > 0 ? gain : 0;
    }
}

/* What goes wrong is said in its place, unless the user stopped it. */
static enum status loosen(struct store *store, const struct binding *binding,
                          const struct decision *decision, struct loosening *out, struct err *err)
{
    struct loosened_front with = {0};
    struct err inner = {""};
    struct bounds *bounds = memory_new(1, sizeof *bounds);
    if (bounds == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    *bounds = *decision->bounds;
    binding_loosen(binding, bounds);
    enum status status =
        loosened_front_search(store, decision->run_id, bounds, decision->vocab_size, &with, &inner);
    if (status == STATUS_OK)
        compare(decision, &with, out);
    else
        snprintf(out->not_searched, sizeof out->not_searched, "%.250s", inner.message);
    loosened_front_release(&with);
    memory_free(bounds);
    return status == STATUS_INTERRUPTED ? err_set(err, status, "interrupted") : STATUS_OK;
}

static enum status loosen_all(struct store *store, bool is_part, struct decision *out,
                              struct err *err)
{
    enum status status = STATUS_OK;
    for (int b = 0; b < out->n_bindings && status == STATUS_OK; b++) {
        struct loosening *loosening = &out->loosening[b];
        if (isnan(out->binding[b].loosened))
            snprintf(loosening->not_searched, sizeof loosening->not_searched,
                     "the space has nothing beyond");
        else if (is_part)
            snprintf(loosening->not_searched, sizeof loosening->not_searched,
                     "a part of the front is asked for");
        else
            status = loosen(store, &out->binding[b], out, loosening, err);
    }
    return status;
}

static enum status look_at_bounds(struct store *store, const struct run_row *run, bool is_part,
                                  struct decision *out, struct err *err)
{
    struct err inner = {""};
    out->bounds = memory_new(1, sizeof *out->bounds);
    if (out->bounds == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    if (read_bounds(run, out->bounds, &inner) != STATUS_OK) {
        snprintf(out->why_no_bounds, sizeof out->why_no_bounds, "%.250s", inner.message);
        return STATUS_OK;
    }
    out->n_bindings = bindings_find(out->bounds, out->front, out->n, out->binding);
    return loosen_all(store, is_part, out, err);
}

enum status decision_make(struct store *store, const struct candidate_query *query, size_t k,
                          struct decision *out, struct err *err)
{
    struct rows runs = {0};
    struct search_job *job = memory_new(1, sizeof *job);
    *out = (struct decision){0};
    if (job == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status;
    if ((status = read_run(store, query->run_id, &runs, err)))
        goto out;
    const struct run_row *run = runs.data;
    out->run_id = run->id;
    if ((status = read_objectives(run, job, err)))
        goto out;
    out->objectives = job->objectives;
    if ((status = read_front(store, query, job, out, err)) || (status = choose(k, out, err)))
        goto out;
    status = look_at_bounds(store, run, query->where != NULL, out, err);
out:
    rows_release(&runs);
    search_job_release(job);
    memory_free(job);
    return status;
}

void decision_release(struct decision *decision)
{
    for (size_t i = 0; decision->stacks != NULL && i < decision->n; i++)
        stack_release(&decision->stacks[i]);
    memory_free(decision->stacks);
    memory_free(decision->front);
    memory_free(decision->score);
    memory_free(decision->picked);
    memory_free(decision->bounds);
    rows_release(&decision->rows);
}
