/* Tensors of a GGUF file by the names of its family. Source: llama.cpp, src/llama-arch.cpp (names),
 * src/llama-model.cpp (which families rotate pairs), convert_hf_to_gguf.py (order of fused rows).
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/gguf.h"
#include "model/quantize.h"
#include "runtime/weights_private.h"

struct loading {
    const struct gguf *file;
    const struct transformer *net;
    struct weights *weights;
    float *row; /* [longest row or vector] */
    bool is_falcon;
    struct err *err;
};

/* Tensor "blk.<layer>.<name>.<part>" (layer < 0: "<name>.<part>") of rows of k. */
static enum status find(const struct loading *l, int64_t layer, const char *name, const char *part,
                        int64_t k, int64_t rows, const struct gguf_tensor **out)
{
    char full[96];
    if (layer < 0)
        snprintf(full, sizeof full, "%s.%s", name, part);
    else
        snprintf(full, sizeof full, "blk.%" PRId64 ".%s.%s", layer, name, part);
    const struct gguf_tensor *t = gguf_find_tensor(l->file, full);
    if (t == NULL)
        return gguf_error(l->file, STATUS_INPUT, l->err, "tensor '%s' is missing", full);
    if (t->dims[0] != k || t->dims[1] != rows || t->n_elements != k * rows)
        return gguf_error(l->file, STATUS_INPUT, l->err,
                          "tensor '%s' is %" PRId64 " x %" PRId64 ", the network needs %" PRId64
                          " x %" PRId64,
                          full, t->dims[0], t->n_elements / t->dims[0], k, rows);
    if (!t->has_dtype || !quantize_supports(t->dtype)) {
        const char *type = gguf_tensor_type_name(t->ggml_type);
        return gguf_error(l->file, STATUS_UNSUPPORTED, l->err,
                          "tensor '%s' is of type %s; there are kernels for f32 f16 bf16 q8_0 q4_0",
                          full, type ? type : "unknown");
    }
    *out = t;
    return STATUS_OK;
}

static bool has_tensor(const struct loading *l, int64_t layer, const char *name)
{
    char full[96];
    snprintf(full, sizeof full, "blk.%" PRId64 ".%s.weight", layer, name);
    return gguf_find_tensor(l->file, full) != NULL;
}

/* Elements first .. first + n - 1 of a vector of `total`. */
static enum status take_vector(const struct loading *l, int64_t layer, const char *name,
                               const char *part, int64_t first, int64_t n, int64_t total,
                               const float *to)
{
    const struct gguf_tensor *tensor = NULL;
    if (to == NULL)
        return STATUS_OK;
    enum status status = find(l, layer, name, part, total, 1, &tensor);
    if (status != STATUS_OK)
        return status;
    dequantize_row(tensor->dtype, total, tensor->data, l->row);
    memcpy((void *)(uintptr_t)to, l->row + first, (size_t)n * sizeof *to);
    return STATUS_OK;
}

/* Rows first .. first + out->n - 1 of a tensor of `total` rows, and its bias. */
static enum status take_rows(const struct loading *l, int64_t layer, const char *name,
                             int64_t first, int64_t total, const struct matrix *out)
{
    const struct gguf_tensor *tensor = NULL;
    if (out->data == NULL)
        return STATUS_OK;
    enum status status = find(l, layer, name, "weight", out->k, total, &tensor);
    if (status != STATUS_OK)
        return status;
    char *to = (char *)(uintptr_t)out->data;
    int64_t row_bytes = dtype_row_bytes(out->dtype, out->k);
    int64_t from_bytes = dtype_row_bytes(tensor->dtype, out->k);
    const char *from = (const char *)tensor->data + first * from_bytes;
    if (tensor->dtype == out->dtype) {
        memcpy(to, from, (size_t)(out->n * row_bytes));
    } else {
        for (int64_t r = 0; r < out->n; r++) {
            dequantize_row(tensor->dtype, out->k, from + r * from_bytes, l->row);
            quantize_row(out->dtype, out->k, l->row, to + r * row_bytes);
        }
    }
    return take_vector(l, layer, name, "bias", first, out->n, total, out->bias);
}

static enum status take_matrix(const struct loading *l, int64_t layer, const char *name,
                               const struct matrix *out)
{
    return take_rows(l, layer, name, 0, out->n, out);
}

static enum status take_norm(const struct loading *l, int64_t layer, const char *name,
                             const struct norm_weights *norm)
{
    int64_t d = l->net->d_model;
    enum status status = take_vector(l, layer, name, "weight", 0, d, d, norm->weight);
    return status != STATUS_OK ? status : take_vector(l, layer, name, "bias", 0, d, d, norm->bias);
}

