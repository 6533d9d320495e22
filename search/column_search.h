/* The front and the best N of an enumeration by columns: which candidates a search keeps, found
 * without making the others' rows. The same ones that struct front and struct top keep of the rows.
 *
 * A variant is looked at from its corner first: where no candidate of it can be better than what is
 * on the front, its columns are not filled. Threads take shapes and keep fronts of their own, which
 * are put together at the end of a stretch: what is kept does not depend on who found it. */
#ifndef LATHE_SEARCH_COLUMN_SEARCH_H
#define LATHE_SEARCH_COLUMN_SEARCH_H

#include <signal.h>

#include "search/metric.h"
#include "search/shape_candidates.h"

struct column_search {
    struct pricing pricing;
    const struct filter *filter;         /* borrowed */
    const struct objectives *objectives; /* borrowed; at least one */
    size_t n_top;                        /* 0: only the front */
    int n_jobs;                          /* OpenMP threads; 0 = all */
    int64_t stretch;             /* candidates between two callbacks, about; 0: a good default */
    volatile sig_atomic_t *stop; /* non-zero: end after this stretch; NULL = never */
};

/* What is kept of the candidates before `position`. */
struct column_best {
    int64_t position, n_passed; /* n_passed: of the filter */
    size_t n;
    const int64_t
        *ids; /* [n], ascending: the front and the top, each once; borrowed for the call */
};
/* From one thread, in order. A status other than STATUS_OK ends the search and is its result. */
typedef enum status column_callback(const struct column_best *best, void *user, struct err *err);

/* Errors: the callback's, STATUS_NOMEM, STATUS_INTERRUPTED when `stop` was set before the end,
 * STATUS_RANGE when the workload does not fit max_context. */
enum status column_search(const struct column_search *search, column_callback *callback, void *user,
                          struct err *err);

#endif
