#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/candidate_listing.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/keeper.h"
#include "cli/progress.h"
#include "cli/published_rows.h"
#include "costmodel/device.h"

/* Everything the command line asks for, checked before anything is written. */
struct job {
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
};

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

static enum status add_objective(struct job *job, const char *prefix, const char *name,
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

static enum status read_objectives(const struct args *args, struct job *job, struct err *err)
{
    enum status status = STATUS_OK;
    const char *name;
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "minimize", i)) != NULL; i++)
        status = add_objective(job, "", name, err);
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "maximize", i)) != NULL; i++)
        status = add_objective(job, "max:", name, err);
    if (status == STATUS_OK && job->objectives.n == 0) {
        objectives_default(&job->objectives);
        text_add(&job->objectives_text, "decode_ns,max:params_blocks");
    }
    return status;
}

static enum status read_filter(const struct args *args, struct job *job, struct err *err)
{
    const char *where;
    for (int i = 0; (where = args_nth(args, "where", i)) != NULL; i++)
        text_addf(&job->where_text, "%s%s", i > 0 ? " and " : "", where);
    if (job->where_text.failed)
        return err_set(err, STATUS_NOMEM, "out of memory");
    return filter_parse(job->where_text.data, &job->filter, err);
}

static enum status read_device(const struct args *args, struct job *job, struct err *err)
{
    const char *name = args_nth(args, "device", 0);
    if (name == NULL || args_count(args, "device") != 1)
        return err_set(err, STATUS_USAGE,
                       "a search needs one --device ('lathe devices' lists "
                       "them)");
    enum status status = device_open(name, &job->device, err);
    if (status != STATUS_OK)
        return status;
    return machine_resolve(&job->device, (int)args_int(args, "threads", 0), &job->machine, err);
}

static enum status read_job(const struct args *args, struct job *job, struct err *err)
{
    const char *budget = args_text(args, "budget");
    if (budget == NULL)
        return err_set(err, STATUS_USAGE,
                       "how many parameters? give --budget, like 125M, 125M+-2%% "
                       "or 100M..130M");
    job->workload = (struct workload){.prompt = args_int(args, "prompt", DEFAULT_PROMPT),
                                      .context = args_int(args, "context", DEFAULT_CONTEXT)};
    enum status status = parse_budget(budget, &job->budget, err);
    if (status == STATUS_OK)
        status = keep_parse(args_text(args, "keep"), &job->keep, &job->keep_limit, err);
    if (status == STATUS_OK)
        status = read_objectives(args, job, err);
    if (status == STATUS_OK)
        status = read_filter(args, job, err);
    if (status == STATUS_OK)
        status = read_space(args, &job->space, err);
    if (status == STATUS_OK)
        status = read_device(args, job, err);
    if (status == STATUS_OK && (job->workload.prompt > job->space.max_context ||
                                job->workload.context >= job->space.max_context))
        status = err_set(err, STATUS_RANGE,
                         "--prompt %lld and --context %lld do not fit the space's max_context of "
                         "%lld",
                         (long long)job->workload.prompt, (long long)job->workload.context,
                         (long long)job->space.max_context);
    return status;
}

static enum status store_device(struct store *store, const char *name, const struct device *device,
                                int64_t *id, struct err *err)
{
    char *profile = NULL;
    enum status status = device_text(name, &profile, err);
    if (status != STATUS_OK)
        return status;
    struct device_row row = {.id = ROW_UNKNOWN,
                             .name = device->id,
                             .title = device->name,
                             .kind = device->kind,
                             .unit = device->unit,
                             .runtime = device->runtime,
                             .basis = basis_name(device->basis),
                             .profile = profile};
    status = store_put_device(store, &row, id, err);
    memory_free(profile);
    return status;
}

