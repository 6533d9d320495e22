#include "cli/shard_set.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/candidate_rows.h"
#include "db/query.h"

enum { PAGE_ROWS = 8192 };

static enum status open_shard(struct shard *shard, struct err *err)
{
    enum status status = store_open(shard->path, STORE_READ, &shard->store, err);
    if (status == STATUS_OK)
        status = stored_run_read(shard->store, 0, &shard->stored, err);
    if (status == STATUS_OK && shard->stored.run->n_shards == ROW_UNKNOWN)
        status =
            err_set(err, STATUS_INPUT,
                    "'%s': its latest search, run %lld, is a whole one, not a part that --shard "
                    "or lathe-mpi made",
                    shard->path, (long long)shard->stored.run->id);
    return status;
}

enum status shard_set_open(struct shard_set *set, const char *const *paths, size_t n,
                           struct err *err)
{
    enum status status = STATUS_OK;
    set->shard = memory_new(n, sizeof *set->shard);
    if (set->shard == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (set->n = 0; set->n < n && status == STATUS_OK; set->n++) {
        set->shard[set->n].path = paths[set->n];
        status = open_shard(&set->shard[set->n], err);
    }
    if (status != STATUS_OK)
        return status;
    return search_job_of_run(set->shard[0].store, set->shard[0].stored.run->id, &set->job, err);
}

void shard_set_release(struct shard_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        stored_run_release(&set->shard[i].stored);
        store_close(set->shard[i].store);
    }
    memory_free(set->shard);
    search_job_release(&set->job);
}

/* ---- are they parts of one search? ---- */

/* The part of a long text that differs, with a little before it, on one line. */
static void excerpt(const char *text, size_t differs_at, char *out, size_t size)
{
    enum { BEFORE = 16, LENGTH = 48 };
    const size_t from = differs_at > BEFORE ? differs_at - BEFORE : 0;
    const bool is_cut = strlen(text + from) > LENGTH;
    snprintf(out, size, "%s%.*s%s", from > 0 ? "..." : "", LENGTH, text + from,
             is_cut ? "..." : "");
    char *end = out;
    for (const char *c = out; *c != 0; c++)
        if (!isspace((unsigned char)*c))
            *end++ = *c;
        else if (end > out && end[-1] != ' ')
            *end++ = ' ';
    *end = 0;
}

static void compare_texts(const struct shard *first, const struct shard *other, const char *name,
                          const char *a, const char *b, struct text *problems)
{
    char of_first[96], of_other[96];
    size_t at = 0;
    if (strcmp(a, b) == 0)
        return;
    while (a[at] != 0 && a[at] == b[at])
        at++;
    excerpt(a, at, of_first, sizeof of_first);
    excerpt(b, at, of_other, sizeof of_other);
    text_addf(problems, "'%s' differs from '%s' in %s: '%s', not '%s'\n", other->path, first->path,
              name, of_other, of_first);
}

static void compare_trait(const struct shard *first, const struct shard *other, int trait,
                          struct text *problems)
{
    struct text a = {0}, b = {0};
    run_trait(&first->stored, trait, &a);
    run_trait(&other->stored, trait, &b);
    problems->failed |= a.failed || b.failed;
    if (!problems->failed)
        compare_texts(first, other, run_trait_name(trait), a.data != NULL ? a.data : "",
                      b.data != NULL ? b.data : "", problems);
    text_release(&a);
    text_release(&b);
}

static void compare(const struct shard *first, const struct shard *other, struct text *problems)
{
    const struct run_row *a = first->stored.run, *b = other->stored.run;
    char of_first[32], of_other[32];
    for (int i = 0; i < N_RUN_TRAITS; i++)
        compare_trait(first, other, i, problems);
    snprintf(of_first, sizeof of_first, "%lld", (long long)a->n_shards);
    snprintf(of_other, sizeof of_other, "%lld", (long long)b->n_shards);
    compare_texts(first, other, "number of parts", of_first, of_other, problems);
    compare_texts(first, other, "how it was shared out",
                  a->parts != NULL ? "by lathe-mpi" : "by --shard",
                  b->parts != NULL ? "by lathe-mpi" : "by --shard", problems);
}

static void check_finished(const struct shard *shard, struct text *problems)
{
    const struct run_row *run = shard->stored.run;
    if (run->finished == 1)
        return;
    text_addf(problems, "'%s', part %lld of %lld, is not finished: ", shard->path,
              (long long)run->shard, (long long)run->n_shards);
    if (run->parts == NULL)
        text_addf(problems, "lathe search --resume %lld --db %s\n", (long long)run->id,
                  shard->path);
    else
        text_addf(problems, "mpirun -n %lld lathe-mpi search --resume %lld --db ...\n",
                  (long long)run->n_shards, (long long)run->id);
}

