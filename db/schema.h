/* The schema: made from the lists of columns in tables.h, brought up to date when it is older.
 *
 * A store is a SQLite file with application_id "LATH" and the schema's version in user_version.
 * Since columns and tables are only ever added, an older file is brought forward by adding what it
 * lacks and making the views again; a newer one is refused. Private to db/. */
#ifndef LATHE_DB_SCHEMA_H
#define LATHE_DB_SCHEMA_H

#include "base/status.h"
#include "base/text.h"
#include "db/handle.h"
#include "db/tables.h"

enum {
    SCHEMA_VERSION = 2,
    APPLICATION_ID = 0x4c415448, /* "LATH" */
    /* A candidate's key is run_id << KEY_BITS | id. */
    KEY_BITS = 40,
};

enum schema_state {
    SCHEMA_EMPTY, /* a new file */
    SCHEMA_OLDER,
    SCHEMA_CURRENT,
};

/* What is in the file. Errors: STATUS_INPUT (no database, or one of another program),
 * STATUS_UNSUPPORTED (newer). */
enum status schema_inspect(const struct handle *handle, enum schema_state *state, struct err *err);

/* Creates what is missing, in one transaction; nothing to do for a current file. */
enum status schema_bring_up(struct handle *handle, struct err *err);

/* CREATE TABLE of one table, each column with its unit and meaning as a comment. `text` grows. */
void schema_table_sql(enum table_id table, struct text *text);

#endif
