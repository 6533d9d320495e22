/* `lathe search` over a space whose layers differ: its exact front, in the store. */
#ifndef LATHE_CLI_EXACT_SEARCH_H
#define LATHE_CLI_EXACT_SEARCH_H

#include <stddef.h>

#include "cli/search_job.h"

/* Checks the job against the space and says what is searched, before anything is written. */
enum status exact_search_check(const struct search_job *job, struct err *err);

struct exact_result;
struct stack_candidates; /* search/stack_search.h */
/* The front, or what an interrupted search has of it: STATUS_INTERRUPTED, with a result. A terminal is
 * told how far the tables are. Release with exact_result_free. Errors: those of stack_search_run. */
enum status exact_search_run(const struct search_job *job, int n_jobs, struct exact_result **out,
                             struct err *err);
/* Stores it as all that run `run_id` has, and ends the run. */
enum status exact_result_store(struct exact_result *result, bool is_whole, struct store *store,
                               int64_t run_id, struct err *err);
/* Stacks that it has. */
size_t exact_result_n(const struct exact_result *result);
/* Borrowed from the result. */
const struct stack_candidates *exact_result_found(const struct exact_result *result);
void exact_result_free(struct exact_result *result); /* NULL allowed */

#endif
