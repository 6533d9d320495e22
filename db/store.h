/* Writing the store: one SQLite file that holds what runs found.
 *
 * A search begins a run, hands over its candidates in batches and finishes the run. Each batch is
 * one transaction together with the position it reaches, so a killed program leaves a valid file
 * with the batches so far and a run that is not finished and can be resumed. The file is in WAL
 * mode: others read it meanwhile, from other processes too. Several programs may write at the same
 * time; each waits for the other's batch.
 *
 * A store is for one thread at a time. Losing power may lose the last batches, never the file.
 *
 * What to keep is the caller's choice: `all` hands every row to store_put_candidates; `front` and
 * `top:N` hold the few best in memory and hand the present ones to store_replace_candidates from
 * time to time and at the end, so that neither the memory nor the file ever holds more. */
#ifndef LATHE_DB_STORE_H
#define LATHE_DB_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "db/tables.h"

struct store;

enum store_mode {
    STORE_READ,  /* must exist; works on read-only media */
    STORE_WRITE, /* created if it is not there; an older schema is brought up to date */
};

/* Opens a store; release with store_close. Errors: STATUS_NOT_FOUND (STORE_READ, no such file;
 * STORE_WRITE, no such directory), STATUS_USAGE (no name),
 * STATUS_INPUT (no database, damaged, another program's), STATUS_UNSUPPORTED (a newer schema),
 * STATUS_IO (read-only, locked, disk full). A file that could not be set up is not left behind. */
enum status store_open(const char *path, enum store_mode mode, struct store **out, struct err *err);
void store_close(struct store *store); /* NULL allowed */
const char *store_path(const struct store *store);
/* Removes a store that is not open, with its log. */
void store_remove(const char *path);

/* Runs. Below, the errors of a write are STATUS_IO (disk full, read-only, locked) and
 * STATUS_INPUT (a row that is there already, no such run); a failed write leaves the store as it
 * was before the call. */

/* Stores the run and sets run->id. started_at NULL means now; an unknown position is 0. */
enum status store_begin_run(struct store *store, struct run_row *run, struct err *err);
/* Opens an unfinished run again; read its row (query.h) for space, seed and position. Errors: also
 * STATUS_NOT_FOUND, and STATUS_INPUT when it is finished. */
enum status store_resume_run(struct store *store, int64_t run_id, struct err *err);
/* Appends rows; `position` is how far the run is then, in units of the caller's choice (rows of
 * the canonical order). Sets rows[].run_id. Best in batches of 1,000 to 10,000 rows with ascending
 * ids. n == 0 only advances. */
enum status store_put_candidates(struct store *store, int64_t run_id, struct candidate_row *rows,
                                 size_t n, int64_t position, struct err *err);
/* The same, but the rows replace all that the run has. */
enum status store_replace_candidates(struct store *store, int64_t run_id,
                                     struct candidate_row *rows, size_t n, int64_t position,
                                     struct err *err);
/* What a batch reached, where that is no position: sets the run's parts (tables.h). */
enum status store_put_parts(struct store *store, int64_t run_id, const char *parts,
                            struct err *err);
/* Writes between these two are one transaction. `status` is the first that failed, or STATUS_OK;
 * returns the status of the whole. */
enum status store_begin_batch(struct store *store, struct err *err);
enum status store_end_batch(struct store *store, enum status status, struct err *err);
/* Sets on_front of these ids of the run and clears it everywhere else in it. */
enum status store_mark_front(struct store *store, int64_t run_id, const int64_t *ids, size_t n,
                             struct err *err);
/* All done: marks the run finished and moves everything into the one file. */
enum status store_finish_run(struct store *store, int64_t run_id, struct err *err);
/* Takes back a run that has no rows: there was nothing to store. */
enum status store_drop_run(struct store *store, int64_t run_id, struct err *err);
/* Stopped in order (Ctrl-C): notes the time, leaves the run unfinished. */
enum status store_interrupt_run(struct store *store, int64_t run_id, struct err *err);

/* The device as it is now; *id is the row's, the one that is there if name and profile are the
 * same. */
enum status store_put_device(struct store *store, const struct device_row *device, int64_t *id,
                             struct err *err);

/* The same for a law of loss. */
enum status store_put_law(struct store *store, const struct law_row *law, int64_t *id,
                          struct err *err);

/* Rows of the other tables, in one transaction. ids that are ROW_UNKNOWN are given by the store; a
 * time that is NULL (measured_at, predicted_at) means now. A published value with the same model,
 * metric, conditions and source replaces the one that is there. */
enum status store_put_kernel_timings(struct store *store, const struct kernel_timing_row *rows,
                                     size_t n, struct err *err);
enum status store_put_predictions(struct store *store, const struct prediction_row *rows, size_t n,
                                  struct err *err);
enum status store_put_measurements(struct store *store, const struct measurement_row *rows,
                                   size_t n, struct err *err);
enum status store_put_published(struct store *store, const struct published_row *rows, size_t n,
                                struct err *err);

#endif
