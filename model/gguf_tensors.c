#include "model/gguf_tensors.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/transformer.h"

/* Names other than the usual ones, where the block has, or does not have, another tensor. */
static const struct {
    const char *architecture; /* NULL: any */
    enum tensor_role role;
    const char *name, *where; /* the block has this one, or its bias... */
    bool is_absent;           /* ...or has it not */
} aliases[] = {
    {NULL, TENSOR_Q, "attn_qkv", "attn_qkv", false},
    {NULL, TENSOR_K, "attn_qkv", "attn_qkv", false},
    {NULL, TENSOR_V, "attn_qkv", "attn_qkv", false},
    {"phi3", TENSOR_GATE, "ffn_up", "ffn_gate", true},
    /* Falcon 40B normalises for the FFN with what smaller ones have for both. */
    {"falcon", TENSOR_ATTENTION_NORM, "attn_norm_2", "attn_norm_2", false},
    {"falcon", TENSOR_FFN_NORM, "attn_norm", "attn_norm_2", false},
};

const struct gguf_tensor *gguf_find_part(const struct gguf *file, const struct gguf_place *place,
                                         const char *part, char full[96])
{
    snprintf(full, 96, "%s.%s", place->name, part);
    return gguf_find_tensor(file, full);
}

static bool has_tensor(const struct gguf *file, int64_t layer, const char *name)
{
    char full[96];
    struct gguf_place place;
    snprintf(place.name, sizeof place.name, "blk.%" PRId64 ".%s", layer, name);
    return gguf_find_part(file, &place, "weight", full) != NULL ||
           gguf_find_part(file, &place, "bias", full) != NULL;
}

static const char *name_of(const struct gguf *file, const struct gguf_family *family, int64_t layer,
                           enum tensor_role role)
{
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        const char *architecture = aliases[i].architecture;
        if (aliases[i].role == role &&
            (architecture == NULL ||
             (family != NULL && strcmp(architecture, family->architecture) == 0)) &&
            has_tensor(file, layer, aliases[i].where) != aliases[i].is_absent)
            return aliases[i].name;
    }
    return tensor_traits(role)->gguf;
}

void gguf_place(const struct gguf *file, const struct gguf_family *family, int64_t layer,
                const struct tensor_list *list, int i, struct gguf_place *out)
{
    const char *name = name_of(file, family, layer, list->tensors[i].role);
    if (layer < 0)
        snprintf(out->name, sizeof out->name, "%s", name);
    else
        snprintf(out->name, sizeof out->name, "blk.%" PRId64 ".%s", layer, name);
    out->first_row = out->n_rows = 0;
    for (int j = 0; j < list->n; j++) {
        if (strcmp(name_of(file, family, layer, list->tensors[j].role), name) != 0)
            continue;
        out->first_row += j < i ? list->tensors[j].rows : 0;
        out->n_rows += list->tensors[j].rows;
    }
}

/* A tensor of exactly this shape; rows 1: a vector. */
static enum status expect(const struct gguf *file, const struct gguf_place *place, const char *part,
                          int64_t row, int64_t rows, struct gguf_found *found, bool is_matrix,
                          struct err *err)
{
    char full[96];
    const struct gguf_tensor *tensor = gguf_find_part(file, place, part, full);
    if (tensor == NULL)
        return gguf_error(file, STATUS_INPUT, err, "tensor '%s' is missing", full);
    if (tensor->dims[0] != row || tensor->dims[1] != rows || tensor->dims[2] != 1 ||
        tensor->dims[3] != 1)
        return gguf_error(file, STATUS_INPUT, err,
                          "tensor '%s' is %" PRId64 " x %" PRId64 "%s, the metadata says %" PRId64
                          " x %" PRId64,
                          full, tensor->dims[0], tensor->dims[1],
                          tensor->dims[2] == 1 && tensor->dims[3] == 1 ? "" : " x more", row, rows);
    found->n_elements += tensor->n_elements;
    if (is_matrix)
        found->matrix_elements[tensor->ggml_type] += tensor->n_elements;
    if (tensor->n_dims == 1)
        found->vector_types |= UINT64_C(1) << tensor->ggml_type;
    return STATUS_OK;
}

static enum status check_tensor(const struct gguf *file, const struct gguf_place *place,
                                const struct tensor *tensor, bool in_block,
                                struct gguf_found *found, bool *has_bias, struct err *err)
{
    char full[96];
    bool is_matrix = tensor->rows > 0;
    int64_t rows = is_matrix ? place->n_rows : 1;
    enum status status = STATUS_OK;
    *has_bias = is_matrix ? tensor_traits(tensor->role)->bias != 0 &&
                                gguf_find_part(file, place, "bias", full) != NULL
                          : tensor->has_bias;
    if (place->first_row > 0) /* the first one of those in it was asked for it */
        return STATUS_OK;
    if (tensor->has_weight)
        status =
            expect(file, place, "weight", tensor->columns, rows, found, is_matrix && in_block, err);
    if (status == STATUS_OK && *has_bias)
        status =
            expect(file, place, "bias", is_matrix ? rows : tensor->columns, 1, found, false, err);
    return status;
}

enum status gguf_check_tensors(const struct gguf *file, const struct gguf_family *family,
                               int64_t layer, const struct tensor_list *list,
                               struct gguf_found *found, struct err *err)
{
    unsigned without = 0;
    found->biases = 0;
    for (int role = 0; role < N_TENSOR_ROLES; role++)
        found->types[role] = -1;
    for (int i = 0; i < list->n; i++) {
        const struct tensor *tensor = &list->tensors[i];
        struct gguf_place place;
        bool has_bias = false;
        gguf_place(file, family, layer, list, i, &place);
        enum status status = check_tensor(file, &place, tensor, layer >= 0, found, &has_bias, err);
        if (status != STATUS_OK)
            return status;
        char full[96];
        const struct gguf_tensor *stored =
            tensor->has_weight ? gguf_find_part(file, &place, "weight", full) : NULL;
        if (stored != NULL && tensor->rows > 0)
            found->types[tensor->role] = stored->ggml_type;
        if (has_bias)
            found->biases |= tensor_traits(tensor->role)->bias;
        else
            without |= tensor_traits(tensor->role)->bias;
    }
    if (found->biases & without)
        return gguf_error(file, STATUS_UNSUPPORTED, err,
                          "in block %" PRId64
                          " some matrices of the %s have biases and some have none",
                          layer, found->biases & without & BIAS_QKV ? "attention" : "FFN");
    return STATUS_OK;
}
