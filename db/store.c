/* Writing the store. See store.h. */
#include "db/store.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/handle.h"
#include "db/schema.h"
#include "db/store_private.h"

enum {
    PAGE_BYTES = 16384,      /* some eighty candidates; faster than 4096 in bench_store */
    CHECKPOINT_PAGES = 1000, /* 16 MB of log, then it is moved into the file */
};

/* ---- opening ---- */

static enum status open_handle(struct handle *handle, const char *name, int flags, struct err *err)
{
    const int code = sqlite3_open_v2(name, &handle->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return handle_error(handle, code, "open", err);
    sqlite3_extended_result_codes(handle->db, 1);
    sqlite3_busy_timeout(handle->db, STORE_PATIENCE_MS);
    /* A misspelt column in double quotes is an error, not a text. */
    sqlite3_db_config(handle->db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
    sqlite3_db_config(handle->db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
    return STATUS_OK;
}

/* WAL readers need to write a little file beside the database. Where they cannot, and nothing waits
 * in a log, the file is all there is: it can be read as one that never changes. */
static enum status open_unchanging(struct handle *handle, struct err *err)
{
    struct text uri = {0};
    enum status status = STATUS_OK;
    text_add(&uri, "file:");
    for (const char *c = handle->path; *c != 0; c++)
        text_addf(&uri, strchr("%?#", *c) != NULL ? "%%%02X" : "%c", (unsigned char)*c);
    text_add(&uri, "?immutable=1");
    if (uri.failed)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    else
        status = open_handle(handle, uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    text_release(&uri);
    return status;
}

/* The last of all connections removes the log, but only one that may write: so a reader opens for
 * writing where it can, and then forbids it to itself. */
static enum status open_to_read(struct handle *handle, enum schema_state *state, struct err *err)
{
    enum status status = open_handle(handle, handle->path, SQLITE_OPEN_READWRITE, NULL);
    if (status == STATUS_OK) {
        status = handle_exec(handle, "PRAGMA query_only = 1", "read", err);
    } else {
        sqlite3_close(handle->db);
        handle->db = NULL;
        status = open_handle(handle, handle->path, SQLITE_OPEN_READONLY, err);
    }
    if (status == STATUS_OK)
        status = schema_inspect(handle, state, err);
    if (status != STATUS_IO && status != STATUS_NOT_FOUND)
        return status;
    char log[4200];
    struct stat waiting;
    snprintf(log, sizeof log, "%s-wal", handle->path);
    if (stat(log, &waiting) == 0 && waiting.st_size > 0)
        return err_set(err, status,
                       "cannot read '%s': its log '%s' needs a directory that can be written",
                       handle->path, log);
    sqlite3_close(handle->db);
    handle->db = NULL;
    if ((status = open_unchanging(handle, err)) != STATUS_OK)
        return status;
    return schema_inspect(handle, state, err);
}

/* A new file needs a directory that can be written; SQLite's own message would not say which. */
static enum status check_directory(const char *path, struct err *err)
{
    char directory[4096];
    file_directory(path, directory, sizeof directory);
    if (!file_is_directory(directory))
        return err_set(err, STATUS_NOT_FOUND, "cannot create '%s': no directory '%s'", path,
                       directory);
    if (access(directory, W_OK) != 0)
        return err_errno(err, "cannot create '%s'", path);
    return STATUS_OK;
}

static enum status open_to_write(struct handle *handle, struct err *err)
{
    enum schema_state state;
    char sql[96];
    enum status status =
        open_handle(handle, handle->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    if (status != STATUS_OK || (status = schema_inspect(handle, &state, err)) != STATUS_OK)
        return status;
    if (sqlite3_db_readonly(handle->db, "main") == 1)
        return handle_error(handle, SQLITE_READONLY, "write", err);
    if (state == SCHEMA_EMPTY) {
        snprintf(sql, sizeof sql, "PRAGMA page_size = %d", PAGE_BYTES);
        if ((status = handle_exec(handle, sql, "create", err)) != STATUS_OK)
            return status;
    }
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
             "PRAGMA wal_autocheckpoint = %d",
             CHECKPOINT_PAGES);
    if ((status = handle_exec(handle, sql, "write", err)) != STATUS_OK)
        return status;
    return state == SCHEMA_CURRENT ? STATUS_OK : schema_bring_up(handle, err);
}

/* Brings an old file up to date for a reader, who cannot do it. */
static enum status upgrade(const char *path, struct err *err)
{
    struct store *store = NULL;
    const enum status status = store_open(path, STORE_WRITE, &store, err);
    store_close(store);
    return status == STATUS_OK ? status
                               : err_prefix(err, status, "the store has an older schema: ");
}

void store_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[4200];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

/* Whether the name was free and the file is now ours to remove; SQLite says why it cannot be made. */
static bool make_file(const char *path)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return file >= 0 && close(file) == 0;
}

static enum status open_store(struct store *store, enum store_mode mode, struct err *err)
{
    enum schema_state state = SCHEMA_CURRENT;
    const char *path = store->handle.path;
    enum status status = mode == STORE_WRITE ? open_to_write(&store->handle, err)
                                             : open_to_read(&store->handle, &state, err);
    if (status != STATUS_OK)
        return status;
    if (state == SCHEMA_EMPTY)
        return err_set(err, STATUS_INPUT, "cannot open '%s': the database is empty", path);
    return state == SCHEMA_OLDER ? upgrade(path, err) : STATUS_OK;
}

enum status store_open(const char *path, enum store_mode mode, struct store **out, struct err *err)
{
    enum status status;
    const bool existed = file_exists(path);
    bool is_ours = false;
    struct store *store = NULL;
    struct stat file;
    if (path[0] == 0) /* to SQLite, a file that vanishes at the end */
        return err_set(err, STATUS_USAGE, "cannot open '': expected the name of a file");
    if (existed && stat(path, &file) == 0 && !S_ISREG(file.st_mode))
        return err_set(err, STATUS_IO, "cannot open '%s': it is %s", path,
                       S_ISDIR(file.st_mode) ? "a directory" : "no regular file");
    if (mode == STORE_READ && !existed)
        return err_set(err, STATUS_NOT_FOUND, "cannot open '%s': no such file", path);
    if (strlen(path) >= sizeof store->handle.path - 8)
        return err_set(err, STATUS_RANGE, "cannot open '%.100s...': the path is too long", path);
    if (!existed && (status = check_directory(path, err)) != STATUS_OK)
        return status;
    store = memory_new(1, sizeof *store);
    if (store == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    snprintf(store->handle.path, sizeof store->handle.path, "%s", path);
    is_ours = mode == STORE_WRITE && make_file(path);
    status = open_store(store, mode, err);
    if (status == STATUS_OK) {
        *out = store;
        return STATUS_OK;
    }
    store_close(store);
    if (is_ours)
        store_remove(path);
    return status;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (int i = 0; i < N_TABLES; i++)
        sqlite3_finalize(store->insert[i]);
    sqlite3_close(store->handle.db);
    memory_free(store);
}

const char *store_path(const struct store *store)
{
    return store->handle.path;
}

/* ---- rows in ---- */

enum status store_prepare_insert(struct store *store, enum table_id id, struct err *err)
{
    if (store->insert[id] != NULL)
        return STATUS_OK;
    struct text sql = {0};
    int n = 0;
    text_addf(&sql, "INSERT INTO %s (", tables[id].fields->name);
    for (EACH_COLUMN(column, id))
        text_addf(&sql, "%s%s", n++ > 0 ? ", " : "", column->name);
    text_add(&sql, id == TABLE_CANDIDATE ? ", key) VALUES (" : ") VALUES (");
    for (int i = 0; i < n; i++)
        text_addf(&sql, "%s?%d", i > 0 ? ", " : "", i + 1);
    if (id == TABLE_CANDIDATE)
        text_addf(&sql, ", ?1 << %d | ?2", KEY_BITS);
    text_add(&sql, ")");
    const enum status status =
        sql.failed ? err_set(err, STATUS_NOMEM, "out of memory")
                   : handle_prepare(&store->handle, sql.data, &store->insert[id], "write", err);
    text_release(&sql);
    return status;
}

static int bind_field(sqlite3_stmt *statement, int place, const void *row,
                      const struct field *column)
{
    switch (column->type) {
    case FIELD_INT: {
        const int64_t value = field_int(column, row);
        return value == ROW_UNKNOWN ? sqlite3_bind_null(statement, place)
                                    : sqlite3_bind_int64(statement, place, value);
    }
    case FIELD_REAL: /* NaN is bound as NULL */
        return sqlite3_bind_double(statement, place, field_real(column, row));
    case FIELD_TEXT:
        return sqlite3_bind_text(statement, place, field_text(column, row), -1, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

enum status store_insert_row(struct store *store, enum table_id id, const void *row,
                             struct err *err)
{
    sqlite3_stmt *statement = store->insert[id];
    int place = 0;
    assert(record_is_of(tables[id].fields, row)); /* by row_clear: unknown is unknown */
    for (EACH_COLUMN(column, id)) {
        const int code = bind_field(statement, ++place, row, column);
        if (code != SQLITE_OK)
            return handle_error(&store->handle, code, "write", err);
    }
    return handle_run(&store->handle, statement, "write", err);
}

/* A copy of the row with its NULL text field set. */
static void default_text(void *row, enum table_id id, const char *name, const char *text)
{
    const struct field *column = field_find(tables[id].fields, name);
    if (column != NULL && field_text(column, row) == NULL)
        memcpy((char *)row + column->offset, &text, sizeof text);
}

enum status store_put_rows(struct store *store, enum table_id id, const void *rows, size_t n,
                           struct err *err)
{
    char now[24];
    clock_now_iso(now, sizeof now);
    const size_t size = tables[id].fields->size;
    void *row = memory_new(1, size);
    if (row == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = handle_begin(&store->handle, err);
    if (status != STATUS_OK)
        goto out;
    status = store_prepare_insert(store, id, err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        memcpy(row, (const char *)rows + i * size, size);
        default_text(row, id, "measured_at", now);
        default_text(row, id, "predicted_at", now);
        default_text(row, id, "stored_at", now);
        default_text(row, id, "started_at", now);
        default_text(row, id, "conditions", "");
        status = store_insert_row(store, id, row, err);
    }
    status = handle_end(&store->handle, status, err);
out:
    memory_free(row);
    return status;
}

enum status store_put_kernel_timings(struct store *store, const struct kernel_timing_row *rows,
                                     size_t n, struct err *err)
{
    return store_put_rows(store, TABLE_KERNEL_TIMING, rows, n, err);
}

enum status store_put_predictions(struct store *store, const struct prediction_row *rows, size_t n,
                                  struct err *err)
{
    return store_put_rows(store, TABLE_PREDICTION, rows, n, err);
}

enum status store_put_measurements(struct store *store, const struct measurement_row *rows,
                                   size_t n, struct err *err)
{
    return store_put_rows(store, TABLE_MEASUREMENT, rows, n, err);
}

enum status store_put_published(struct store *store, const struct published_row *rows, size_t n,
                                struct err *err)
{
    return store_put_rows(store, TABLE_PUBLISHED, rows, n, err);
}

/* A row with a name and a text, which is stored once. `find` selects its id by both. */
static enum status put_once(struct store *store, enum table_id table, const char *find_sql,
                            const char *name, const char *text, const void *row, int64_t *id,
                            struct err *err)
{
    sqlite3_stmt *find = NULL;
    enum status status = handle_prepare(&store->handle, find_sql, &find, "write", err);
    if (status != STATUS_OK)
        return status;
    sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(find, 2, text, -1, SQLITE_STATIC);
    const int code = sqlite3_step(find);
    const int64_t found = code == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_finalize(find);
    if (code == SQLITE_ROW) {
        *id = found;
        return STATUS_OK;
    }
    if (code != SQLITE_DONE)
        return handle_error(&store->handle, code, "write", err);
    if ((status = store_put_rows(store, table, row, 1, err)) == STATUS_OK)
        *id = sqlite3_last_insert_rowid(store->handle.db);
    return status;
}

enum status store_put_device(struct store *store, const struct device_row *device, int64_t *id,
                             struct err *err)
{
    struct device_row row = *device;
    row.id = ROW_UNKNOWN;
    return put_once(store, TABLE_DEVICE, "SELECT id FROM device WHERE name = ?1 AND profile = ?2",
                    row.name, row.profile, &row, id, err);
}

enum status store_put_law(struct store *store, const struct law_row *law, int64_t *id,
                          struct err *err)
{
    struct law_row row = *law;
    row.id = ROW_UNKNOWN;
    return put_once(store, TABLE_LAW, "SELECT id FROM law WHERE name = ?1 AND law = ?2", row.name,
                    row.law, &row, id, err);
}
