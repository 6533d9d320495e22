/* What a search keeps: every candidate, the front, or the best N, on its way into the store.
 *
 * Whatever is kept, the front over all that pass the filter is known at the end and marked. */
#ifndef LATHE_CLI_KEEPER_H
#define LATHE_CLI_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"
#include "db/store.h"
#include "search/enumerate.h"
#include "search/front.h"
#include "search/loss_scale.h"
#include "search/metric.h"

enum keep_kind {
    KEEP_ALL,
    KEEP_FRONT,
    KEEP_TOP,
};

/* "all", "front", "top:N". Errors: STATUS_USAGE. */
enum status keep_parse(const char *text, enum keep_kind *kind, int64_t *limit, struct err *err);

struct keeper {
    enum keep_kind kind;
    const struct filter *filter;   /* borrowed */
    const struct loss_scale *loss; /* borrowed; NULL: rows have no loss */
    struct store *store;           /* borrowed */
    int64_t run_id;
    struct front front;
    struct top top;
    int64_t n_passed;     /* candidates that passed the filter */
    int64_t position;     /* id after the last seen */
    int64_t stored;       /* KEEP_ALL: rows before this id are in the store already */
    struct ranges *parts; /* borrowed; where a run's ids come in no order: those done; or NULL */
    int64_t saved_ns;     /* when front or top were last stored */
    struct candidate_row *rows;
    size_t rows_capacity;
};

/* limit: N of top:N, else ignored. What is kept gets the interval of its loss from `loss`, which
 * must outlive it; candidates that are not kept never do. Release with keeper_release, after errors too. */
enum status keeper_init(struct keeper *keeper, enum keep_kind kind, int64_t limit,
                        const struct filter *filter, const struct objectives *objectives,
                        const struct loss_scale *loss, struct store *store, int64_t run_id,
                        struct err *err);
/* The candidates of a batch have ascending ids; where there are parts, consecutive ones. */
enum status keeper_add(struct keeper *keeper, const struct candidate *candidates, int64_t n,
                       struct err *err);
/* Of a search that made no other rows: front and top are among these, and n_passed have passed the
 * filter, of those before `position`. In place of what was there; not for KEEP_ALL. */
enum status keeper_replace(struct keeper *keeper, const struct candidate *candidates, size_t n,
                           int64_t n_passed, int64_t position, struct err *err);
/* It is time to store front or top again; position: as keeper_replace. */
bool keeper_is_due(const struct keeper *keeper, int64_t position);
enum status keeper_save(struct keeper *keeper, struct err *err);
/* Stores what is still only in memory and marks the front. */
enum status keeper_flush(struct keeper *keeper, struct err *err);
void keeper_release(struct keeper *keeper);

#endif
