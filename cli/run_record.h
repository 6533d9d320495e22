/* A verb's run in the store: what every run notes of itself, however it ends.
 *
 * A verb fills a row with run_record_start (all that it does not set stays unknown), opens the
 * store, begins the run with the device it used, puts its rows and ends the run. */
#ifndef LATHE_CLI_RUN_RECORD_H
#define LATHE_CLI_RUN_RECORD_H

#include <stdbool.h>

#include "cli/options.h"
#include "db/store.h"
#include "device/machine.h"

/* Verb, command line and version; every other field unknown. Texts are borrowed from `args`. */
void run_record_start(const struct args *args, struct run_row *out);

/* The profile that `device` was read from, as text. Texts are borrowed. */
struct device_row device_record(const struct device *device, const char *profile);

/* Stores the device as it is (NULL: the run used none) and begins the run: sets run->id, device_id
 * and device. Errors: those of a write (db/store.h). */
enum status run_record_begin(struct store *store, const struct device_row *device,
                             struct run_row *run, struct err *err);

/* is_whole: all was done; else the run is left unfinished, with the time noted. */
enum status run_record_end(struct store *store, int64_t run_id, bool is_whole, struct err *err);

#endif
