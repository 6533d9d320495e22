#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "cli/best_search.h"
#include "cli/candidate_listing.h"
#include "cli/commands.h"
#include "cli/exact_search.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/published_rows.h"
#include "cli/run_record.h"
#include "cli/search_job.h"
#include "cli/setting.h"
#include "device/device.h"

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

static enum status begin_run(const struct args *args, const struct search_job *job, int64_t total,
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
    run.method = !search_job_is_exact(job) ? "enumerated" : job->eps > 0 ? "within" : "exact";
    if (search_job_is_exact(job))
        run.eps = job->eps;
    run.scores = job->scores_text;
    run.threads = job->machine.threads;
    run.prompt = job->workload.prompt;
    run.context = job->workload.context;
    run.total = total;
    run.finished = 0;
    if (!search_job_is_exact(job) || search_job_scores_by_law(job))
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

struct search_sink {
    struct keeper keeper;
    struct progress progress;
    int64_t total;
};

static enum status take_batch(const struct candidate *candidates, int64_t n, void *user,
                              struct err *err)
{
    struct search_sink *sink = user;
    enum status status = keeper_add(&sink->keeper, candidates, n, err);
    progress_update(&sink->progress, sink->keeper.position, sink->total);
    return status;
}

/* Every candidate becomes a row. */
static enum status search_all(const struct search_job *job, const struct enumeration *enumeration,
                              int n_jobs, struct search_sink *sink, struct err *err)
{
    struct enumerate_options options = {
        .n_jobs = n_jobs, .loss = search_job_loss(job), .stop = interrupt_flag()};
    return enumerate_candidates(enumeration, &job->machine, &job->workload, &options, take_batch,
                                sink, err);
}

/* An interrupted search stores what it found and is still a failure: it did not do it all. */
static enum status end_run(struct search_sink *sink, enum status status, struct err *err)
{
    struct keeper *keeper = &sink->keeper;
    progress_end(&sink->progress);
    if (status != STATUS_OK && status != STATUS_INTERRUPTED)
        return status;
    enum status stored = keeper_flush(keeper, err);
    if (stored == STATUS_OK)
        stored = run_record_end(keeper->store, keeper->run_id, status == STATUS_OK, err);
    if (stored == STATUS_OK && status == STATUS_INTERRUPTED)
        return err_set(err, status, "interrupted: what was found so far is run %lld in '%s'",
                       (long long)keeper->run_id, store_path(keeper->store));
    return stored;
}

/* Begins a run, or takes up again the one that --resume names. */
static enum status open_run(const struct args *args, const struct search_job *job, int64_t total,
                            struct store *store, int64_t *run_id, struct err *err)
{
    if (args_text(args, "resume") == NULL)
        return begin_run(args, job, total, store, run_id, err);
    return store_resume_run(store, *run_id, err);
}

/* A resumed search prices what was stored once more: that takes a fraction of the time it took to
 * store it, and the front is whole again. */
static enum status search(const struct args *args, const struct search_job *job,
                          const struct enumeration *enumeration, struct store *store,
                          int64_t *run_id, struct err *err)
{
    struct search_sink sink = {.total = enumeration->count};
    int n_jobs = (int)args_int(args, "jobs", 0);
    enum status status = open_run(args, job, enumeration->count, store, run_id, err);
    if (status != STATUS_OK)
        return status;
    status = keeper_init(&sink.keeper, job->keep, job->keep_limit, &job->filter, &job->objectives,
                         search_job_loss(job), store, *run_id, err);
    sink.keeper.stored = job->stored;
    progress_init(&sink.progress, "search");
    if (status == STATUS_OK) {
        status = job->keep == KEEP_ALL ? search_all(job, enumeration, n_jobs, &sink, err)
                                       : best_search(job, enumeration, n_jobs, interrupt_flag(),
                                                     &sink.keeper, &sink.progress, err);
        status = end_run(&sink, status, err);
    }
    if (status == STATUS_OK || status == STATUS_INTERRUPTED)
        fprintf(stderr, "%lld of them pass, %zu on the front: run %lld in '%s'\n",
                (long long)sink.keeper.n_passed, sink.keeper.front.n, (long long)*run_id,
                store_path(store));
    keeper_release(&sink.keeper);
    return status;
}

/* The run begins when there is something to store: a search that finds nothing leaves none. One that
 * is resumed starts again. */
static enum status search_exactly(const struct args *args, const struct search_job *job,
                                  struct store *store, int64_t *run_id, struct err *err)
{
    struct exact_result *result = NULL;
    struct err stored_err;
    enum status status = exact_search_run(job, (int)args_int(args, "jobs", 0), &result, err);
    bool is_whole = status == STATUS_OK;
    if (is_whole || status == STATUS_INTERRUPTED) {
        enum status stored = open_run(args, job, ROW_UNKNOWN, store, run_id, &stored_err);
        if (stored == STATUS_OK)
            stored = exact_result_store(result, is_whole, store, *run_id, &stored_err);
        if (stored != STATUS_OK)
            status = err_set(err, stored, "%s", stored_err.message);
        else if (!is_whole)
            err_set(err, status, "interrupted: what was found so far is run %lld in '%s'",
                    (long long)*run_id, store_path(store));
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
static enum status print_front(const struct args *args, const struct search_job *job,
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

static enum status resume(const struct args *args, struct search_job *job,
                          struct enumeration *enumeration, struct store **store, int64_t *run_id,
                          struct err *err)
{
    static const char *const begun_with[] = {
        "budget", "device",           "space",     "where",   "minimize", "maximize", "keep",
        "dtype",  "kv-dtype",         "prompt",    "context", "threads",  "law",      "recipe",
        "tokens", "tokens-per-param", "reference", "exact",   "eps",      "scores"};
    enum status status;
    for (size_t i = 0; i < sizeof begun_with / sizeof *begun_with; i++)
        if (args_given(args, begun_with[i]))
            return err_set(err, STATUS_USAGE, "a resumed search is as it was begun: leave out --%s",
                           begun_with[i]);
    if ((status = store_open(args_text(args, "db"), STORE_WRITE, store, err)) ||
        (status = resume_id(args, *store, run_id, err)) ||
        (status = search_job_of_run(*store, *run_id, job, err)))
        return status;
    if (search_job_is_exact(job))
        return exact_search_check(job, err);
    if ((status = enumeration_start(&job->space, &job->budget, enumeration, err)))
        return status;
    if (enumeration->count == job->total)
        return STATUS_OK;
    return err_set(err, STATUS_INPUT,
                   "run %lld was begun by lathe %s over %lld architectures, this one counts %lld: "
                   "start a new search",
                   (long long)*run_id, job->version, (long long)job->total,
                   (long long)enumeration->count);
}

/* A new search is checked in full before its database is touched; a resumed one comes from there.
 */
static enum status prepare(const struct args *args, struct search_job *job,
                           struct enumeration *enumeration, struct store **store, int64_t *run_id,
                           struct err *err)
{
    enum status status;
    if (args_text(args, "resume") != NULL)
        return resume(args, job, enumeration, store, run_id, err);
    if ((status = search_job_of_options(args, job, err)) ||
        (status = search_job_is_exact(job)
                      ? exact_search_check(job, err)
                      : enumeration_start(&job->space, &job->budget, enumeration, err)))
        return status;
    return store_open(args_text(args, "db"), STORE_WRITE, store, err);
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

static enum status run(const struct args *args, struct err *err)
{
    struct search_job *job = memory_new(1, sizeof *job);
    struct enumeration enumeration = {0};
    struct store *store = NULL;
    int64_t run_id = 0;
    char count[32], least[32], most[32];
    if (job == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = prepare(args, job, &enumeration, &store, &run_id, err);
    if (status == STATUS_OK && search_job_is_exact(job)) {
        status = search_exactly(args, job, store, &run_id, err);
        if (status == STATUS_OK)
            status = print_front(args, job, store, run_id, err);
        goto out;
    }
    if (status == STATUS_OK)
        status = search_job_scale(job, &enumeration, (int)args_int(args, "jobs", 0), err);
    if (status != STATUS_OK)
        goto out;
    fprintf(stderr, "%s architectures of %s to %s parameters on %s\n",
            format_count(enumeration.count, count, sizeof count),
            format_count(job->budget.min, least, sizeof least),
            format_count(job->budget.max, most, sizeof most), job->device.name);
    if (search_job_loss(job) != NULL)
        say_loss(job);
    warn_of_vocabularies(args, job);
    status = published_store(store, err);
    if (status == STATUS_NOT_FOUND)
        warn(args, "no published figures stored: %s", err->message);
    else if (status != STATUS_OK)
        goto out;
    status = search(args, job, &enumeration, store, &run_id, err);
    if (status == STATUS_OK)
        status = print_front(args, job, store, run_id, err);
out:
    store_close(store);
    enumeration_end(&enumeration);
    search_job_release(job);
    memory_free(job);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "budget", "N", NULL, NULL,
        "parameters: 125M (within 2 %), 125M+-5%, 100M..130M"),
    ROW_DEVICE,
    ROW(OPTION_TEXT, "space", "FILE", NULL, "@file",
        "axes of the design space, JSON; default: MobileLLM's family and its surroundings; "
        "'layers': a built-in one whose layers differ"),
    ROW_FLAG("exact", "the exact front of a space whose layers differ, as is the default there"),
    ROW(OPTION_TEXT, "eps", "E", NULL, NULL,
        "of such a space: a front that misses nothing better by more than 1 + E"),
    ROW(OPTION_TEXT, "scores", "FILE", NULL, "@file",
        "of such a space: CSV with place, layer and score (or loss); their sum is the metric "
        "'score'"),
    ROW(OPTION_TEXTS, "where", "EXPR", NULL, NULL,
        "keep only those: 'decode_ms<20 and d_head=64'; may be given again"),
    ROW(OPTION_LIST, "minimize", "A[,B]", NULL, "@metric",
        "objectives of the front, best rows by the first; default: decode_ns,loss_delta_nats; "
        "where layers differ decode_ns, and score maximized"),
    ROW(OPTION_LIST, "maximize", "A[,B]", NULL, "@metric", "objectives, the more the better"),
    ROW(OPTION_TEXT, "keep", "WHAT", "all", "all front top:100",
        "what goes into the database: all, front, or top:N by the first objective"),
    ROW(OPTION_TEXT, "resume", "RUN", NULL, NULL,
        "go on with a run of --db that did not finish: its number, or latest"),
    ROW_DB,
    ROWS_QUALITY,
    ROW_DTYPE,
    ROW_KV_DTYPE,
    ROW_PROMPT,
    ROW_CONTEXT,
    ROW_THREADS,
    ROW_RANGE(OPTION_INT, "jobs", "N", NULL, 1, 1024,
              "threads of the search itself; default: all of this machine"),
    ROW_LIMIT,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe search --budget 125M --device iphone-13",
     "every shape of about 125M parameters, priced and stored in lathe.db"},
    {"lathe search --budget 100M..130M --device iphone-13 --dtype q4_0 --keep front --db q4.db",
     "in 4 bits, only the front"},
    {"lathe search --space layers --budget 125M --device iphone-13 --minimize decode_ns,kv_bytes",
     "the exact front of 1.5e56 stacks whose layers differ"},
    {"lathe search --budget 350M --device iphone-13 --where 'decode_ms<40' --keep top:1000",
     "the thousand fastest of those that are fast enough"},
    {"lathe search --resume latest --db q4.db",
     "go on with a search that was interrupted or killed"},
    {NULL, NULL},
};

const struct command cmd_search = {
    .name = "search",
    .summary = "price every architecture of a budget on a device and keep the best",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "The depth is solved for, so nothing outside the budget is visited, and the number of "
        "architectures is known beforehand. Losses are those of a law fitted to published runs "
        "('lathe quality show'), as differences to a reference, in nats a token: below 0 is "
        "better. Those of two vocabularies are never compared: each has its own best as the "
        "reference. Ctrl-C keeps what was found. The file is a SQLite "
        "database that other programs can read, also meanwhile.",
    .run = run,
};