static const struct shard *find_part(const struct shard_set *set, size_t n, int64_t part)
{
    for (size_t i = 0; i < n; i++)
        if (set->shard[i].stored.run->shard == part)
            return &set->shard[i];
    return NULL;
}

static void check_numbers(const struct shard_set *set, struct text *problems)
{
    const int64_t n_parts = set->shard[0].stored.run->n_shards;
    int64_t n_missing = 0;
    struct text missing = {0};
    for (size_t i = 0; i < set->n; i++) {
        const int64_t part = set->shard[i].stored.run->shard;
        const struct shard *same = find_part(set, i, part);
        if (same != NULL)
            text_addf(problems, "part %lld of %lld is there twice: '%s' and '%s'\n",
                      (long long)part, (long long)n_parts, same->path, set->shard[i].path);
    }
    for (int64_t part = 1; part <= n_parts; part++)
        if (find_part(set, set->n, part) == NULL && n_missing++ < 8)
            text_addf(&missing, "%s%lld", n_missing > 1 ? ", " : "", (long long)part);
    if (n_missing > 0 && !missing.failed)
        text_addf(problems, "part %s%s of %lld %s missing\n", missing.data,
                  n_missing > 8 ? " and others" : "", (long long)n_parts,
                  n_missing > 1 ? "are" : "is");
    problems->failed |= missing.failed;
    text_release(&missing);
}

/* Of processes that took what was next: whose ids are whose is in their rows. Files of two searches
 * with the same settings would pass all other checks. */
static enum status check_ids(const struct shard_set *set, struct text *problems)
{
    struct ranges all = {0};
    struct range gap;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < set->n && status == STATUS_OK; i++) {
        struct ranges own = {0};
        const struct range *both = NULL;
        status = ranges_parse(&own, "parts", set->shard[i].stored.run->parts, NULL);
        for (size_t r = 0; r < own.n && status == STATUS_OK; r++) {
            if (both == NULL && (both = ranges_meet(&all, own.range[r].first, own.range[r].end)))
                text_addf(problems,
                          "'%s' has candidates that another file has too, like %lld: they are of "
                          "two searches\n",
                          set->shard[i].path,
                          (long long)(both->first > own.range[r].first ? both->first
                                                                       : own.range[r].first));
            status = ranges_add(&all, own.range[r].first, own.range[r].end, NULL);
        }
        ranges_release(&own);
    }
    if (status == STATUS_OK && ranges_first_gap(&all, set->shard[0].stored.run->total, &gap))
        text_addf(problems, "candidates %lld to %lld are in no file: they are of two searches\n",
                  (long long)gap.first, (long long)gap.end - 1);
    ranges_release(&all);
    return status;
}

void shard_set_check(const struct shard_set *set, struct text *problems)
{
    for (size_t i = 1; i < set->n; i++)
        compare(&set->shard[0], &set->shard[i], problems);
    if (problems->length > 0)
        return;
    check_numbers(set, problems);
    for (size_t i = 0; i < set->n; i++)
        check_finished(&set->shard[i], problems);
    if (problems->length == 0 && set->shard[0].stored.run->parts != NULL &&
        check_ids(set, problems) != STATUS_OK)
        problems->failed = true;
}

/* ---- putting them together ---- */

/* Ids that are kept, ascending; `is_all`: whatever they are. */
struct ids {
    bool is_all;
    size_t n, capacity;
    int64_t *id;
};

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static enum status ids_of(const struct candidate *member, size_t n, struct ids *out,
                          struct err *err)
{
    out->id = memory_new(n, sizeof *out->id);
    if (out->id == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    out->n = n;
    for (size_t i = 0; i < n; i++)
        out->id[i] = member[i].row.id;
    qsort(out->id, n, sizeof *out->id, by_id);
    return STATUS_OK;
}

static bool ids_have(const struct ids *ids, int64_t id)
{
    return ids->is_all || bsearch(&id, ids->id, ids->n, sizeof *ids->id, by_id) != NULL;
}

/* Gets rows of one shard; they last until it returns. */
typedef enum status each_rows(void *user, struct candidate_row *rows, size_t n, struct err *err);

/* Hands over all rows of a shard, or those on its front, some at a time. */
static enum status each_page(const struct shard *shard, bool front_only,
                             volatile sig_atomic_t *stop, each_rows *take, void *user,
                             struct err *err)
{
    int64_t next = 0;
    enum status status = STATUS_OK;
    for (bool more = true; more && status == STATUS_OK;) {
        struct rows rows = {0};
        const struct candidate_query query = {.run_id = shard->stored.run->id,
                                              .first_id = next,
                                              .front_only = front_only,
                                              .limit = PAGE_ROWS};
        if (stop != NULL && *stop)
            return err_set(err, STATUS_INTERRUPTED, "interrupted");
        status = query_candidates(shard->store, &query, &rows, err);
        struct candidate_row *row = rows.data;
        if (status == STATUS_OK && rows.n > 0) {
            next = row[rows.n - 1].id + 1;
            status = take(user, row, rows.n, err);
        }
        more = status == STATUS_OK && rows.n == PAGE_ROWS;
        rows_release(&rows);
    }
    return status;
}

struct selection {
    const struct search_job *job;
    struct front front;
    struct top top;
    struct ids kept, on_front;
};

static enum status add_to_top(void *user, struct candidate_row *rows, size_t n, struct err *err)
{
    struct selection *selection = user;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        struct candidate candidate;
        status = row_to_candidate(&rows[i], 0, &candidate, err);
        if (status == STATUS_OK)
            top_add(&selection->top, &candidate);
    }
    return status;
}

