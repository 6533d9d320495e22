#include "runtime/weights.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/stats.h"
#include "model/quantize.h"
#include "model/tensors.h"
#include "runtime/pages.h"
#include "runtime/weights_private.h"

enum { ALIGN = 64 };

int64_t memory_available_bytes(void)
{
    char line[128];
    int64_t kib = -1, limit = -1;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemAvailable: %" SCNd64 " kB", &kib) == 1)
            break;
    }
    if (file)
        fclose(file);
    if ((file = fopen("/sys/fs/cgroup/memory.max", "r"))) {
        if (fscanf(file, "%" SCNd64, &limit) != 1) /* "max" */
            limit = -1;
        fclose(file);
    }
    int64_t available = kib >= 0 ? kib * 1024 : INT64_MAX;
    return limit >= 0 && limit < available ? limit : available;
}

/* Where a tensor is in struct block_weights, or struct weights for those of the edges. A role
 * without a row is one that the runtime has no operators for. */
#define IN_BLOCK(field) \
    { \
        true, offsetof(struct block_weights, field) \
    }
#define IN_EDGES(field) \
    { \
        true, offsetof(struct weights, field) \
    }
/* clang-format off */
static const struct {
    bool is_known;
    size_t offset;
} places[N_TENSOR_ROLES] = {
    [TENSOR_EMBEDDING]           = IN_EDGES(embedding),
    [TENSOR_POSITION]            = IN_EDGES(position),
    [TENSOR_EMBED_PROJECT]       = IN_EDGES(embed_project),
    [TENSOR_EMBED_NORM]          = IN_EDGES(embed_norm),
    [TENSOR_ATTENTION_NORM]      = IN_BLOCK(attention_norm),
    [TENSOR_Q]                   = IN_BLOCK(q),
    [TENSOR_K]                   = IN_BLOCK(k),
    [TENSOR_V]                   = IN_BLOCK(v),
    [TENSOR_Q_NORM]              = IN_BLOCK(q_norm),
    [TENSOR_K_NORM]              = IN_BLOCK(k_norm),
    [TENSOR_O]                   = IN_BLOCK(o),
    [TENSOR_ATTENTION_POST_NORM] = IN_BLOCK(attention_post_norm),
    [TENSOR_FFN_NORM]            = IN_BLOCK(ffn_norm),
    [TENSOR_GATE]                = IN_BLOCK(gate),
    [TENSOR_UP]                  = IN_BLOCK(up),
    [TENSOR_DOWN]                = IN_BLOCK(down),
    [TENSOR_FFN_POST_NORM]       = IN_BLOCK(ffn_post_norm),
    [TENSOR_FINAL_NORM]          = IN_EDGES(final_norm),
    [TENSOR_HEAD_PROJECT]        = IN_EDGES(head_project),
    [TENSOR_HEAD]                = IN_EDGES(head),
};
/* clang-format on */

typedef enum status visitor(void *context, const struct weights_slot *slot);

