/* Weights from the tensors of a GGUF file. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/gguf_tensors.h"
#include "model/quantize.h"
#include "runtime/weights_private.h"

struct loading {
    const struct gguf *file;
    const struct gguf_family *family;
    float *row; /* [longest row or vector] */
    struct err *err;
};

static bool is_readable(enum dtype dtype)
{
    return quantize_supports(dtype) && dtype_ggml_type(dtype) >= 0;
}

/* Part "weight" or "bias" at a place, of rows of k. */
static enum status find(const struct loading *l, const struct gguf_place *place, const char *part,
                        int64_t k, int64_t rows, const struct gguf_tensor **out)
{
    char full[96], known[DTYPE_NAMES_SIZE];
    const struct gguf_tensor *t = gguf_find_part(l->file, place, part, full);
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
                          "tensor '%s' is of type %s; there are kernels for %s", full,
                          type ? type : "unknown", dtype_names(is_readable, " ", " ", known));
    }
    *out = t;
    return STATUS_OK;
}

/* Elements first .. first + n - 1 of a vector of `total`. */
static enum status take_vector(const struct loading *l, const struct gguf_place *place,
                               const char *part, int64_t first, int64_t n, int64_t total,
                               const float *to)
{
    const struct gguf_tensor *tensor = NULL;
    if (to == NULL)
        return STATUS_OK;
    enum status status = find(l, place, part, total, 1, &tensor);
    if (status != STATUS_OK)
        return status;
    assert(tensor != NULL);
    dequantize_row(tensor->dtype, total, tensor->data, l->row);
    memcpy((void *)(uintptr_t)to, l->row + first, (size_t)n * sizeof *to);
    return STATUS_OK;
}

/* The matrix's rows of those at `place`, and its bias. */
static enum status take_matrix(const struct loading *l, const struct gguf_place *place,
                               const struct matrix *out)
{
    const struct gguf_tensor *tensor = NULL;
    enum status status = find(l, place, "weight", out->k, place->n_rows, &tensor);
    if (status != STATUS_OK)
        return status;
    assert(tensor != NULL);
    char *to = (char *)(uintptr_t)out->data;
    int64_t row_bytes = dtype_row_bytes(out->dtype, out->k);
    int64_t from_bytes = dtype_row_bytes(tensor->dtype, out->k);
    const char *from = (const char *)tensor->data + place->first_row * from_bytes;
    if (tensor->dtype == out->dtype) {
        memcpy(to, from, (size_t)(out->n * row_bytes));
    } else {
        for (int64_t r = 0; r < out->n; r++) {
            dequantize_row(tensor->dtype, out->k, from + r * from_bytes, l->row);
            quantize_row(out->dtype, out->k, l->row, to + r * row_bytes);
        }
    }
    return take_vector(l, place, "bias", place->first_row, out->n, place->n_rows, out->bias);
}

static enum status take_slot(void *context, const struct weights_slot *slot)
{
    const struct loading *l = context;
    int64_t n = slot->list->tensors[slot->i].columns;
    struct gguf_place place;
    gguf_place(l->file, l->family, slot->layer, slot->list, slot->i, &place);
    if (slot->matrix)
        return take_matrix(l, &place, slot->matrix);
    enum status status = take_vector(l, &place, "weight", 0, n, n, slot->vector->weight);
    return status != STATUS_OK ? status
                               : take_vector(l, &place, "bias", 0, n, n, slot->vector->bias);
}

static int64_t longest_row(const struct gguf *file)
{
    int64_t longest = 1;
    for (int64_t i = 0; i < file->n_tensors; i++)
        longest = file->tensors[i].dims[0] > longest ? file->tensors[i].dims[0] : longest;
    return longest;
}

enum status weights_open_gguf(const char *path, const struct transformer *net, struct weights *out,
                              struct err *err)
{
    struct gguf file;
    struct loading l = {.file = &file, .err = err};
    *out = (struct weights){0};
    assert(net->d_embed == net->d_model && net->schedule.repeats == 1);
    enum status status = gguf_open(path, &file, err);
    if (status == STATUS_OK)
        status = weights_allocate(net, out, err);
    if (status != STATUS_OK)
        goto out;
    l.family = gguf_family_of(&file);
    out->rope_in_pairs = l.family != NULL && l.family->rotates_pairs;
    l.row = memory_new((size_t)longest_row(&file), sizeof *l.row);
    status = l.row ? weights_each(net, out, take_slot, &l)
                   : err_set(err, STATUS_NOMEM, "out of memory for a row");
out:
    memory_free(l.row);
    gguf_close(&file);
    if (status != STATUS_OK)
        weights_release(out);
    return status;
}
