/* An open SQLite file and its failures. See handle.h. */
#include "db/handle.h"

#include <errno.h>
#include <string.h>

static enum status cannot(const struct handle *handle, enum status status, const char *doing,
                          const char *why, struct err *err)
{
    return err_set(err, status, "cannot %s '%s': %s", doing, handle->path, why);
}

enum status handle_error(const struct handle *handle, int code, const char *doing, struct err *err)
{
    const int system = handle->db != NULL ? sqlite3_system_errno(handle->db) : 0;
    const char *text = handle->db != NULL ? sqlite3_errmsg(handle->db) : sqlite3_errstr(code);
    if (code == SQLITE_IOERR_WRITE) /* SQLite forgets which: only ENOSPC is SQLITE_FULL */
        return cannot(handle, STATUS_IO, doing, "a write failed (disk error, quota or size limit)",
                      err);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return cannot(handle, STATUS_IO, doing, "no space left", err);
    case SQLITE_READONLY:
        return cannot(handle, STATUS_IO, doing, "the file or its directory is read-only", err);
    case SQLITE_NOTADB:
        return cannot(handle, STATUS_INPUT, doing, "it is no SQLite database", err);
    case SQLITE_CORRUPT:
        return cannot(handle, STATUS_INPUT, doing, "the database is damaged", err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return cannot(handle, STATUS_IO, doing, "another program holds a lock on it", err);
    case SQLITE_NOMEM:
        return cannot(handle, STATUS_NOMEM, doing, "out of memory", err);
    case SQLITE_INTERRUPT:
        return cannot(handle, STATUS_INTERRUPTED, doing, "interrupted", err);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return cannot(handle, system == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, doing,
                      system != 0 ? strerror(system) : text, err);
    case SQLITE_ERROR: /* of the SQL text */
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
        return cannot(handle, STATUS_INPUT, doing, text, err);
    default:
        return cannot(handle, STATUS_IO, doing, text, err);
    }
}

enum status handle_exec(const struct handle *handle, const char *sql, const char *doing,
                        struct err *err)
{
    const int code = sqlite3_exec(handle->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : handle_error(handle, code, doing, err);
}

enum status handle_prepare(const struct handle *handle, const char *sql, sqlite3_stmt **statement,
                           const char *doing, struct err *err)
{
    const int code = sqlite3_prepare_v2(handle->db, sql, -1, statement, NULL);
    return code == SQLITE_OK ? STATUS_OK : handle_error(handle, code, doing, err);
}

enum status handle_int(const struct handle *handle, const char *sql, int64_t *out,
                       const char *doing, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = handle_prepare(handle, sql, &statement, doing, err);
    if (status != STATUS_OK)
        return status;
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        status = handle_error(handle, code, doing, err);
    sqlite3_finalize(statement);
    return status;
}

enum status handle_run(const struct handle *handle, sqlite3_stmt *statement, const char *doing,
                       struct err *err)
{
    const int code = sqlite3_step(statement);
    const enum status status =
        code == SQLITE_DONE ? STATUS_OK : handle_error(handle, code, doing, err);
    sqlite3_reset(statement);
    return status;
}

enum status handle_begin(struct handle *handle, struct err *err)
{
    enum status status =
        handle->depth == 0 ? handle_exec(handle, "BEGIN IMMEDIATE", "write", err) : STATUS_OK;
    handle->depth += status == STATUS_OK;
    return status;
}

enum status handle_end(struct handle *handle, enum status status, struct err *err)
{
    if (--handle->depth > 0)
        return status;
    if (status == STATUS_OK)
        status = handle_exec(handle, "COMMIT", "write", err);
    if (status != STATUS_OK && !sqlite3_get_autocommit(handle->db))
        sqlite3_exec(handle->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