static enum status visit_list(const struct transformer *net, const struct tensor_list *list,
                              int64_t layer, void *owner, visitor *visit, void *context)
{
    for (int i = 0; i < list->n; i++) {
        const struct tensor *tensor = &list->tensors[i];
        assert(places[tensor->role].is_known);
        void *place = (char *)owner + places[tensor->role].offset;
        struct weights_slot slot = {.list = list, .i = i, .layer = layer};
        if (tensor->rows > 0)
            slot.matrix = place;
        else
            slot.vector = place;
        bool is_tied = tensor->role == TENSOR_HEAD && net->tie_embeddings;
        if (is_tied || (layer >= 0 && !tensor_is_stored(net, tensor, layer)))
            continue;
        enum status status = visit(context, &slot);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status weights_each(const struct transformer *net, struct weights *weights, visitor *visit,
                         void *context)
{
    struct tensor_list list;
    tensors_before(net, &list);
    enum status status = visit_list(net, &list, -1, weights, visit, context);
    for (int64_t i = 0; i < net->schedule.n_layers && !status; i++) {
        tensors_of_layer(net, i, &list);
        status = visit_list(net, &list, i, &weights->blocks[i], visit, context);
    }
    if (status)
        return status;
    tensors_after(net, &list);
    return visit_list(net, &list, -1, weights, visit, context);
}

/* First pass: how much memory. Second pass: where everything is. */
struct layout {
    char *base; /* NULL in the first pass */
    float *vectors;
    int64_t bytes, n_vectors;
};

static const float *next_vector(struct layout *layout, int64_t n)
{
    const float *at = layout->base ? layout->vectors + layout->n_vectors : NULL;
    layout->n_vectors += n;
    return at;
}

static enum status lay_out(void *context, const struct weights_slot *slot)
{
    struct layout *layout = context;
    const struct tensor *tensor = &slot->list->tensors[slot->i];
    if (slot->vector) {
        if (tensor->has_weight)
            slot->vector->weight = next_vector(layout, tensor->columns);
        if (tensor->has_bias)
            slot->vector->bias = next_vector(layout, tensor->columns);
        return STATUS_OK;
    }
    assert(slot->matrix != NULL); /* a slot has one of the two */
    if (layout->base)
        *slot->matrix = (struct matrix){tensor->dtype, tensor->rows, tensor->columns,
                                        layout->base + layout->bytes, NULL};
    layout->bytes += (tensor->rows * dtype_row_bytes(tensor->dtype, tensor->columns) + ALIGN - 1) /
                     ALIGN * ALIGN;
    if (tensor->has_bias)
        slot->matrix->bias = next_vector(layout, tensor->rows);
    return STATUS_OK;
}

/* What block 0 stores for all, the others point at. */
static void share_tensors(const struct transformer *net, struct weights *out)
{
    for (int64_t i = 1; i < net->schedule.n_layers; i++) {
        struct tensor_list list;
        tensors_of_layer(net, i, &list);
        for (int t = 0; t < list.n; t++) {
            const struct tensor *tensor = &list.tensors[t];
            if (tensor_is_stored(net, tensor, i))
                continue;
            size_t offset = places[tensor->role].offset;
            size_t size = tensor->rows > 0 ? sizeof(struct matrix) : sizeof(struct norm_weights);
            memcpy((char *)&out->blocks[i] + offset, (char *)&out->blocks[0] + offset, size);
        }
    }
}

/* The mixers that decode.c and prefill.c have operators for. */
static const bool can_run[N_MIXERS] = {[MIXER_ATTENTION] = true, [MIXER_NONE] = true};

static enum status check_kinds(const struct transformer *net, struct err *err)
{
    const char *what = net->ffn == FFN_XIELU           ? "the activation xielu"
                       : net->qk_norm == QK_NORM_HEADS ? "norms with weights for each head"
                                                       : NULL;
    for (int c = 0; c < stack_n_classes(&net->stack); c++)
        if (stack_class(&net->stack, c)->n_experts > 0)
            what = "a mixture of experts";
    return what == NULL ? STATUS_OK
                        : err_set(err, STATUS_UNSUPPORTED, "'%s' has %s: it can be priced, not run",
                                  net->name, what);
}

/* Matrices that read one input have it made ready once, for one type. */
static bool has_one_type(const struct tensor_list *list, const enum tensor_role *roles)
{
    const struct tensor *first = tensor_find(list, roles[0]);
    for (int i = 1; i < 3; i++) {
        const struct tensor *tensor = tensor_find(list, roles[i]);
        if (first && tensor && tensor->dtype != first->dtype)
            return false;
    }
    return true;
}

static enum status check_inputs(const struct transformer *net, struct err *err)
{
    static const enum tensor_role attention[] = {TENSOR_Q, TENSOR_K, TENSOR_V};
    static const enum tensor_role ffn[] = {TENSOR_UP, TENSOR_GATE, TENSOR_GATE};
    struct tensor_list list;
    for (int64_t i = 0; net->layer_types.set_of_layer && i < net->schedule.n_layers; i++) {
        tensors_of_layer(net, i, &list);
        if (!has_one_type(&list, attention) || !has_one_type(&list, ffn))
            return err_set(err, STATUS_UNSUPPORTED,
                           "'%s' has matrices of several types that read one input: it can be "
                           "priced, not run",
                           net->name);
    }
    return STATUS_OK;
}

static enum status check_types(const struct transformer *net, struct err *err)
{
    bool used[N_DTYPES] = {false};
    char known[DTYPE_NAMES_SIZE];
    transformer_types(net, used);
    for (int i = 0; i < N_DTYPES; i++) {
        if (used[i] && !quantize_supports((enum dtype)i))
            return err_set(
                err, STATUS_UNSUPPORTED, "there are no kernels for %s weights; there are for %s",
                dtype_name((enum dtype)i), dtype_names(quantize_supports, " ", " ", known));
    }
    enum status status = check_inputs(net, err);
    if (status)
        return status;
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        enum mixer mixer = stack_class(&net->stack, c)->mixer;
        if (!can_run[mixer])
            return err_set(err, STATUS_UNSUPPORTED, "'%s' is %s: it can be priced, not run",
                           net->name, mixer_traits(mixer)->owner);
    }
    return STATUS_OK;
}

enum status weights_can_run(const struct transformer *net, struct err *err)
{
    enum status status = check_kinds(net, err);
    return status != STATUS_OK ? status : check_types(net, err);
}

enum status weights_allocate(const struct transformer *net, struct weights *out, struct err *err)
{
    struct layout layout = {0};
    *out = (struct weights){0};
    enum status status = weights_can_run(net, err);
    if (status != STATUS_OK)
        return status;
    out->blocks = memory_new((size_t)net->schedule.n_layers, sizeof *out->blocks);
    if (!out->blocks)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks",
                       net->schedule.n_layers);
    weights_each(net, out, lay_out, &layout);
    int64_t needed = layout.bytes + layout.n_vectors * (int64_t)sizeof(float);
    int64_t have = memory_available_bytes();
    if (needed > have) {
        char need[32], there[32], missing[32];
        status = err_set(err, STATUS_NOMEM, "the weights of '%s' need %s, %s is available: %s more",
                         net->name, format_bytes((double)needed, need, sizeof need),
                         format_bytes((double)have, there, sizeof there),
                         format_bytes((double)(needed - have), missing, sizeof missing));
        weights_release(out);
        return status;
    }
    out->memory_bytes = layout.bytes;
    out->n_vectors = layout.n_vectors;
    out->bytes = needed;
    out->memory = pages_new(layout.bytes);
    out->vectors = memory_new((size_t)layout.n_vectors + 1, sizeof(float));
    if (!out->memory || !out->vectors) {
        weights_release(out);
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " bytes of weights", needed);
    }
    layout.base = out->memory;
    layout.vectors = out->vectors;
    layout.bytes = layout.n_vectors = 0;
    weights_each(net, out, lay_out, &layout);
    if (net->tie_embeddings) {
        out->head = out->embedding;
        out->head.bias = NULL;
    }
    share_tensors(net, out);
    return STATUS_OK;
}

