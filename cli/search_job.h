/* What a search is to do: read from the command line, or from the row of a run that did not finish.
 */
#ifndef LATHE_CLI_SEARCH_JOB_H
#define LATHE_CLI_SEARCH_JOB_H

#include "base/csv.h"
#include "base/quantity.h"
#include "base/ranges.h"
#include "base/text.h"
#include "cli/keeper.h"
#include "cli/loss_setting.h"
#include "cli/options.h"
#include "costmodel/price.h"
#include "db/store.h"
#include "device/machine.h"
#include "search/space.h"

/* A run's `reference`, unless the user named one. */
#define BEST_OF_SEARCH "the best of the search"

struct search_job {
    struct budget budget;
    struct space space;
    struct device device;
    struct machine machine;
    struct workload workload;
    struct filter filter;
    struct objectives objectives;
    struct text objectives_text, where_text;
    enum keep_kind keep;
    int64_t keep_limit;
    struct loss_setting loss; /* without a law: losses stay unknown */
    struct loss_scale scale;
    bool is_best; /* its reference is the best of the search */
    /* Where the layers of the space differ (search/stack_search.h): */
    double eps;            /* 0: the front is exact */
    struct csv *scores;    /* owned; NULL: none, or the law's ordering */
    char *scores_text;     /* the same as read; owned */
    const char *predictor; /* a command in their place: a heuristic search; NULL: none */
    struct csv *table;     /* of whole stacks and their scores, in its place; owned; NULL: none */
    double predictor_timeout_s;
    size_t evaluations;
    uint64_t seed;
    bool is_evolved;
    /* Where they do not: */
    int64_t shard, n_shards; /* part 1 .. n_shards of the search; 0, 0: all of it */
    bool has_parts;          /* one of processes that take what is next (cli/crew.h) */
    /* Of a run in the store: */
    bool is_finished;
    struct ranges parts;
    struct text reference_shapes;
    int64_t total;    /* candidates it counted */
    char version[32]; /* of lathe, that began it */
    int64_t stored;   /* candidates before this id are in the store already */
};

/* Everything is checked before anything is written. Release with search_job_release, after errors too. */
enum status search_job_of_options(const struct args *args, struct search_job *job, struct err *err);
/* The job of a run, exactly as it was begun, its device profile included. Errors: STATUS_NOT_FOUND,
 * STATUS_INPUT. */
enum status search_job_of_run(struct store *store, int64_t run_id, struct search_job *job,
                              struct err *err);
/* Of a run's column `objectives`, "decode_ns,max:params_blocks", into job->objectives and its text.
 * Errors: STATUS_INPUT, STATUS_USAGE (a metric that this version does not know), STATUS_NOMEM. */
enum status search_job_objectives(const char *text, struct search_job *job, struct err *err);
/* Sets the scale, where losses are compared: finds the best of the search, or takes what the run that
 * is resumed had. */
enum status search_job_scale(struct search_job *job, const struct enumeration *enumeration,
                             int n_jobs, struct err *err);
/* Begins the run of a job that came from options, with what is needed to resume it.
 *   total  candidates in the space
 * Errors: those of a write (db/store.h). */
enum status search_job_begin(const struct args *args, const struct search_job *job, int64_t total,
                             struct store *store, int64_t *run_id, struct err *err);
/* NULL: no losses are compared. */
const struct loss_scale *search_job_loss(const struct search_job *job);
/* The layers of its space differ: the exact front is searched, or every stack of a scaled one priced. */
static inline bool search_job_is_exact(const struct search_job *job)
{
    return space_has_stacks(&job->space);
}
/* A score is asked for and no table has it: the law's ordering of stacks does. */
bool search_job_scores_by_law(const struct search_job *job);
void search_job_release(struct search_job *job);

/* The first objective as a column to order by; *most: largest first. */
void search_job_first_objective(const struct search_job *job, char *column, size_t size,
                                bool *most);

#endif
