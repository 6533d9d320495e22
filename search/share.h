/* How a search is shared out between processes and machines: parts of an enumeration.
 *
 * A part is an enumeration over some of the shapes. Its candidates keep the ids that they have in
 * the whole, so what parts found can be put together again. How the whole is cut depends on it
 * alone: every process finds the same parts. */
#ifndef LATHE_SEARCH_SHARE_H
#define LATHE_SEARCH_SHARE_H

#include "search/enumerate.h"

enum { MAX_SHARDS = 100000 };

/* Consecutive shapes, at most about a batch of candidates: what is handed out at a time. */
struct chunks {
    size_t n;
    size_t *first; /* [n + 1] the shape that each begins with; owned */
};
/* Release with chunks_release. Errors: STATUS_NOMEM. */
enum status chunks_make(const struct enumeration *whole, struct chunks *out, struct err *err);
void chunks_release(struct chunks *chunks);
/* Chunk i. Borrowed from the whole: not to be ended. */
struct enumeration chunk_of(const struct enumeration *whole, const struct chunks *chunks, size_t i);

/* Part `shard` of n_shards, 1 <= shard <= n_shards <= MAX_SHARDS. Chunk after chunk goes to the
 * shard that has the fewest candidates so far, so that none has a chunk more than another. May be
 * empty. End with enumeration_end. Errors: STATUS_NOMEM. */
enum status enumeration_shard(const struct enumeration *whole, int64_t shard, int64_t n_shards,
                              struct enumeration *out, struct err *err);

/* The shapes that have any of these candidates. ids: [n], ascending. End with enumeration_end.
 * Errors: STATUS_NOMEM. */
enum status enumeration_holding(const struct enumeration *whole, const int64_t *ids, size_t n,
                                struct enumeration *out, struct err *err);

#endif
