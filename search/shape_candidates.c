#include "search/shape_candidates.h"

#include <assert.h>
#include <inttypes.h>
#include <omp.h>

#include "costmodel/shape_price.h"
#include "model/count.h"
#include "model/file_type.h"
#include "search/loss_scale.h"
#include "search/shape_variants.h"

enum status check_workload(const struct space *space, const struct workload *workload,
                           struct err *err)
{
    if (workload->prompt >= 1 && workload->prompt <= space->max_context && workload->context >= 0 &&
        workload->context < space->max_context)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE,
                   "prompt %" PRId64 " and context %" PRId64
                   " do not fit the space's max_context of %" PRId64,
                   workload->prompt, workload->context, space->max_context);
}

void flop_by_depth(const struct transformer *net, int64_t *edges, int64_t *block)
{
    struct operator_list list;
    enum status status = ops_decode(net, 0, &list, NULL);
    assert(status == STATUS_OK);
    (void)status;
    *edges = *block = 0;
    for (int i = 0; i < list.n_prologue; i++)
        *edges += list.prologue[i].flop;
    for (int i = 0; i < list.n_epilogue; i++)
        *edges += list.epilogue[i].flop;
    for (int i = 0; i < list.uniform.n_ops; i++)
        *block += list.uniform.ops[i].flop;
}

void shape_candidate(const struct shape *shape, const struct transformer *net,
                     struct candidate *out)
{
    struct candidate_row *row = &out->row;
    *out = (struct candidate){.dtype = shape->dtype,
                              .kv_dtype = net->kv_dtype,
                              .ffn = net->ffn,
                              .max_context = net->max_context};
    record_clear(&candidate_fields, row);
    row->d_model = shape->d_model;
    row->n_heads = shape->stack.first.n_heads;
    row->n_kv_heads = shape->stack.first.n_kv_heads;
    row->d_head = shape->stack.first.d_head;
    row->d_ff = shape->stack.first.d_ff;
    row->vocab_size = shape->vocab_size;
    row->ffn_kind = ffn_kind_name(net->ffn);
    row->dtype = row->head_dtype = dtype_name(shape->dtype);
    row->kv_dtype = dtype_name(net->kv_dtype);
    row->params_embedding = net->vocab_size * net->d_model;
    row->on_front = 0;
}

void variant_candidate(const struct schedule *schedule, bool tie_embeddings, struct candidate *out)
{
    out->schedule = *schedule;
    out->row.sharing = sharing_name(schedule->sharing);
    out->row.repeats = schedule->repeats;
    out->row.share_ffn = schedule->share_ffn;
    out->row.tie_embeddings = tie_embeddings;
}

/* A shape with what its candidates are priced from. */
struct priced_shape {
    struct transformer net;
    struct shape_price price;
    bool has_loss;
    struct loss_shape loss;
    int64_t flop_edges, flop_block;
    struct candidate base;
};

static void open_shape(const struct pricing *pricing, const struct shape *shape,
                       struct priced_shape *out)
{
    shape_transformer(pricing->enumeration->space, shape, &out->net);
    flop_by_depth(&out->net, &out->flop_edges, &out->flop_block);
    shape_candidate(shape, &out->net, &out->base);
    out->has_loss = loss_shape_of(pricing->loss, &out->net, &out->loss);
    price_shape(&out->net, pricing->machine, pricing->workload, &out->price);
}

static void open_loss(const struct pricing *pricing, const struct loss_shape *shape,
                      const struct variant *variant, struct loss_variant *out)
{
    struct quality_repeats repeats =
        quality_repeats_of(&pricing->loss->pricer, (double)variant->schedule->repeats);
    loss_variant_of(shape, &repeats, variant->schedule->share_ffn, variant->tie_embeddings, out);
}

