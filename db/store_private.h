/* What an open store holds. Private to db/. */
#ifndef LATHE_DB_STORE_PRIVATE_H
#define LATHE_DB_STORE_PRIVATE_H

#include "base/status.h"
#include "db/handle.h"
#include "db/tables.h"

/* How long a write waits for another program: a batch of its takes milliseconds. */
enum { STORE_PATIENCE_MS = 10000 };

struct store {
    struct handle handle;
    sqlite3_stmt *insert[N_TABLES]; /* prepared at the first use */
    int64_t run_id, position;       /* of the last batch written here; run 0: none */
};

/* The statement that inserts a row of the table, ready. */
enum status store_prepare_insert(struct store *store, enum table_id id, struct err *err);
/* One row, made by row_clear, by that statement. */
enum status store_insert_row(struct store *store, enum table_id id, const void *row,
                             struct err *err);
/* Rows of the table in a transaction of their own; times that are NULL are set to now. */
enum status store_put_rows(struct store *store, enum table_id id, const void *rows, size_t n,
                           struct err *err);

#endif
