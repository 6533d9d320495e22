/* The part of a search that one process of a crew does (cli/crew.h).
 *
 * The processes take chunks of the space (search/share.h), whoever is free the next, and each writes a
 * store of its own on a disk of its machine: SQLite's log does not work on network file systems. A
 * run's row says which ids are done, so that a search whose processes were killed can go on. */
#ifndef LATHE_CLI_SEARCH_CREW_H
#define LATHE_CLI_SEARCH_CREW_H

#include "cli/crew.h"
#include "cli/search_job.h"

/* The store of this process: "x.db" is "x.2-of-4.db" for the second of four. rank: 0 .. n - 1. */
enum status crew_path(const char *path, int64_t rank, int64_t n, char *out, size_t size,
                      struct err *err);

/* Is the run in `store` a part of the search that process 0 has? Errors: STATUS_INPUT. Call after
 * all_well. */
enum status crew_has_same_search(struct crew *crew, struct store *store, int64_t run_id,
                                 struct err *err);

/* Prices the candidates of `part` in one batch. */
typedef enum status crew_price(void *user, const struct enumeration *part, struct err *err);

/* Prices what is done in job->parts once more, with keeper->stored so that it is not stored again, and
 * then what this process gets of the rest. Errors: those of `price`, after which the others end
 * early, and STATUS_NOMEM. The status is of this process alone: where another one failed it is
 * STATUS_OK, with not all done, so that all_well has to be asked next (and names the one that
 * failed). */
enum status crew_work(struct crew *crew, const struct search_job *job,
                      const struct enumeration *whole, struct keeper *keeper, crew_price *price,
                      void *user, struct err *err);

/* At process 0: an enumeration that has the front of all processes' fronts, of as few shapes as there
 * are, and how many candidates passed the filter. Elsewhere it is empty. End with
 * enumeration_end. */
enum status crew_front(struct crew *crew, const struct enumeration *whole,
                       const struct keeper *keeper, struct enumeration *out, int64_t *n_passed,
                       struct err *err);

#endif
