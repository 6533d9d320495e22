/* Candidates by columns: the numbers of the rows that enumerate_candidates makes, equal to the bit,
 * without the rows.
 *
 * All candidates of a schedule and tying of a shape differ in depth only. Their counts are lines in
 * it, their times are priced by segments (costmodel/segment_price.h), their loss by a line of the law.
 * What blocks store and cost comes from tables (search/shape_tables.h). Where a segment would bend, the
 * walk prices each depth: slower, the same numbers.
 *
 * A source is one thread's. It walks over shapes, in each over variants, and fills the columns it is
 * asked for: once for all variants of the shape that share them. */
#ifndef LATHE_SEARCH_COLUMNS_H
#define LATHE_SEARCH_COLUMNS_H

#include "search/metric.h"
#include "search/shape_candidates.h"

/* C(column, member of struct candidate_row): what differs from depth to depth. */
#define COLUMNS(C) \
    C(COLUMN_ID, id) \
    C(COLUMN_N_LAYERS, n_layers) \
    C(COLUMN_N_LAYERS_EFFECTIVE, n_layers_effective) \
    C(COLUMN_PARAMS, params) \
    C(COLUMN_PARAMS_BLOCKS, params_blocks) \
    C(COLUMN_WEIGHT_BYTES, weight_bytes) \
    C(COLUMN_KV_BYTES_PER_TOKEN, kv_bytes_per_token) \
    C(COLUMN_FLOP_PER_TOKEN, flop_per_token) \
    C(COLUMN_LOAD_NS, price.load_ns) \
    C(COLUMN_INIT_NS, price.init_ns) \
    C(COLUMN_PREFILL_NS, price.prefill_ns) \
    C(COLUMN_TTFT_COLD_NS, price.ttft_cold_ns) \
    C(COLUMN_DECODE_NS, price.decode_ns) \
    C(COLUMN_DECODE_TOK_S, price.decode_tok_s) \
    C(COLUMN_ENERGY, price.energy_pj_per_token) \
    C(COLUMN_PEAK_BYTES, price.peak_bytes) \
    C(COLUMN_FITS_APP_SHARE, price.fits_app_share) \
    C(COLUMN_LOSS_DELTA, loss.loss_delta_nats) \
    C(COLUMN_ACCURACY, loss.accuracy_points)
#define COLUMN_MEMBER(column, member) column,
enum column { COLUMNS(COLUMN_MEMBER) N_COLUMNS };

/* N_COLUMNS: the metric is the same at all depths. */
enum column column_of(const struct metric *metric);

/* The candidates of a variant, of increasing depth and id. */
struct columns {
    const struct shape *shape;
    const struct schedule *schedule;
    bool tie_embeddings;
    int64_t first_id, low, n; /* depths low .. low + n - 1; n > 0 */
};

struct column_source;
/* `pricing` and what it points to is borrowed. Errors: STATUS_NOMEM. */
enum status column_source_create(const struct pricing *pricing, struct column_source **out,
                                 struct err *err);
void column_source_free(struct column_source *source);

/* Begins a shape. Fastest in canonical order: tables are kept. */
void column_source_shape(struct column_source *source, const struct shape *shape);
/* Its next variant with candidates, nothing filled; NULL: there are no more. Valid until the next
 * call. */
const struct columns *column_source_next(struct column_source *source);
/* A column of that variant: [n], counts as doubles. Filled, if it is not; valid as long as the
 * variant. */
const double *column_fill(struct column_source *source, enum column column);
/* A metric that all of the variant have in common, in its own unit. */
double column_constant(struct column_source *source, const struct metric *metric);
/* A value that no candidate of the variant is below in that column, without filling it;
 * -INFINITY: nobody knows. */
double column_least(struct column_source *source, enum column column);

/* The variants that were priced by the walk so far. */
int64_t column_source_walked(const struct column_source *source);

#endif
