/* Processes that run one search together, on one machine or on many: what they need of one another.
 *
 * The search (cli/search_run.h) knows this interface only; cli/main_mpi.c has it by MPI. But for
 * `next` and `end` every process makes the same calls in the same order, and waits in each for all
 * others. A process that dies takes the others with it: the launcher's business. */
#ifndef LATHE_CLI_CREW_H
#define LATHE_CLI_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct crew {
    int64_t rank, n;      /* this is process 0 .. n - 1 */
    int64_t first_failed; /* of the last all_well: the first process that failed; n: none */
    /* The next number of 0, 1, 2, ...: no other process gets it. */
    int64_t (*next)(struct crew *crew);
    /* From now on all get numbers beyond any use: this process failed or was interrupted. */
    void (*end)(struct crew *crew);
    /* Are all well? The same answer everywhere. */
    bool (*all_well)(struct crew *crew, bool is_well);
    /* The value that process 0 has. */
    uint64_t (*of_first)(struct crew *crew, uint64_t value);
    /* flags: [n], 0 or 1; set where any process has them set. */
    void (*unite)(struct crew *crew, unsigned char *flags, size_t n);
    /* The numbers of all processes, at process 0; elsewhere *n_all is 0. memory_free(*all). n below
     * 2^31 in all. Errors, everywhere if anywhere: STATUS_NOMEM. */
    enum status (*gather)(struct crew *crew, const int64_t *numbers, size_t n, int64_t **all,
                          size_t *n_all, struct err *err);
};

#endif