/* Whatever dominates a row comes before it in the order of top:N too. So the front of the rows that
 * are on a part's front, of those kept, is the front of all. */
static enum status add_to_front(void *user, struct candidate_row *rows, size_t n, struct err *err)
{
    struct selection *selection = user;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        struct candidate candidate;
        if (!ids_have(&selection->kept, rows[i].id))
            continue;
        status = row_to_candidate(&rows[i], 0, &candidate, err);
        if (status == STATUS_OK)
            status = front_add(&selection->front, &candidate, err);
    }
    return status;
}

/* Of the candidates in top and front only numbers and ids are looked at: their texts are gone with
 * the page. */
static enum status select_rows(const struct shard_set *set, struct selection *out,
                               volatile sig_atomic_t *stop, struct err *err)
{
    const struct search_job *job = &set->job;
    enum status status = STATUS_OK;
    out->job = job;
    out->kept.is_all = job->keep != KEEP_TOP;
    front_init(&out->front, &job->objectives);
    if (job->keep == KEEP_TOP) {
        status = top_init(&out->top, &job->objectives, (size_t)job->keep_limit, err);
        for (size_t i = 0; i < set->n && status == STATUS_OK; i++)
            status = each_page(&set->shard[i], false, stop, add_to_top, out, err);
        if (status == STATUS_OK)
            status = ids_of(out->top.member, out->top.n, &out->kept, err);
    }
    for (size_t i = 0; i < set->n && status == STATUS_OK; i++)
        status = each_page(&set->shard[i], true, stop, add_to_front, out, err);
    if (status == STATUS_OK)
        status = ids_of(out->front.member, out->front.n, &out->on_front, err);
    return status;
}

static void selection_release(struct selection *selection)
{
    front_release(&selection->front);
    top_release(&selection->top);
    memory_free(selection->kept.id);
    memory_free(selection->on_front.id);
}

struct copier {
    const struct selection *selection;
    struct store *out;
    int64_t run_id, total, n_rows;
};

static enum status copy_rows(void *user, struct candidate_row *rows, size_t n, struct err *err)
{
    struct copier *copier = user;
    const struct selection *selection = copier->selection;
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        const bool is_on_front = ids_have(&selection->on_front, rows[i].id);
        if (selection->job->keep == KEEP_FRONT ? !is_on_front
                                               : !ids_have(&selection->kept, rows[i].id))
            continue;
        rows[n_kept] = rows[i];
        rows[n_kept++].on_front = is_on_front;
    }
    copier->n_rows += (int64_t)n_kept;
    return store_put_candidates(copier->out, copier->run_id, rows, n_kept, copier->total, err);
}

enum status shard_set_join(struct shard_set *set, struct store *out, int64_t run_id,
                           volatile sig_atomic_t *stop, int64_t *n_rows, size_t *n_front,
                           struct err *err)
{
    struct selection selection = {0};
    struct copier copier = {&selection, out, run_id, set->shard[0].stored.run->total, 0};
    enum status status = select_rows(set, &selection, stop, err);
    for (size_t i = 0; i < set->n && status == STATUS_OK; i++)
        status = each_page(&set->shard[i], false, stop, copy_rows, &copier, err);
    if (status == STATUS_OK && copier.n_rows == 0)
        status = store_put_candidates(out, run_id, NULL, 0, copier.total, err);
    *n_rows = copier.n_rows;
    *n_front = selection.front.n;
    selection_release(&selection);
    return status;
}
