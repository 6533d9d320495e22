/* Runs and their candidates: batches in transactions, each with the position that it reaches. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/schema.h"
#include "db/store.h"
#include "db/store_private.h"

_Static_assert(KEY_BITS == 40, "the SQL below shifts by 40");

enum status store_begin_run(struct store *store, struct run_row *run, struct err *err)
{
    struct run_row row = *run;
    row.id = ROW_UNKNOWN;
    row.finished = 0;
    row.n_candidates = 0;
    row.ended_at = NULL;
    if (row.position == ROW_UNKNOWN)
        row.position = 0;
    const enum status status = store_put_rows(store, TABLE_RUN, &row, 1, err);
    if (status == STATUS_OK)
        run->id = sqlite3_last_insert_rowid(store->handle.db);
    return status;
}

/* Runs SQL of ours with ?1 = run_id, ?2 and ?3 the two numbers, ?4 the time; what it does not use
 * is not bound. It must change one run. */
static enum status change_run(struct store *store, int64_t run_id, const char *sql, int64_t second,
                              int64_t third, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = handle_prepare(&store->handle, sql, &statement, "write", err);
    if (status != STATUS_OK)
        return status;
    char now[24];
    sqlite3_bind_int64(statement, 1, run_id);
    sqlite3_bind_int64(statement, 2, second);
    sqlite3_bind_int64(statement, 3, third);
    sqlite3_bind_text(statement, 4, clock_now_iso(now, sizeof now), -1, SQLITE_STATIC);
    status = handle_run(&store->handle, statement, "write", err);
    sqlite3_finalize(statement);
    if (status == STATUS_OK && sqlite3_changes(store->handle.db) == 0)
        status = err_set(err, STATUS_INPUT, "'%s' has no run %lld", store->handle.path,
                         (long long)run_id);
    return status;
}

enum status store_resume_run(struct store *store, int64_t run_id, struct err *err)
{
    char sql[96];
    int64_t finished = -1;
    snprintf(sql, sizeof sql, "SELECT finished FROM run WHERE id = %lld", (long long)run_id);
    enum status status = handle_int(&store->handle, sql, &finished, "read", err);
    if (status != STATUS_OK)
        return status;
    if (finished == -1)
        return err_set(err, STATUS_NOT_FOUND, "'%s' has no run %lld", store->handle.path,
                       (long long)run_id);
    if (finished == 1)
        return err_set(err, STATUS_INPUT, "run %lld of '%s' is finished", (long long)run_id,
                       store->handle.path);
    return change_run(store, run_id, "UPDATE run SET ended_at = NULL WHERE id = ?1", 0, 0, err);
}

static enum status insert_candidates(struct store *store, int64_t run_id,
                                     struct candidate_row *rows, size_t n, int64_t position,
                                     struct err *err)
{
    enum status status = store_prepare_insert(store, TABLE_CANDIDATE, err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        assert(rows[i].id >= 0 && rows[i].id < (INT64_C(1) << KEY_BITS));
        rows[i].run_id = run_id;
        status = store_insert_row(store, TABLE_CANDIDATE, &rows[i], err);
        if (status == STATUS_INPUT)
            err_prefix(err, status, "row %lld of run %lld: ", (long long)rows[i].id,
                       (long long)run_id);
    }
    if (status == STATUS_OK)
        status = change_run(store, run_id,
                            "UPDATE run SET position = ?2, n_candidates = n_candidates + ?3"
                            " WHERE id = ?1",
                            position, (int64_t)n, err);
    return status;
}

/* Inside a transaction: the run must be where this store left it. */
static enum status check_position(const struct store *store, int64_t run_id, struct err *err)
{
    char sql[96];
    int64_t position = 0;
    snprintf(sql, sizeof sql, "SELECT position FROM run WHERE id = %lld", (long long)run_id);
    enum status status = handle_int(&store->handle, sql, &position, "read", err);
    if (status == STATUS_OK && run_id == store->run_id && position != store->position)
        return err_set(err, STATUS_INPUT, "run %lld of '%s' is being written by another program",
                       (long long)run_id, store->handle.path);
    return status;
}

static enum status end_batch(struct store *store, int64_t run_id, int64_t position,
                             enum status status, struct err *err)
{
    status = handle_end(&store->handle, status, err);
    if (status == STATUS_OK) {
        store->run_id = run_id;
        store->position = position;
    }
    return status;
}

