/* What blocks of a shape store and cost, added up from tables.
 *
 * Two shapes of one width differ in few operators. What depends on the width alone is kept for it (the
 * edges of a pass, what is stored outside the blocks), what depends on the heads beside for one choice
 * of them, and the FFN's operators for every d_ff of the width. A pass's costs are worked out when they
 * are first asked for. Sums are those of the walk (costmodel/shape_price.h), to the bit.
 *
 * One thread's. Fastest in canonical order: d_ff is the innermost axis, then heads, then width. */
#ifndef LATHE_SEARCH_SHAPE_TABLES_H
#define LATHE_SEARCH_SHAPE_TABLES_H

#include "costmodel/segment_price.h"
#include "costmodel/shape_price.h"
#include "model/tensors.h"
#include "search/shape_candidates.h"

/* Tables have a place for each enum phase. */
enum { N_TABLE_PHASES = 2, MAX_FFN_OPS = 12 };

/* What is stored of a block's tensors. */
struct stored {
    int64_t params, bytes;
};

/* The FFN of a width and d_ff. */
struct ffn_table {
    int64_t d_ff;
    struct stored own, shareable;
    bool has_ops[N_TABLE_PHASES];
    int n_ops;
    struct op_cost ops[N_TABLE_PHASES][MAX_FFN_OPS];
};

/* What depends on types, vocabulary and width only. */
struct width_table {
    enum dtype dtype, kv_dtype;
    int64_t vocab_size, d_model; /* 0: none yet */
    struct stored outside[2];    /* the blocks, by tying */
    int64_t table_bytes[2];      /* by tying */
    bool has_edges[N_TABLE_PHASES];
    struct edge_cost edges[N_TABLE_PHASES];
};

/* And on the heads beside. */
struct heads_table {
    bool valid;
    int64_t n_heads, n_kv_heads, d_head;
    struct stored own;
    int64_t kv_row_bytes, kv_held_bytes; /* of an execution */
    struct tensor_list tensors;          /* of the shape that it was filled from */
    bool has_cost[N_TABLE_PHASES];
    struct block_cost cost[N_TABLE_PHASES]; /* of the operators before the FFN's... */
    struct block_ops ops[N_TABLE_PHASES];   /* ...these, of the heads that were costed last... */
    struct op_cost op_costs[N_TABLE_PHASES][MAX_BLOCK_OPS]; /* ...and their costs */
};

/* Of a thread; read `net`, `of_shape`, `width`, `heads` and `energy_is_covered`, the rest is its own. */
struct shape_tables {
    const struct space *space;
    const struct machine *machine;
    const struct workload *workload;
    int64_t most_executions;
    struct width_table width;
    struct heads_table heads;
    struct ffn_table *ffn; /* [most_ffn] */
    size_t most_ffn, n_ffn, last_ffn;

    /* Of the shape that was taken last. */
    struct transformer net;     /* one layer deep */
    struct ffn_table *of_shape; /* in ffn */
    bool has_cost[N_TABLE_PHASES];
    bool energy_is_covered; /* by segments; known once the decode's costs are */
    struct block_cost cost[N_TABLE_PHASES];
    struct segment_phase phases[N_TABLE_PHASES];
};

/* What `pricing` points to is borrowed.
 *   most_executions  of blocks, in any network that is to be priced
 * Errors: STATUS_NOMEM. */
enum status shape_tables_init(struct shape_tables *tables, const struct pricing *pricing,
                              int64_t most_executions, struct err *err);
void shape_tables_release(struct shape_tables *tables);

/* Takes up a shape, with what it stores; its costs come phase by phase. */
void shape_tables_take(struct shape_tables *tables, const struct shape *shape);

/* What a network of the shape stores, as lines in depth: outside + once + n_layers * layer, of which
 * `outside` is not of the blocks and `once` is the FFN that all share. */
struct stored_lines {
    struct stored outside, once, layer;
};

static inline struct stored_lines shape_tables_stored(const struct shape_tables *tables, bool tied,
                                                      bool share_ffn)
{
    const struct ffn_table *ffn = tables->of_shape;
    const struct stored *own = &tables->heads.own;
    struct stored_lines lines = {.outside = tables->width.outside[tied]};
    lines.layer = (struct stored){own->params + ffn->own.params, own->bytes + ffn->own.bytes};
    struct stored *shareable = share_ffn ? &lines.once : &lines.layer;
    shareable->params += ffn->shareable.params;
    shareable->bytes += ffn->shareable.bytes;
    return lines;
}

/* What a block of the shape costs in a pass, and what stands outside. Valid until the next shape. */
const struct segment_phase *shape_tables_phase(struct shape_tables *tables, enum phase phase);

#endif
