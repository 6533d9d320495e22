/* The candidates of one shape as rows, priced by the closed form's walk: what a search stores, and the
 * reference that columns (search/columns.h) are held to. */
#ifndef LATHE_SEARCH_SHAPE_CANDIDATES_H
#define LATHE_SEARCH_SHAPE_CANDIDATES_H

#include "search/enumerate.h"

/* What candidates are priced for; all borrowed. */
struct pricing {
    const struct enumeration *enumeration;
    const struct machine *machine;
    const struct workload *workload;
    const struct loss_scale *loss; /* NULL: losses stay unknown */
};

/* Errors: STATUS_RANGE when the workload does not fit the space's max_context. */
enum status check_workload(const struct space *space, const struct workload *workload,
                           struct err *err);

/* Candidates first .. end - 1 of a shape, counted from its own first, into out[0 ..]. Errors:
 * STATUS_NOMEM, for types of files only. */
enum status shape_price_candidates(const struct pricing *pricing, const struct shape *shape,
                                   int64_t first, int64_t end, struct candidate *out);

/* Those with these ids, ids[i] into out[i].
 *   n_jobs  OpenMP threads; 0 = all
 * Errors: as above. */
enum status pick_candidates(const struct pricing *pricing, const int64_t *ids, size_t n, int n_jobs,
                            struct candidate *out, struct err *err);

/* What all candidates of a shape have in common, whose network `net` is; the rest is unknown. */
void shape_candidate(const struct shape *shape, const struct transformer *net,
                     struct candidate *out);
/* And those of a schedule and tying of it. */
void variant_candidate(const struct schedule *schedule, bool tie_embeddings, struct candidate *out);

/* FLOPs of one token into an empty cache: edges + executions * block. */
void flop_by_depth(const struct transformer *net, int64_t *edges, int64_t *block);

#endif
