#include "cli/search_report.h"

#include <stdio.h>

#include "base/quantity.h"
#include "base/text.h"
#include "cli/candidate_listing.h"
#include "cli/search_crew.h"

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

void search_say_start(const struct search *search)
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
    else if (job->loss.no_law.message[0] != '\0')
        warn(search->args, "losses stay unknown: %s", job->loss.no_law.message);
    warn_of_vocabularies(search->args, job);
}

void search_say_how_to_merge(const struct search *search)
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
