#include "cli/search_crew.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/run_traits.h"
#include "search/share.h"

enum status crew_path(const char *path, int64_t rank, int64_t n, char *out, size_t size,
                      struct err *err)
{
    const char *base = file_base_name(path), *dot = strrchr(base, '.');
    const char *end = dot != NULL && dot > base ? dot : base + strlen(base);
    int length = snprintf(out, size, "%.*s.%lld-of-%lld%s", (int)(end - path), path,
                          (long long)rank + 1, (long long)n, end);
    if (length >= 0 && (size_t)length < size)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE, "cannot open '%.100s...': the path is too long", path);
}

enum status crew_has_same_search(struct crew *crew, struct store *store, int64_t run_id,
                                 struct err *err)
{
    struct stored_run stored = {0};
    enum status status = stored_run_read(store, run_id, &stored, err);
    const uint64_t own = status == STATUS_OK ? run_traits_hash(&stored) : 0;
    const uint64_t first = crew->of_first(crew, own);
    if (status == STATUS_OK && own != first)
        status = err_set(err, STATUS_INPUT,
                         "run %lld of '%s' is of another search than that of process 1: version of "
                         "lathe, space, device profile and law must be the same on every machine",
                         (long long)run_id, store_path(store));
    stored_run_release(&stored);
    return status;
}

/* Chunks that are done, here or anywhere. */
static bool is_done(const struct ranges *parts, const struct enumeration *chunk)
{
    const struct shape *first = &chunk->shapes[0];
    return ranges_meet(parts, first->first_id, first->first_id + 1) != NULL;
}

static enum status price_again(const struct enumeration *whole, const struct chunks *chunks,
                               const unsigned char *done, crew_price *price, void *user,
                               struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t c = 0; c < chunks->n && status == STATUS_OK; c++) {
        struct enumeration chunk = chunk_of(whole, chunks, c);
        if (done[c])
            status = price(user, &chunk, err);
    }
    return status;
}

/* Chunk after chunk of those that are not done. */
static enum status price_next(struct crew *crew, const struct enumeration *whole,
                              const struct chunks *chunks, const unsigned char *done,
                              crew_price *price, void *user, struct err *err)
{
    enum status status = STATUS_OK;
    int64_t number = crew->next(crew), open = 0;
    for (size_t c = 0; c < chunks->n && status == STATUS_OK; c++) {
        struct enumeration chunk = chunk_of(whole, chunks, c);
        if (done[c] || open++ < number)
            continue;
        status = price(user, &chunk, err);
        if (status == STATUS_OK)
            number = crew->next(crew);
    }
    return status;
}

enum status crew_work(struct crew *crew, const struct search_job *job,
                      const struct enumeration *whole, struct keeper *keeper, crew_price *price,
                      void *user, struct err *err)
{
    struct chunks chunks = {0};
    enum status status = chunks_make(whole, &chunks, err);
    unsigned char *done = memory_new(chunks.n, 1);
    if (status == STATUS_OK && done == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (!crew->all_well(crew, status == STATUS_OK) || done == NULL)
        goto out;
    for (size_t c = 0; c < chunks.n; c++) {
        struct enumeration chunk = chunk_of(whole, &chunks, c);
        done[c] = is_done(&job->parts, &chunk);
    }
    keeper->stored = INT64_MAX;
    status = price_again(whole, &chunks, done, price, user, err);
    keeper->stored = 0;
    crew->unite(crew, done, chunks.n);
    if (status == STATUS_OK)
        status = price_next(crew, whole, &chunks, done, price, user, err);
    if (status != STATUS_OK)
        crew->end(crew);
out:
    memory_free(done);
    chunks_release(&chunks);
    return status;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static enum status gather_front(struct crew *crew, const struct front *front, int64_t **all,
                                size_t *n_all, struct err *err)
{
    int64_t *ids = memory_new(front->n, sizeof *ids);
    if (!crew->all_well(crew, ids != NULL) || ids == NULL) {
        memory_free(ids);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < front->n; i++)
        ids[i] = front->member[i].row.id;
    enum status status = crew->gather(crew, ids, front->n, all, n_all, err);
    memory_free(ids);
    return status;
}

/* Only ids travel: a candidate's texts are addresses in its process. The front of all is among the
 * candidates of the shapes that hold them, and no other candidate of those is better. */
enum status crew_front(struct crew *crew, const struct enumeration *whole,
                       const struct keeper *keeper, struct enumeration *out, int64_t *n_passed,
                       struct err *err)
{
    int64_t *ids = NULL, *passed = NULL;
    size_t n_ids = 0, n = 0;
    *n_passed = 0;
    enum status status = gather_front(crew, &keeper->front, &ids, &n_ids, err);
    if (status != STATUS_OK ||
        (status = crew->gather(crew, &keeper->n_passed, 1, &passed, &n, err)))
        goto out;
    for (size_t i = 0; i < n; i++)
        *n_passed += passed[i];
    memory_sort(ids, n_ids, sizeof *ids, by_id);
    status = enumeration_holding(whole, ids, n_ids, out, err);
out:
    memory_free(ids);
    memory_free(passed);
    return status;
}
