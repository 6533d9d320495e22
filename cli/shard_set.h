/* The stores that the parts of one search left: opened, checked, put together.
 *
 * Start with `= {0}`; release with shard_set_release, after errors too. */
#ifndef LATHE_CLI_SHARD_SET_H
#define LATHE_CLI_SHARD_SET_H

#include <signal.h>

#include "cli/run_traits.h"
#include "cli/search_job.h"

struct shard {
    const char *path; /* borrowed */
    struct store *store;
    struct stored_run stored; /* its latest search */
};

struct shard_set {
    size_t n;
    struct shard *shard;   /* [n]; owned */
    struct search_job job; /* of the first */
};

/* Opens them. paths: [n], borrowed. Errors: those of store_open, STATUS_NOT_FOUND (no search),
 * STATUS_INPUT (the latest search is no part of one). */
enum status shard_set_open(struct shard_set *set, const char *const *paths, size_t n,
                           struct err *err);
void shard_set_release(struct shard_set *set);

/* Adds a line to `problems` for each reason why they are not all parts of one search, once each and
 * finished: nothing is added where they are. */
void shard_set_check(const struct shard_set *set, struct text *problems);

/* Copies the rows that one process doing all would have kept, and marks its front. `run_id` is a run of
 * `out` without rows. *n_front: out. stop: NULL, or non-zero to end. Errors: those of a write,
 * STATUS_INTERRUPTED. */
enum status shard_set_join(struct shard_set *set, struct store *out, int64_t run_id,
                           volatile sig_atomic_t *stop, int64_t *n_rows, size_t *n_front,
                           struct err *err);

#endif