static enum status begin_run(const struct args *args, const struct job *job, int64_t total,
                             struct store *store, int64_t *run_id, struct err *err)
{
    struct run_row run;
    char *space = space_print(&job->space);
    if (space == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    row_clear(TABLE_RUN, &run);
    run.verb = "search";
    run.command = args_line(args);
    run.version = version_number();
    run.space = space;
    run.device = job->device.id;
    run.budget = args_text(args, "budget");
    run.budget_min = job->budget.min;
    run.budget_max = job->budget.max;
    run.objectives = job->objectives_text.data;
    run.constraints = job->where_text.data;
    run.keep = args_text(args, "keep");
    run.threads = job->machine.threads;
    run.prompt = job->workload.prompt;
    run.context = job->workload.context;
    run.total = total;
    run.finished = 0;
    enum status status =
        store_device(store, args_nth(args, "device", 0), &job->device, &run.device_id, err);
    if (status == STATUS_OK)
        status = store_begin_run(store, &run, err);
    *run_id = run.id;
    memory_free(space);
    return status;
}

struct sink {
    struct keeper keeper;
    struct progress progress;
    int64_t total;
};

static enum status take_batch(const struct candidate *candidates, int64_t n, void *user,
                              struct err *err)
{
    struct sink *sink = user;
    enum status status = keeper_add(&sink->keeper, candidates, n, err);
    progress_update(&sink->progress, sink->keeper.position, sink->total);
    return status;
}

/* An interrupted search stores what it found and is still a failure: it did not do it all. */
static enum status end_run(struct sink *sink, enum status status, struct err *err)
{
    struct keeper *keeper = &sink->keeper;
    progress_end(&sink->progress);
    if (status != STATUS_OK && status != STATUS_INTERRUPTED)
        return status;
    enum status stored = keeper_flush(keeper, err);
    if (stored == STATUS_OK)
        stored = status == STATUS_OK ? store_finish_run(keeper->store, keeper->run_id, err)
                                     : store_interrupt_run(keeper->store, keeper->run_id, err);
    if (stored == STATUS_OK && status == STATUS_INTERRUPTED)
        return err_set(err, status, "interrupted: what was found so far is run %lld in '%s'",
                       (long long)keeper->run_id, store_path(keeper->store));
    return stored;
}

static enum status search(const struct args *args, const struct job *job,
                          const struct enumeration *enumeration, struct store *store,
                          int64_t *run_id, struct err *err)
{
    struct sink sink = {.total = enumeration->count};
    struct enumerate_options options = {.n_jobs = (int)args_int(args, "jobs", 0),
                                        .stop = interrupt_flag()};
    enum status status = begin_run(args, job, enumeration->count, store, run_id, err);
    if (status != STATUS_OK)
        return status;
    status = keeper_init(&sink.keeper, job->keep, job->keep_limit, &job->filter, &job->objectives,
                         store, *run_id, err);
    progress_init(&sink.progress, "search");
    if (status == STATUS_OK) {
        status = enumerate_candidates(enumeration, &job->machine, &job->workload, &options,
                                      take_batch, &sink, err);
        status = end_run(&sink, status, err);
    }
    if (status == STATUS_OK || status == STATUS_INTERRUPTED)
        fprintf(stderr, "%lld of them pass, %zu on the front: run %lld in '%s'\n",
                (long long)sink.keeper.n_passed, sink.keeper.front.n, (long long)*run_id,
                store_path(store));
    keeper_release(&sink.keeper);
    return status;
}

/* The best of the run by the first objective. */
static enum status print_best(const struct args *args, const struct job *job, struct store *store,
                              int64_t run_id, struct err *err)
{
    char by[64];
    const char *first = job->objectives_text.data;
    bool most = strncmp(first, "max:", 4) == 0;
    first += most || strncmp(first, "min:", 4) == 0 ? 4 : 0;
    snprintf(by, sizeof by, "%.*s", (int)strcspn(first, ","), first);
    struct candidate_query query = {
        .run_id = run_id, .order_by = by, .descending = most, .limit = args_int(args, "limit", 0)};
    return candidate_listing_print(store, &query, args_flag(args, "json"), err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct job *job = memory_new(1, sizeof *job);
    struct enumeration enumeration = {0};
    struct store *store = NULL;
    int64_t run_id = 0;
    char count[32], least[32], most[32];
    if (job == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = read_job(args, job, err);
    if (status == STATUS_OK)
        status = enumeration_start(&job->space, &job->budget, &enumeration, err);
    if (status != STATUS_OK)
        goto out;
    status = store_open(args_text(args, "db"), STORE_WRITE, &store, err);
    if (status != STATUS_OK)
        goto out;
    fprintf(stderr, "%s architectures of %s to %s parameters on %s\n",
            format_count(enumeration.count, count, sizeof count),
            format_count(job->budget.min, least, sizeof least),
            format_count(job->budget.max, most, sizeof most), job->device.name);
    status = published_store(store, err);
    if (status == STATUS_NOT_FOUND)
        fprintf(stderr, "lathe search: warning: no published figures stored: %s\n", err->message);
    else if (status != STATUS_OK)
        goto out;
    status = search(args, job, &enumeration, store, &run_id, err);
    if (status == STATUS_OK)
        status = print_best(args, job, store, run_id, err);
out:
    store_close(store);
    enumeration_end(&enumeration);
    text_release(&job->objectives_text);
    text_release(&job->where_text);
    memory_free(job);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "budget", "N", NULL, NULL,
        "parameters: 125M (within 2 %), 125M+-5%, 100M..130M"),
    ROW_DEVICE,
    ROW(OPTION_TEXT, "space", "FILE", NULL, "@file",
        "axes of the design space, JSON; default: MobileLLM's family and its surroundings"),
    ROW(OPTION_TEXTS, "where", "EXPR", NULL, NULL,
        "keep only those: 'decode_ms<20 and d_head=64'; may be given again"),
    ROW(OPTION_LIST, "minimize", "A[,B]", NULL, CANDIDATE_COLUMNS,
        "objectives of the front, best rows by the first; default: decode_ns, with "
        "params_blocks maximised"),
    ROW(OPTION_LIST, "maximize", "A[,B]", NULL, CANDIDATE_COLUMNS,
        "objectives, the more the better"),
    ROW(OPTION_TEXT, "keep", "WHAT", "all", "all front top:100",
        "what goes into the database: all, front, or top:N by the first objective"),
    ROW_DB,
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
     "every shape of about 125M parameters, priced and stored in lathe.db"                           },
    {"lathe search --budget 100M..130M --device iphone-13 --dtype q4_0 --keep front --db q4.db",
     "in 4 bits, only the front"                                                                     },
    {"lathe search --budget 350M --device iphone-13 --where 'decode_ms<40' --keep top:1000",
     "the thousand fastest of those that are fast enough"                                            },
    {NULL,                                                                                       NULL},
};

const struct command cmd_search = {
    .name = "search",
    .summary = "price every architecture of a budget on a device and keep the best",
    .operands = "",
    .options = options,
    .examples = examples,
    .about = "The depth is solved for, so nothing outside the budget is visited, and the number of "
             "architectures is known beforehand. Ctrl-C keeps what was found. The file is a SQLite "
             "database that other programs can read, also meanwhile.",
    .run = run,
};
