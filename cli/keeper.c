#include "cli/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/quantity.h"

enum { SAVE_EVERY_NS = 1000000000 };

enum status keep_parse(const char *text, enum keep_kind *kind, int64_t *limit, struct err *err)
{
    *limit = 0;
    if (strcmp(text, "all") == 0)
        *kind = KEEP_ALL;
    else if (strcmp(text, "front") == 0)
        *kind = KEEP_FRONT;
    else if (strncmp(text, "top:", 4) == 0 && parse_count(text + 4, limit, NULL) == STATUS_OK &&
             *limit >= 1 && *limit <= 10000000)
        *kind = KEEP_TOP;
    else
        return err_set(err, STATUS_USAGE,
                       "--keep '%s' is unknown: expected all, front or top:N with N from 1 to 10M",
                       text);
    return STATUS_OK;
}

enum status keeper_init(struct keeper *keeper, enum keep_kind kind, int64_t limit,
                        const struct filter *filter, const struct objectives *objectives,
                        const struct loss_scale *loss, struct store *store, int64_t run_id,
                        struct err *err)
{
    *keeper = (struct keeper){.kind = kind,
                              .filter = filter,
                              .loss = loss,
                              .store = store,
                              .run_id = run_id,
                              .saved_ns = clock_ns()};
    front_init(&keeper->front, objectives);
    return kind == KEEP_TOP ? top_init(&keeper->top, objectives, (size_t)limit, err) : STATUS_OK;
}

void keeper_release(struct keeper *keeper)
{
    front_release(&keeper->front);
    if (keeper->kind == KEEP_TOP)
        top_release(&keeper->top);
    memory_free(keeper->rows);
    keeper->rows = NULL;
}

/* The row of a candidate, with the interval of its loss. */
static void to_row(const struct keeper *keeper, const struct candidate *candidate,
                   struct candidate_row *out)
{
    struct quality_shape shape;
    *out = candidate->row;
    if (keeper->loss != NULL && candidate_shape(candidate, &shape))
        loss_scale_widen(keeper->loss, &shape, &out->loss);
}

static enum status to_rows(struct keeper *keeper, const struct candidate *candidates, size_t n,
                           struct err *err)
{
    void *rows = keeper->rows;
    enum status status = memory_grow(&rows, &keeper->rows_capacity, n, sizeof *keeper->rows, err);
    keeper->rows = rows;
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        to_row(keeper, &candidates[i], &keeper->rows[i]);
    return status;
}

bool keeper_is_due(const struct keeper *keeper, int64_t position)
{
    return position > keeper->stored && clock_ns() - keeper->saved_ns > SAVE_EVERY_NS;
}

/* The first n of keeper->rows; `replaces`: in place of all that the run has. */
static enum status store_rows(struct keeper *keeper, size_t n, bool replaces, struct err *err)
{
    return (replaces ? store_replace_candidates : store_put_candidates)(
        keeper->store, keeper->run_id, keeper->rows, n, keeper->position, err);
}

/* Rows and parts reach the file together or not at all. */
static enum status store_rows_and_parts(struct keeper *keeper, size_t n, bool replaces,
                                        struct err *err)
{
    if (keeper->parts == NULL)
        return store_rows(keeper, n, replaces, err);
    enum status status = store_begin_batch(keeper->store, err);
    if (status != STATUS_OK)
        return status;
    char *parts = ranges_print(keeper->parts);
    status = parts != NULL ? store_rows(keeper, n, replaces, err)
                           : err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = store_put_parts(keeper->store, keeper->run_id, parts, err);
    memory_free(parts);
    return store_end_batch(keeper->store, status, err);
}

/* Stores the present front or top in place of the one before. */
enum status keeper_save(struct keeper *keeper, struct err *err)
{
    const struct candidate *best =
        keeper->kind == KEEP_TOP ? keeper->top.member : keeper->front.member;
    size_t n = keeper->kind == KEEP_TOP ? keeper->top.n : keeper->front.n;
    keeper->saved_ns = clock_ns();
    enum status status = to_rows(keeper, best, n, err);
    if (status != STATUS_OK)
        return status;
    return store_rows_and_parts(keeper, n, true, err);
}

enum status keeper_add(struct keeper *keeper, const struct candidate *candidates, int64_t n,
                       struct err *err)
{
    enum status status = STATUS_OK;
    void *rows = keeper->rows;
    if (keeper->kind == KEEP_ALL)
        status = memory_grow(&rows, &keeper->rows_capacity, (size_t)n, sizeof *keeper->rows, err);
    keeper->rows = rows;
    size_t n_rows = 0;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) {
        if (!filter_passes(keeper->filter, &candidates[i]))
            continue;
        keeper->n_passed++;
        status = front_add(&keeper->front, &candidates[i], err);
        if (keeper->kind == KEEP_TOP)
            top_add(&keeper->top, &candidates[i]);
        if (keeper->kind == KEEP_ALL && candidates[i].row.id >= keeper->stored)
            to_row(keeper, &candidates[i], &keeper->rows[n_rows++]);
    }
    if (status != STATUS_OK || n == 0)
        return status;
    keeper->position = candidates[n - 1].row.id + 1;
    if (keeper->position <= keeper->stored)
        return STATUS_OK;
    if (keeper->parts != NULL &&
        (status = ranges_add(keeper->parts, candidates[0].row.id, keeper->position, err)))
        return status;
    if (keeper->kind == KEEP_ALL)
        return store_rows_and_parts(keeper, n_rows, false, err);
    return keeper_is_due(keeper, keeper->position) ? keeper_save(keeper, err) : STATUS_OK;
}

enum status keeper_replace(struct keeper *keeper, const struct candidate *candidates, size_t n,
                           int64_t n_passed, int64_t position, struct err *err)
{
    enum status status = STATUS_OK;
    keeper->front.n = keeper->top.n = 0;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        status = front_add(&keeper->front, &candidates[i], err);
        if (keeper->kind == KEEP_TOP)
            top_add(&keeper->top, &candidates[i]);
    }
    keeper->n_passed = n_passed;
    keeper->position = position;
    return status;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Ids of the front, of which only those are in the store that the top kept. */
static enum status stored_front(const struct keeper *keeper, int64_t **ids, size_t *n,
                                struct err *err)
{
    const struct front *front = &keeper->front;
    size_t n_top = keeper->kind == KEEP_TOP ? keeper->top.n : 0;
    int64_t *kept = memory_new(n_top, sizeof *kept);
    *n = 0;
    *ids = memory_new(front->n, sizeof **ids);
    if (kept == NULL || *ids == NULL) {
        memory_free(kept);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n_top; i++)
        kept[i] = keeper->top.member[i].row.id;
    qsort(kept, n_top, sizeof *kept, by_id);
    for (size_t i = 0; i < front->n; i++)
        if (keeper->kind != KEEP_TOP ||
            bsearch(&front->member[i].row.id, kept, n_top, sizeof *kept, by_id) != NULL)
            (*ids)[(*n)++] = front->member[i].row.id;
    memory_free(kept);
    return STATUS_OK;
}

enum status keeper_flush(struct keeper *keeper, struct err *err)
{
    int64_t *ids = NULL;
    size_t n = 0;
    enum status status = keeper->kind == KEEP_ALL ? STATUS_OK : keeper_save(keeper, err);
    if (status == STATUS_OK)
        status = stored_front(keeper, &ids, &n, err);
    if (status == STATUS_OK)
        status = store_mark_front(keeper->store, keeper->run_id, ids, n, err);
    memory_free(ids);
    return status;
}