/* Of a file whose types depend on the depth: each depth is a network of its own. */
static enum status price_file(const struct pricing *pricing, const struct priced_shape *shape,
                              struct candidate *out)
{
    struct transformer net = shape->net;
    struct param_count count;
    struct weight_bytes bytes;
    net.schedule = out->schedule;
    net.tie_embeddings = out->row.tie_embeddings;
    enum status status = transformer_set_weights(&net, out->dtype, NULL);
    if (status)
        return status;
    status = price_network(&net, pricing->machine, pricing->workload, &out->row.price, NULL, NULL);
    transformer_stored(&net, &count, &bytes);
    out->row.weight_bytes = bytes.total;
    out->row.head_dtype = dtype_name(net.head_dtype);
    layer_types_release(&net.layer_types); /* the stack is the shape's */
    return status;
}

static enum status price_depth(const struct pricing *pricing, struct priced_shape *shape,
                               const struct variant *variant, const struct loss_variant *loss,
                               int64_t n, struct candidate *out)
{
    struct candidate_row *row = &out->row;
    *out = shape->base;
    out->schedule.n_layers = n;
    price_schedule(&shape->price, &out->schedule, variant->tie_embeddings, &row->price);
    if (loss != NULL)
        loss_price(loss, n, &row->loss);
    row->n_layers = n;
    row->n_layers_effective = n * out->schedule.repeats;
    row->params = variant->count.fixed + n * variant->count.per_layer;
    row->params_blocks = shape->price.counted.params.blocks;
    row->weight_bytes = shape->price.counted.bytes.total;
    row->kv_bytes_per_token = row->n_layers_effective * shape->price.counted.kv_row_bytes;
    row->flop_per_token = shape->flop_edges + row->n_layers_effective * shape->flop_block;
    return is_file_type(out->dtype) ? price_file(pricing, shape, out) : STATUS_OK;
}

enum status shape_price_candidates(const struct pricing *pricing, const struct shape *shape,
                                   int64_t first, int64_t end, struct candidate *out)
{
    const struct enumeration *e = pricing->enumeration;
    struct priced_shape priced;
    struct variant variant;
    struct loss_variant loss;
    int64_t at = 0; /* of the candidate, in the shape */
    open_shape(pricing, shape, &priced);
    for (int i = 0; at < end && shape_variant(e->space, &e->budget, &priced.net, i, &variant);
         i++) {
        int64_t n = variant.depths.low, high = variant.depths.high;
        int64_t skipped = first - at < high - n + 1 ? first - at : high - n + 1;
        if (n <= high && skipped > 0)
            n += skipped, at += skipped;
        if (n > high)
            continue;
        variant_candidate(variant.schedule, variant.tie_embeddings, &priced.base);
        const struct loss_variant *known = NULL;
        if (priced.has_loss) {
            open_loss(pricing, &priced.loss, &variant, &loss);
            known = &loss;
        }
        for (; n <= high && at < end; n++) {
            enum status status = price_depth(pricing, &priced, &variant, known, n, out);
            if (status)
                return status;
            out->row.id = shape->first_id + at++;
            out++;
        }
    }
    return STATUS_OK;
}

/* The shape that has this candidate. */
static const struct shape *shape_with(const struct enumeration *e, int64_t id)
{
    size_t low = 0, high = e->n_shapes - 1;
    assert(id >= 0 && id < enumeration_ids_end(e));
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (e->shapes[middle].first_id <= id)
            low = middle;
        else
            high = middle - 1;
    }
    return &e->shapes[low];
}

enum status pick_candidates(const struct pricing *pricing, const int64_t *ids, size_t n, int n_jobs,
                            struct candidate *out, struct err *err)
{
    enum status priced = STATUS_OK;
    if (n_jobs == 0)
        n_jobs = omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 16) num_threads(n_jobs) if (n_jobs > 1 && n > 16)
    for (size_t i = 0; i < n; i++) {
        const struct shape *shape = shape_with(pricing->enumeration, ids[i]);
        int64_t at = ids[i] - shape->first_id;
        if (shape_price_candidates(pricing, shape, at, at + 1, &out[i]))
#pragma omp atomic write
            priced = STATUS_NOMEM;
    }
    return priced ? err_set(err, priced, "out of memory for a candidate's layers") : STATUS_OK;
}
