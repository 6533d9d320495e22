#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/published_rows.h"
#include "cli/run_record.h"
#include "cli/search_report.h"
#include "cli/shard_set.h"

static enum status open_shards(const struct args *args, struct shard_set *set, struct err *err)
{
    const size_t n = (size_t)args_n_operands(args) - 1;
    const char **paths = memory_new(n, sizeof *paths);
    if (paths == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        paths[i] = args_operand(args, (int)i + 1);
    enum status status = shard_set_open(set, paths, n, err);
    memory_free(paths);
    return status;
}

/* Each problem is a line of its own. */
static enum status check(const struct shard_set *set, struct err *err)
{
    struct text problems = {0};
    enum status status = STATUS_OK;
    shard_set_check(set, &problems);
    if (problems.failed)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    else if (problems.length > 0)
        status =
            err_set(err, STATUS_INPUT, "these are not all parts of one search: nothing written");
    if (problems.length > 0 && !problems.failed)
        fprintf(stderr, "%s", problems.data);
    text_release(&problems);
    return status;
}

static enum status fill(const struct args *args, struct shard_set *set, struct store *store,
                        int64_t *run_id, struct err *err)
{
    const struct stored_run *first = &set->shard[0].stored;
    int64_t n_rows = 0;
    size_t n_front = 0;
    enum status status = published_store(store, err);
    if (status == STATUS_NOT_FOUND)
        warn(args, "no published figures stored: %s", err->message);
    else if (status != STATUS_OK)
        return status;
    if ((status = joined_run_begin(first, args_line(args), first->run->keep, store, run_id, err)) ||
        (status = shard_set_join(set, store, *run_id, interrupt_flag(), &n_rows, &n_front, err)) ||
        (status = run_record_end(store, *run_id, true, err)))
        return status;
    fprintf(stderr, "%lld rows of %zu files, %zu on the front: run %lld in '%s'\n",
            (long long)n_rows, set->n, n_front, (long long)*run_id, args_operand(args, 0));
    return STATUS_OK;
}

/* Written beside its name and renamed there when it is whole. */
static enum status write_merged(const struct args *args, struct shard_set *set, struct err *err)
{
    char beside[4096];
    const char *path = args_operand(args, 0);
    struct store *store = NULL;
    int64_t run_id = 0;
    const int length = snprintf(beside, sizeof beside, "%s.part-%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof beside)
        return err_set(err, STATUS_RANGE, "cannot create '%.100s...': the path is too long", path);
    enum status status = store_open(beside, STORE_WRITE, &store, err);
    if (status != STATUS_OK)
        return status;
    status = fill(args, set, store, &run_id, err);
    store_close(store);
    errno = 0;
    if (status == STATUS_OK && rename(beside, path) != 0)
        status = err_errno(err, "cannot create '%s'", path);
    if (status != STATUS_OK) {
        store_remove(beside);
        return status;
    }
    if ((status = store_open(path, STORE_READ, &store, err)))
        return status;
    status = search_print_front(args, &set->job, store, run_id, err);
    store_close(store);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct shard_set set = {0};
    enum status status;
    if (file_exists(args_operand(args, 0)))
        return err_set(err, STATUS_USAGE,
                       "'%s' is there already: the first name is that of a new file",
                       args_operand(args, 0));
    status = open_shards(args, &set, err);
    if (status == STATUS_OK)
        status = check(&set, err);
    if (status == STATUS_OK)
        status = write_merged(args, &set, err);
    shard_set_release(&set);
    return status;
}

static const struct option options[] = {ROW_LIMIT, ROW_JSON, ROWS_END};

static const struct example examples[] = {
    {"lathe merge all.db 1.db 2.db 3.db 4.db", "what 'lathe search --shard 1/4' to 4/4 stored"},
    {"lathe merge all.db s.*-of-8.db", "what eight processes of lathe-mpi kept"},
    {NULL, NULL},
};

const struct command cmd_merge = {
    .name = "merge",
    .summary = "put the parts of a search together that machines did",
    .operands = "OUT.db PART.db...",
    .operand_values = "@file",
    .min_operands = 2,
    .max_operands = 100001,
    .options = options,
    .examples = examples,
    .about =
        "The latest search of each file must be a part of one and the same search: space, budget, "
        "device profile, law, reference, objectives, constraints, what is kept and the version of "
        "lathe are held against each other, and every part must be there once and finished. What "
        "comes out is what one process would have stored, row for row, with the front of all. The "
        "new file appears when it is whole.",
    .run = run,
};
