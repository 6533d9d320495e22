#include "runtime/weights.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/stats.h"
#include "model/quantize.h"
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

/* Every matrix and vector of a network in a fixed order, for whoever lays them out or fills them.
 */
struct visitor {
    void (*matrix)(struct visitor *visitor, struct matrix *matrix, enum dtype dtype, int64_t n,
                   int64_t k, bool bias);
    void (*vector)(struct visitor *visitor, const float **vector, int64_t n, bool is_scale);
};

static void visit_norm(struct visitor *v, const struct transformer *net, struct norm_weights *norm,
                       int64_t n)
{
    if (net->norm_weight)
        v->vector(v, &norm->weight, n, true);
    if (net->norm_bias)
        v->vector(v, &norm->bias, n, false);
}

static void visit_block(struct visitor *v, const struct transformer *net, const struct block *shape,
                        bool has_ffn, struct block_weights *b)
{
    int64_t d = net->d_model, f = shape->d_ff;
    enum dtype type = net->block_dtype;
    bool before = net->norm_placement != NORM_POST, after = net->norm_placement != NORM_PRE;
    if (shape->mixer == MIXER_ATTENTION) {
        int64_t q = shape->n_heads * shape->d_head, kv = shape->n_kv_heads * shape->d_head;
        bool bias = net->biases & BIAS_QKV;
        if (before)
            visit_norm(v, net, &b->attention_norm, d);
        v->matrix(v, &b->q, type, q, d, bias);
        v->matrix(v, &b->k, type, kv, d, bias);
        v->matrix(v, &b->v, type, kv, d, bias);
        if (net->qk_norm == QK_NORM_WEIGHTED) {
            v->vector(v, &b->q_norm, shape->d_head, true);
            v->vector(v, &b->k_norm, shape->d_head, true);
        }
        v->matrix(v, &b->o, type, d, q, net->biases & BIAS_O);
        if (after)
            visit_norm(v, net, &b->attention_post_norm, d);
    }
    if (before && !(net->parallel_shared_norm && shape->mixer == MIXER_ATTENTION))
        visit_norm(v, net, &b->ffn_norm, d);
    if (has_ffn) {
        bool bias = net->biases & BIAS_FFN;
        if (net->ffn == FFN_SWIGLU || net->ffn == FFN_GEGLU)
            v->matrix(v, &b->gate, type, f, d, bias);
        v->matrix(v, &b->up, type, f, d, bias);
        v->matrix(v, &b->down, type, d, f, bias);
    }
    if (after)
        visit_norm(v, net, &b->ffn_post_norm, d);
}

static void visit_all(struct visitor *v, const struct transformer *net, struct weights *w)
{
    int64_t d = net->d_model, e = net->d_embed;
    v->matrix(v, &w->embedding, net->embedding_dtype, net->vocab_size, e, false);
    if (net->position == POSITION_LEARNED)
        v->matrix(v, &w->position, net->embedding_dtype, net->position_rows, d, false);
    if (e != d)
        v->matrix(v, &w->embed_project, net->block_dtype, d, e, false);
    if (net->embed_norm)
        visit_norm(v, net, &w->embed_norm, d);
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        visit_block(v, net, transformer_block(net, i), i == 0 || !net->schedule.share_ffn,
                    &w->blocks[i]);
    if (net->final_norm)
        visit_norm(v, net, &w->final_norm, d);
    if (e != d)
        v->matrix(v, &w->head_project, net->block_dtype, e, d, false);
    if (!net->tie_embeddings)
        v->matrix(v, &w->head, net->head_dtype, net->vocab_size, e, net->biases & BIAS_HEAD);
}

/* First pass: how much memory. Second pass: where everything is. */
struct layout {
    struct visitor visitor; /* first: visitors are cast to layouts */
    char *base;             /* NULL in the first pass */
    float *vectors;
    int64_t bytes, n_vectors;
};

static void lay_out_vector(struct visitor *visitor, const float **vector, int64_t n, bool is_scale)
{
    struct layout *layout = (struct layout *)visitor;
    (void)is_scale;
    if (layout->base)
        *vector = layout->vectors + layout->n_vectors;
    layout->n_vectors += n;
}