enum status store_put_candidates(struct store *store, int64_t run_id, struct candidate_row *rows,
                                 size_t n, int64_t position, struct err *err)
{
    enum status status = handle_begin(&store->handle, err);
    if (status != STATUS_OK)
        return status;
    status = check_position(store, run_id, err);
    if (status == STATUS_OK)
        status = insert_candidates(store, run_id, rows, n, position, err);
    return end_batch(store, run_id, position, status, err);
}

/* Deletes or changes candidates of one run; ?1 and ?2 are the ends of its key range. */
static enum status change_candidates(struct store *store, int64_t run_id, const char *sql,
                                     struct err *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = handle_prepare(&store->handle, sql, &statement, "write", err);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 1, run_id);
    status = handle_run(&store->handle, statement, "write", err);
    sqlite3_finalize(statement);
    return status;
}

enum status store_replace_candidates(struct store *store, int64_t run_id,
                                     struct candidate_row *rows, size_t n, int64_t position,
                                     struct err *err)
{
    enum status status = handle_begin(&store->handle, err);
    if (status != STATUS_OK)
        return status;
    status = check_position(store, run_id, err);
    if (status == STATUS_OK)
        status = change_candidates(store, run_id,
                                   "DELETE FROM candidate WHERE key >= ?1 << 40"
                                   " AND key < (?1 + 1) << 40",
                                   err);
    if (status == STATUS_OK)
        status =
            change_run(store, run_id, "UPDATE run SET n_candidates = 0 WHERE id = ?1", 0, 0, err);
    if (status == STATUS_OK)
        status = insert_candidates(store, run_id, rows, n, position, err);
    return end_batch(store, run_id, position, status, err);
}

enum status store_put_parts(struct store *store, int64_t run_id, const char *parts, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = handle_prepare(&store->handle, "UPDATE run SET parts = ?2 WHERE id = ?1",
                                        &statement, "write", err);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_int64(statement, 1, run_id);
    sqlite3_bind_text(statement, 2, parts, -1, SQLITE_STATIC);
    status = handle_run(&store->handle, statement, "write", err);
    sqlite3_finalize(statement);
    return status;
}

enum status store_begin_batch(struct store *store, struct err *err)
{
    return handle_begin(&store->handle, err);
}

enum status store_end_batch(struct store *store, enum status status, struct err *err)
{
    return handle_end(&store->handle, status, err);
}

static enum status mark_front_inside(struct store *store, int64_t run_id, const int64_t *ids,
                                     size_t n, struct err *err)
{
    sqlite3_stmt *mark = NULL;
    enum status status = change_candidates(
        store, run_id, "UPDATE candidate SET on_front = 0 WHERE run_id = ?1 AND on_front = 1", err);
    if (status == STATUS_OK)
        status = handle_prepare(&store->handle,
                                "UPDATE candidate SET on_front = 1 WHERE key = ?1 << 40 | ?2",
                                &mark, "write", err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        sqlite3_bind_int64(mark, 1, run_id);
        sqlite3_bind_int64(mark, 2, ids[i]);
        status = handle_run(&store->handle, mark, "write", err);
        if (status == STATUS_OK && sqlite3_changes(store->handle.db) == 0)
            status = err_set(err, STATUS_INPUT, "run %lld has no candidate %lld", (long long)run_id,
                             (long long)ids[i]);
    }
    sqlite3_finalize(mark);
    return status;
}

enum status store_mark_front(struct store *store, int64_t run_id, const int64_t *ids, size_t n,
                             struct err *err)
{
    enum status status = handle_begin(&store->handle, err);
    if (status != STATUS_OK)
        return status;
    return handle_end(&store->handle, mark_front_inside(store, run_id, ids, n, err), err);
}

enum status store_finish_run(struct store *store, int64_t run_id, struct err *err)
{
    const enum status status = change_run(
        store, run_id, "UPDATE run SET finished = 1, ended_at = ?4 WHERE id = ?1", 0, 0, err);
    /* A reader in the middle of a query keeps the log alive; the last to close moves it then. */
    if (status == STATUS_OK) {
        sqlite3_busy_timeout(store->handle.db, 0);
        sqlite3_wal_checkpoint_v2(store->handle.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(store->handle.db, STORE_PATIENCE_MS);
    }
    return status;
}

enum status store_drop_run(struct store *store, int64_t run_id, struct err *err)
{
    return change_run(store, run_id, "DELETE FROM run WHERE id = ?1", 0, 0, err);
}

enum status store_interrupt_run(struct store *store, int64_t run_id, struct err *err)
{
    return change_run(store, run_id, "UPDATE run SET ended_at = ?4 WHERE id = ?1", 0, 0, err);
}
