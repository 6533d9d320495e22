/* What a search tells its user: what it is going to price, and its front. */
#ifndef LATHE_CLI_SEARCH_REPORT_H
#define LATHE_CLI_SEARCH_REPORT_H

#include "cli/search_begin.h"

/* How many architectures, on what, what losses are compared with; warns where they stay unknown. */
void search_say_start(const struct search *search);
/* Of a crew: the front is in one file; what else was kept is in those of the processes. */
void search_say_how_to_merge(const struct search *search);

/* The front of a run from end to end, as --limit and --json say: the best by the first objective alone
 * is one of its ends. */
enum status search_print_front(const struct args *args, const struct search_job *job,
                               struct store *store, int64_t run_id, struct err *err);

#endif
