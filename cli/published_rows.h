/* The published accuracies and sizes of the presets, as rows of the store's table `published`, so
 * that one SELECT joins what was printed with what was predicted. */
#ifndef LATHE_CLI_PUBLISHED_ROWS_H
#define LATHE_CLI_PUBLISHED_ROWS_H

#include "base/status.h"
#include "db/store.h"

/* For each row of Tables 3 and 8 the eight tasks and "avg" (percent; conditions "zero-shot,
 * table3"), for each preset whose exact count is published "params". `model` is the preset's name.
 * Replaces what is there. Errors: STATUS_NOT_FOUND (no data folder); those of store_put_published.
 */
enum status published_store(struct store *store, struct err *err);

#endif