static void lay_out_matrix(struct visitor *visitor, struct matrix *matrix, enum dtype dtype,
                           int64_t n, int64_t k, bool bias)
{
    struct layout *layout = (struct layout *)visitor;
    if (layout->base)
        *matrix = (struct matrix){dtype, n, k, layout->base + layout->bytes, NULL};
    layout->bytes += (n * dtype_row_bytes(dtype, k) + ALIGN - 1) / ALIGN * ALIGN;
    if (bias)
        lay_out_vector(visitor, &matrix->bias, n, false);
}

static enum status check_types(const struct transformer *net, struct err *err)
{
    const enum dtype types[] = {net->block_dtype, net->embedding_dtype, net->head_dtype};
    for (int i = 0; i < 3; i++) {
        if (!quantize_supports(types[i]))
            return err_set(err, STATUS_UNSUPPORTED,
                           "there are no kernels for %s weights; there are for f32 f16 bf16 q8_0 "
                           "q4_0 b1",
                           dtype_name(types[i]));
    }
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        if (stack_class(&net->stack, c)->mixer == MIXER_RWKV)
            return err_set(err, STATUS_UNSUPPORTED,
                           "'%s' is an RWKV network: it can be priced, not run", net->name);
    }
    return STATUS_OK;
}

enum status weights_allocate(const struct transformer *net, struct weights *out, struct err *err)
{
    struct layout layout = {.visitor = {lay_out_matrix, lay_out_vector}};
    *out = (struct weights){0};
    enum status status = check_types(net, err);
    if (status)
        return status;
    out->blocks = memory_new((size_t)net->schedule.n_layers, sizeof *out->blocks);
    if (!out->blocks)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks",
                       net->schedule.n_layers);
    visit_all(&layout.visitor, net, out);
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
    visit_all(&layout.visitor, net, out);
    if (net->tie_embeddings) {
        out->head = out->embedding;
        out->head.bias = NULL;
    }
    if (net->schedule.share_ffn) {
        for (int64_t i = 1; i < net->schedule.n_layers; i++) {
            out->blocks[i].gate = out->blocks[0].gate;
            out->blocks[i].up = out->blocks[0].up;
            out->blocks[i].down = out->blocks[0].down;
        }
    }
    return STATUS_OK;
}

/* Fills each row from a generator of its own, so that threads do not change the result. */
struct filler {
    struct visitor visitor;
    uint64_t seed;
    int n_threads;
    float *row; /* [n_threads][longest row] */
    int64_t longest;
    int64_t different; /* rows of a matrix before they repeat */
};

static void fill_vector(struct visitor *visitor, const float **vector, int64_t n, bool is_scale)
{
    struct filler *filler = (struct filler *)visitor;
    struct rng rng;
    rng_init(&rng, filler->seed++);
    float *x = (float *)*vector; /* ours, from weights_allocate() */
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

static void fill_matrix(struct visitor *visitor, struct matrix *matrix, enum dtype dtype, int64_t n,
                        int64_t k, bool bias)
{
    struct filler *filler = (struct filler *)visitor;
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
    if (bias)
        fill_vector(visitor, &matrix->bias, n, false);
}

static enum status fill(const struct transformer *net, uint64_t seed, int n_threads,
                        int64_t different, struct weights *out, struct err *err)
{
    assert(n_threads >= 1);
    enum status status = weights_allocate(net, out, err);
    if (status)
        return status;
    struct filler filler = {.visitor = {fill_matrix, fill_vector},
                            .seed = seed << 20,
                            .n_threads = n_threads,
                            .different = different};
    filler.longest = net->d_model > net->d_embed ? net->d_model : net->d_embed;
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        const struct block *b = transformer_block(net, i);
        int64_t width = b->n_heads * b->d_head;
        filler.longest = b->d_ff > filler.longest ? b->d_ff : filler.longest;
        filler.longest = width > filler.longest ? width : filler.longest;
    }
    filler.row = memory_new((size_t)(filler.longest * n_threads), sizeof(float));
    if (!filler.row) {
        weights_release(out);
        return err_set(err, STATUS_NOMEM, "out of memory for a row of %" PRId64, filler.longest);
    }
    visit_all(&filler.visitor, net, out);
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