/* Fills each row from a generator of its own, so that threads do not change the result. */
struct filler {
    uint64_t seed;
    int n_threads;
    float *row; /* [n_threads][longest row] */
    int64_t longest;
    int64_t different; /* rows of a matrix before they repeat */
};

static void fill_vector(struct filler *filler, const float *vector, int64_t n, bool is_scale)
{
    struct rng rng;
    rng_init(&rng, filler->seed++);
    float *x = (float *)vector; /* ours, from weights_allocate() */
    for (int64_t i = 0; i < n; i++)
        x[i] = (is_scale ? 1.0f : 0.0f) + 0.1f * ((float)rng_uniform(&rng) - 0.5f);
}

/* Uniform of variance 1 / k from 32 bits at a time: cheap, and activations stay of order one. */
static void random_row(uint64_t seed, int64_t k, float *out)
{
    struct rng rng;
    rng_init(&rng, seed);
    const float scale = (float)(sqrt(12.0 / (double)k) / 4294967296.0);
    for (int64_t i = 0; i < k; i += 2) {
        uint64_t bits = rng_next(&rng);
        out[i] = scale * ((float)(uint32_t)bits - 2147483648.0f);
        if (i + 1 < k)
            out[i + 1] = scale * ((float)(uint32_t)(bits >> 32) - 2147483648.0f);
    }
}

