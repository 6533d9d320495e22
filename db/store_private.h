/* What an open store holds. Private to db/. */
#ifndef LATHE_DB_STORE_PRIVATE_H
#define LATHE_DB_STORE_PRIVATE_H

#include "db/handle.h"
#include "db/tables.h"

struct store {
    struct handle handle;
    sqlite3_stmt *insert[N_TABLES]; /* prepared at the first use */
    int64_t run_id, position;       /* of the last batch written here; run 0: none */
};

#endif
