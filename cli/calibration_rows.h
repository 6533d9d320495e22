/* A calibration's timings as rows of the store. */
#ifndef LATHE_CLI_CALIBRATION_ROWS_H
#define LATHE_CLI_CALIBRATION_ROWS_H

#include "calibrate/calibration.h"
#include "db/store.h"

/* Every kernel timing, then every network's decode and, where it had a prompt, prefill. `run`: with
 * its id and device. *out: [*n], release with memory_free; texts are borrowed from `c` and `run`.
 * Errors: STATUS_NOMEM. */
enum status calibration_rows_make(const struct calibration *c, const struct run_row *run,
                                  struct kernel_timing_row **out, size_t *n, struct err *err);

#endif
