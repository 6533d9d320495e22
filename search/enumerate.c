#include "search/enumerate.h"

#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/file_type.h"
#include "search/network_name.h"
#include "search/shape_candidates.h"
#include "search/shape_variants.h"

enum { DEFAULT_BATCH = 1 << 12 }; /* rows that two batches keep in the cache beyond the first */

/* The count nearest to the budget that this shape can reach. */
static int64_t nearest_count(const struct space *space, const struct budget *budget,
                             struct linear_count count)
{
    int64_t n = (budget->target - count.fixed + count.per_layer / 2) / count.per_layer;
    n = n < space->min_layers ? space->min_layers : n;
    n = n > space->max_layers ? space->max_layers : n;
    return count.fixed + n * count.per_layer;
}

struct nearest {
    int64_t params, distance, d_model;
};

static void note_nearest(struct nearest *nearest, const struct budget *budget, int64_t params,
                         int64_t d_model)
{
    int64_t distance = params > budget->target ? params - budget->target : budget->target - params;
    if (nearest->d_model == 0 || distance < nearest->distance)
        *nearest = (struct nearest){params, distance, d_model};
}

static enum status add_shape(struct enumeration *e, size_t *capacity, struct shape *shape,
                             struct nearest *nearest, struct err *err)
{
    struct transformer net;
    struct variant variant;
    shape_transformer(e->space, shape, &net);
    net.schedule.n_layers = e->space->max_layers;
    enum status status = transformer_check(&net, err);
    if (status)
        return err_prefix(err, status, "the space has an impossible shape: ");
    shape->first_id = shape->first_row = e->count;
    shape->count = 0;
    for (int i = 0; shape_variant(e->space, &e->budget, &net, i, &variant); i++) {
        note_nearest(nearest, &e->budget, nearest_count(e->space, &e->budget, variant.count),
                     shape->d_model);
        if (variant.depths.low <= variant.depths.high)
            shape->count += variant.depths.high - variant.depths.low + 1;
    }
    if (shape->count == 0)
        return STATUS_OK;
    void *array = e->shapes;
    status = memory_grow(&array, capacity, e->n_shapes + 1, sizeof *e->shapes, err);
    e->shapes = array;
    if (status)
        return status;
    e->shapes[e->n_shapes++] = *shape;
    e->count += shape->count;
    return STATUS_OK;
}

static enum status add_heads(struct enumeration *e, size_t *capacity, struct shape *shape,
                             const struct axis *d_ff, struct nearest *nearest, struct err *err)
{
    struct block *block = &shape->stack.first;
    struct axis kv;
    space_n_kv_heads(e->space, block->n_heads, &kv);
    for (int i = 0; i < kv.n; i++) {
        block->n_kv_heads = kv.value[i];
        for (int f = 0; f < d_ff->n; f++) {
            block->d_ff = d_ff->value[f];
            enum status status = add_shape(e, capacity, shape, nearest, err);
            if (status)
                return status;
        }
    }
    return STATUS_OK;
}

static enum status add_width(struct enumeration *e, size_t *capacity, struct shape *shape,
                             struct nearest *nearest, struct err *err)
{
    const struct space *space = e->space;
    struct block *block = &shape->stack.first;
    struct axis d_ff;
    space_d_ff(space, shape->d_model, &d_ff);
    for (int h = 0; h < space->d_head.n; h++) {
        block->d_head = space->d_head.value[h];
        for (int i = 0; i < (space->n_heads.n ? space->n_heads.n : 1); i++) {
            if (space->n_heads.n == 0 && shape->d_model % block->d_head != 0)
                continue;
            block->n_heads =
                space->n_heads.n ? space->n_heads.value[i] : shape->d_model / block->d_head;
            enum status status = add_heads(e, capacity, shape, &d_ff, nearest, err);
            if (status)
                return status;
        }
    }
    return STATUS_OK;
}

enum status enumeration_start(const struct space *space, const struct budget *budget,
                              struct enumeration *out, struct err *err)
{
    struct nearest nearest = {0};
    struct shape shape = {0};
    size_t capacity = 0;
    enum status status = STATUS_OK;
    *out = (struct enumeration){.space = space, .budget = *budget};
    if (space->scaling.is_given)
        return err_set(err, STATUS_UNSUPPORTED,
                       "the layers of this space differ: they are scaled one by one");
    if (space->layers.is_given)
        return err_set(
            err, STATUS_UNSUPPORTED,
            "the layers of this space differ: its stacks are too many to visit one by one");
    for (int t = 0; t < space->n_dtypes * space->n_kv_dtypes; t++) {
        shape.dtype = space->dtype[t / space->n_kv_dtypes];
        shape.kv_dtype = space->kv_dtype[t % space->n_kv_dtypes];
        for (int v = 0; v < space->vocab_size.n; v++) {
            shape.vocab_size = space->vocab_size.value[v];
            for (int d = 0; d < space->d_model.n; d++) {
                shape.d_model = space->d_model.value[d];
                if ((status = add_width(out, &capacity, &shape, &nearest, err)))
                    goto failed;
            }
        }
    }
    if (out->count > 0)
        return STATUS_OK;
    if (nearest.d_model == 0) {
        status =
            err_set(err, STATUS_RANGE,
                    "the space is empty: no d_head divides a d_model, or no n_kv_heads divides "
                    "an n_heads");
    } else {
        char low[32], high[32], near[32];
        status = err_set(err, STATUS_RANGE,
                         "nothing in the space has %s to %s parameters; the nearest has %s "
                         "(%" PRId64 ", at d_model %" PRId64 "): change the budget or the space",
                         format_count(budget->min, low, sizeof low),
                         format_count(budget->max, high, sizeof high),
                         format_count(nearest.params, near, sizeof near), nearest.params,
                         nearest.d_model);
    }
failed:
    enumeration_end(out);
    return status;
}

