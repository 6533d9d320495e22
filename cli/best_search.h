/* `lathe search --keep front` and `top:N`: by columns, so that rows are made of what is kept only. */
#ifndef LATHE_CLI_BEST_SEARCH_H
#define LATHE_CLI_BEST_SEARCH_H

#include <signal.h>

#include "cli/keeper.h"
#include "cli/progress.h"
#include "cli/search_job.h"

/* Leaves in `keeper` what a pass over all rows would, and stores it from time to time. n_jobs: OpenMP
 * threads, 0 = all. Errors: as column_search, and the store's. */
enum status best_search(const struct search_job *job, const struct enumeration *enumeration,
                        int n_jobs, volatile sig_atomic_t *stop, struct keeper *keeper,
                        struct progress *progress, struct err *err);

#endif