static void fill_matrix(struct filler *filler, const struct matrix *matrix)
{
    enum dtype dtype = matrix->dtype;
    int64_t n = matrix->n, k = matrix->k;
    uint64_t seed = filler->seed++ << 32;
    char *data = (char *)(uintptr_t)matrix->data;
    int64_t row_bytes = dtype_row_bytes(dtype, k);
    int64_t longest = filler->longest;
    float *rows = filler->row;
    int64_t fresh = n < filler->different ? n : filler->different;
#pragma omp parallel num_threads(filler->n_threads) if (filler->n_threads > 1)
    {
        float *row = rows + pages_thread() * longest;
#pragma omp for schedule(static)
        for (int64_t r = 0; r < fresh; r++) {
            random_row(seed + (uint64_t)r, k, row);
            quantize_row(dtype, k, row, data + r * row_bytes);
        }
#pragma omp for schedule(static)
        for (int64_t r = fresh; r < n; r++)
            memcpy(data + r * row_bytes, data + r % fresh * row_bytes, (size_t)row_bytes);
    }
    if (matrix->bias)
        fill_vector(filler, matrix->bias, n, false);
}

static enum status fill_slot(void *context, const struct weights_slot *slot)
{
    struct filler *filler = context;
    int64_t n = slot->list->tensors[slot->i].columns;
    if (slot->matrix)
        fill_matrix(filler, slot->matrix);
    if (slot->vector && slot->vector->weight)
        fill_vector(filler, slot->vector->weight, n, true);
    if (slot->vector && slot->vector->bias)
        fill_vector(filler, slot->vector->bias, n, false);
    return STATUS_OK;
}

static enum status widen(void *context, const struct weights_slot *slot)
{
    int64_t *longest = context;
    if (slot->matrix && slot->matrix->k > *longest)
        *longest = slot->matrix->k;
    return STATUS_OK;
}

static enum status fill(const struct transformer *net, uint64_t seed, int n_threads,
                        int64_t different, struct weights *out, struct err *err)
{
    assert(n_threads >= 1);
    enum status status = weights_allocate(net, out, err);
    if (status)
        return status;
    struct filler filler = {
        .seed = seed << 20, .n_threads = n_threads, .longest = 1, .different = different};
    weights_each(net, out, widen, &filler.longest);
    filler.row = memory_new((size_t)(filler.longest * n_threads), sizeof(float));
    if (!filler.row) {
        weights_release(out);
        return err_set(err, STATUS_NOMEM, "out of memory for a row of %" PRId64, filler.longest);
    }
    weights_each(net, out, fill_slot, &filler);
    memory_free(filler.row);
    return STATUS_OK;
}

enum status weights_random(const struct transformer *net, uint64_t seed, int n_threads,
                           struct weights *out, struct err *err)
{
    return fill(net, seed, n_threads, INT64_MAX, out, err);
}

enum status weights_repeated(const struct transformer *net, uint64_t seed, int n_threads,
                             struct weights *out, struct err *err)
{
    enum { DIFFERENT_ROWS = 16 };
    return fill(net, seed, n_threads, DIFFERENT_ROWS, out, err);
}

void weights_release(struct weights *weights)
{
    pages_free(weights->memory, weights->memory_bytes);
    memory_free(weights->vectors);
    memory_free(weights->blocks);
    *weights = (struct weights){0};
}