void enumeration_end(struct enumeration *enumeration)
{
    memory_free(enumeration->shapes);
    enumeration->shapes = NULL;
    enumeration->n_shapes = 0;
    enumeration->count = 0;
}

enum status candidate_transformer(const struct candidate *candidate, struct transformer *out,
                                  struct err *err)
{
    const struct candidate_row *row = &candidate->row;
    const struct schedule *s = &candidate->schedule;
    transformer_init(out, row->d_model, s->n_layers, row->n_heads, row->n_kv_heads, row->d_head,
                     row->d_ff, row->vocab_size);
    out->schedule = *s;
    out->ffn = candidate->ffn;
    out->max_context = candidate->max_context;
    out->tie_embeddings = row->tie_embeddings == 1;
    out->kv_dtype = candidate->kv_dtype;
    enum status status = STATUS_OK;
    if (candidate->stack)
        status = stack_copy(candidate->stack, s->n_layers, &out->stack, err);
    if (status != STATUS_OK)
        return status;
    status = transformer_set_weights(out, candidate->dtype, err);
    if (status != STATUS_OK) {
        transformer_release(out);
        return status;
    }
    name_network(out);
    return STATUS_OK;
}

/* Shapes first .. returned - 1 make the next batch. */
static size_t batch_end(const struct enumeration *e, size_t first, int64_t batch)
{
    size_t end = first;
    int64_t count = 0;
    while (end < e->n_shapes && (end == first || count + e->shapes[end].count <= batch))
        count += e->shapes[end++].count;
    return end;
}

/* Candidates of the shapes first .. end - 1. */
struct batch {
    size_t first, end;
    int64_t base, count; /* row of the first, how many */
    struct candidate *rows;
    size_t capacity;
};

/* Makes room for the batch that starts at shape `first`; an empty one at the end. */
static enum status batch_plan(const struct enumeration *e, size_t first, int64_t size,
                              struct batch *batch, struct err *err)
{
    batch->first = first;
    batch->end = batch_end(e, first, size);
    batch->count = 0;
    if (batch->end == first)
        return STATUS_OK;
    const struct shape *last = &e->shapes[batch->end - 1];
    void *array = batch->rows;
    batch->base = e->shapes[first].first_row;
    batch->count = last->first_row + last->count - batch->base;
    enum status status =
        memory_grow(&array, &batch->capacity, (size_t)batch->count, sizeof *batch->rows, err);
    batch->rows = array;
    return status;
}

static enum status hand_over(const struct batch *batch, int64_t first_id,
                             enumerate_callback *callback, void *user, struct err *err)
{
    int64_t skip = 0;
    while (skip < batch->count && batch->rows[skip].row.id < first_id)
        skip++;
    return callback(batch->rows + skip, batch->count - skip, user, err);
}

enum status enumerate_candidates(const struct enumeration *enumeration,
                                 const struct machine *machine, const struct workload *workload,
                                 const struct enumerate_options *options,
                                 enumerate_callback *callback, void *user, struct err *err)
{
    const struct enumeration *e = enumeration;
    enum status status = check_workload(e->space, workload, err);
    if (status != STATUS_OK)
        return status;
    const struct pricing pricing = {e, machine, workload, options->loss};
    struct batch done = {0}, next = {0};
    int n_jobs = options->n_jobs > 0 ? options->n_jobs : omp_get_max_threads();
    int64_t size = options->batch > 0 ? options->batch : DEFAULT_BATCH;
    size_t first = 0, reached = 0; /* shapes before `reached` were handed over */
    while (first < e->n_shapes &&
           e->shapes[first].first_id + e->shapes[first].count <= options->first_id)
        first++;
    /* One thread hands over a batch while the others price the next; then it helps them. */
    while (!status && (first < e->n_shapes || done.count > 0)) {
        if (options->stop && *options->stop)
            first = e->n_shapes; /* hand over what is priced, then end */
        if ((status = batch_plan(e, first, size, &next, err)))
            break;
        enum status handed = STATUS_OK, priced = STATUS_OK;
#pragma omp parallel num_threads(n_jobs) if (n_jobs > 1)
        {
#pragma omp single nowait
            if (done.count > 0)
                handed = hand_over(&done, options->first_id, callback, user, err);
#pragma omp for schedule(dynamic)
            for (size_t s = next.first; s < next.end; s++) {
                if (shape_price_candidates(&pricing, &e->shapes[s], 0, e->shapes[s].count,
                                           next.rows + (e->shapes[s].first_row - next.base)))
#pragma omp atomic write
                    priced = STATUS_NOMEM;
            }
        }
        if (!handed && priced)
            handed = err_set(err, priced, "out of memory for a candidate's layers");
        status = handed;
        if (done.count > 0)
            reached = done.end;
        struct batch swap = done;
        done = next;
        next = swap;
        first = done.end > first ? done.end : first;
    }
    if (!status && options->stop && *options->stop && reached < e->n_shapes)
        status = err_set(err, STATUS_INTERRUPTED, "interrupted");
    memory_free(done.rows);
    memory_free(next.rows);
    return status;
}
