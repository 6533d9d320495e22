/* An open SQLite file, and its failures as lathe's: one clear line with the file in it.
 *
 * Private to db/. */
#ifndef LATHE_DB_HANDLE_H
#define LATHE_DB_HANDLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct handle {
    sqlite3 *db;
    char path[4096];
    int depth; /* transactions begun and not ended */
};

/* `doing`, here and below, is what failed: "open", "read", "write". */
enum status handle_error(const struct handle *handle, int code, const char *doing, struct err *err);
enum status handle_exec(const struct handle *handle, const char *sql, const char *doing,
                        struct err *err);
/* Finalize with sqlite3_finalize. */
enum status handle_prepare(const struct handle *handle, const char *sql, sqlite3_stmt **statement,
                           const char *doing, struct err *err);
/* The first column of the first row; unchanged when there is no row. */
enum status handle_int(const struct handle *handle, const char *sql, int64_t *out,
                       const char *doing, struct err *err);
/* Runs a prepared statement that returns no rows and resets it. */
enum status handle_run(const struct handle *handle, sqlite3_stmt *statement, const char *doing,
                       struct err *err);

/* BEGIN IMMEDIATE, so that a lock is met here and not in the middle. One inside another is part of
 * it. */
enum status handle_begin(struct handle *handle, struct err *err);
/* Commits when status is STATUS_OK, otherwise rolls back; returns the status of the whole. One inside
 * another leaves that to the outer one, which its caller ends with the status returned. */
enum status handle_end(struct handle *handle, enum status status, struct err *err);

#endif