static enum status take_attention(const struct loading *l, int64_t i, const struct block *shape,
                                  const struct block_weights *b)
{
    int64_t n = b->q.n + b->k.n + b->v.n, d = shape->d_head;
    enum status status;
    if (has_tensor(l, i, "attn_qkv")) {
        if ((status = take_rows(l, i, "attn_qkv", 0, n, &b->q)) ||
            (status = take_rows(l, i, "attn_qkv", b->q.n, n, &b->k)) ||
            (status = take_rows(l, i, "attn_qkv", b->q.n + b->k.n, n, &b->v)))
            return status;
    } else if ((status = take_matrix(l, i, "attn_q", &b->q)) ||
               (status = take_matrix(l, i, "attn_k", &b->k)) ||
               (status = take_matrix(l, i, "attn_v", &b->v))) {
        return status;
    }
    if ((status = take_vector(l, i, "attn_q_norm", "weight", 0, d, d, b->q_norm)) ||
        (status = take_vector(l, i, "attn_k_norm", "weight", 0, d, d, b->k_norm)))
        return status;
    return take_matrix(l, i, "attn_output", &b->o);
}

static enum status take_block(const struct loading *l, int64_t i)
{
    const struct block *shape = transformer_block(l->net, i);
    const struct block_weights *b = &l->weights->blocks[i];
    /* Falcon 40B normalises for the FFN with what smaller ones have for both. */
    bool two_norms = l->is_falcon && !l->net->parallel_shared_norm;
    enum status status;
    if (shape->mixer == MIXER_ATTENTION && (status = take_attention(l, i, shape, b)))
        return status;
    if ((status = take_norm(l, i, two_norms ? "attn_norm_2" : "attn_norm", &b->attention_norm)) ||
        (status = take_norm(l, i, "post_attention_norm", &b->attention_post_norm)) ||
        (status = take_norm(l, i, two_norms ? "attn_norm" : "ffn_norm", &b->ffn_norm)) ||
        (status = take_norm(l, i, "post_ffw_norm", &b->ffn_post_norm)))
        return status;
    bool is_fused = b->gate.data != NULL && !has_tensor(l, i, "ffn_gate");
    if (is_fused) {
        if ((status = take_rows(l, i, "ffn_up", 0, 2 * b->up.n, &b->gate)) ||
            (status = take_rows(l, i, "ffn_up", b->up.n, 2 * b->up.n, &b->up)))
            return status;
    } else if ((status = take_matrix(l, i, "ffn_gate", &b->gate)) ||
               (status = take_matrix(l, i, "ffn_up", &b->up))) {
        return status;
    }
    return take_matrix(l, i, "ffn_down", &b->down);
}

static enum status take_all(const struct loading *l)
{
    const struct weights *w = l->weights;
    enum status status;
    if ((status = take_matrix(l, -1, "token_embd", &w->embedding)) ||
        (status = take_matrix(l, -1, "position_embd", &w->position)) ||
        (status = take_norm(l, -1, "token_embd_norm", &w->embed_norm)) ||
        (status = take_norm(l, -1, "output_norm", &w->final_norm)))
        return status;
    for (int64_t i = 0; i < l->net->schedule.n_layers; i++) {
        if ((status = take_block(l, i)))
            return status;
    }
    return l->net->tie_embeddings ? STATUS_OK : take_matrix(l, -1, "output", &w->head);
}

static int64_t longest_row(const struct gguf *file)
{
    int64_t longest = 1;
    for (int64_t i = 0; i < file->n_tensors; i++)
        longest = file->tensors[i].dims[0] > longest ? file->tensors[i].dims[0] : longest;
    return longest;
}

static bool is_architecture(const struct gguf *file, const char *name)
{
    struct gguf_string value;
    return gguf_get_string(file, "general.architecture", &value, NULL) == STATUS_OK &&
           value.length == (int64_t)strlen(name) &&
           memcmp(value.data, name, (size_t)value.length) == 0;
}

enum status weights_open_gguf(const char *path, const struct transformer *net, struct weights *out,
                              struct err *err)
{
    struct gguf file;
    struct loading l = {.file = &file, .net = net, .weights = out, .err = err};
    *out = (struct weights){0};
    assert(net->d_embed == net->d_model && net->schedule.repeats == 1);
    enum status status = gguf_open(path, &file, err);
    if (status == STATUS_OK)
        status = weights_allocate(net, out, err);
    if (status != STATUS_OK)
        goto out;
    l.is_falcon = is_architecture(&file, "falcon");
    out->rope_in_pairs = is_architecture(&file, "llama") || is_architecture(&file, "olmo");
    l.row = memory_new((size_t)longest_row(&file), sizeof *l.row);
    status = l.row ? take_all(&l) : err_set(err, STATUS_NOMEM, "out of memory for a row");
out:
    memory_free(l.row);
    gguf_close(&file);
    if (status != STATUS_OK)
        weights_release(out);
    return status;
}
