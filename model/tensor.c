#include "model/tensor.h"

#include <assert.h>
#include <stddef.h>

#include "model/transformer.h"

/* Names in GGUF files: llama.cpp, src/llama-arch.cpp; where a family has others, gguf_tensors.c. */
/* clang-format off */
static const struct tensor_traits traits[N_TENSOR_ROLES] = {
    [TENSOR_EMBEDDING]           = {"token_embd",          PART_EMBEDDING,  EDGE_TABLE, 0},
    [TENSOR_POSITION]            = {"position_embd",       PART_POSITION,   EDGE_TABLE, 0},
    [TENSOR_EMBED_PROJECT]       = {NULL,                  PART_EMBEDDING,  EDGE_FINAL, 0},
    [TENSOR_EMBED_NORM]          = {"token_embd_norm",     PART_EMBEDDING,  EDGE_FINAL, 0},
    [TENSOR_ATTENTION_NORM]      = {"attn_norm",           PART_NORMS,      GROUP_OWN,  0},
    [TENSOR_TIME_SHIFT]          = {NULL,                  PART_MIXER,      GROUP_OWN,  0},
    [TENSOR_R]                   = {NULL,                  PART_MIXER,      GROUP_OWN,  0},
    [TENSOR_Q]                   = {"attn_q",              PART_MIXER,      GROUP_OWN,  BIAS_QKV},
    [TENSOR_K]                   = {"attn_k",              PART_MIXER,      GROUP_OWN,  BIAS_QKV},
    [TENSOR_V]                   = {"attn_v",              PART_MIXER,      GROUP_OWN,  BIAS_QKV},
    [TENSOR_Q_NORM]              = {"attn_q_norm",         PART_MIXER,      GROUP_OWN,  0},
    [TENSOR_K_NORM]              = {"attn_k_norm",         PART_MIXER,      GROUP_OWN,  0},
    [TENSOR_TIME_DECAY]          = {NULL,                  PART_MIXER,      GROUP_OWN,  0},
    [TENSOR_O]                   = {"attn_output",         PART_MIXER,      GROUP_OWN,  BIAS_O},
    [TENSOR_ATTENTION_POST_NORM] = {"post_attention_norm", PART_NORMS,      GROUP_OWN,  0},
    [TENSOR_FFN_NORM]            = {"ffn_norm",            PART_NORMS,      GROUP_OWN,  0},
    [TENSOR_FFN_SHIFT]           = {NULL,                  PART_FFN,        GROUP_FFN,  0},
    [TENSOR_GATE]                = {"ffn_gate",            PART_FFN,        GROUP_FFN,  BIAS_FFN},
    [TENSOR_UP]                  = {"ffn_up",              PART_FFN,        GROUP_FFN,  BIAS_FFN},
    [TENSOR_DOWN]                = {"ffn_down",            PART_FFN,        GROUP_FFN,  BIAS_FFN},
    [TENSOR_FFN_POST_NORM]       = {"post_ffw_norm",       PART_NORMS,      GROUP_OWN,  0},
    [TENSOR_FINAL_NORM]          = {"output_norm",         PART_FINAL_NORM, EDGE_FINAL, 0},
    [TENSOR_HEAD_PROJECT]        = {NULL,                  PART_EMBEDDING,  EDGE_FINAL, 0},
    [TENSOR_HEAD]                = {"output",              PART_HEAD,       EDGE_HEAD,  BIAS_HEAD},
};
/* clang-format on */

const struct tensor_traits *tensor_traits(enum tensor_role role)
{
    assert(role < N_TENSOR_ROLES);
    return &traits[role];
}

static struct tensor *add(struct tensor_list *out)
{
    assert(out->n < MAX_TENSORS);
    return &out->tensors[out->n++];
}

void tensors_add_matrix(const struct transformer *net, enum tensor_role role, enum dtype dtype,
                        int64_t rows, int64_t columns, struct tensor_list *out)
{
    *add(out) = (struct tensor){.role = role,
                                .part = traits[role].part,
                                .group = traits[role].group,
                                .dtype = dtype,
                                .rows = rows,
                                .columns = columns,
                                .has_weight = true,
                                .has_bias = net->biases & traits[role].bias};
}

void tensors_add_vector(enum tensor_role role, enum dtype dtype, int64_t columns,
                        struct tensor_list *out)
{
    *add(out) = (struct tensor){.role = role,
                                .part = traits[role].part,
                                .group = traits[role].group,
                                .dtype = dtype,
                                .columns = columns,
                                .has_weight = true};
}

void tensors_add_norm(const struct transformer *net, enum tensor_role role, struct tensor_list *out)
{
    *add(out) = (struct tensor){.role = role,
                                .part = traits[role].part,
                                .group = traits[role].group,
                                .dtype = net->block_dtype,
                                .columns = net->d_model,
                                .has_weight = net->norm_weight,
                                .has_bias = net->norm_bias};
}

bool tensor_is_stored(const struct transformer *net, const struct tensor *tensor, int64_t i)
{
    return i == 0 || !net->schedule.share_ffn || !group_is_shareable(tensor->group);
}

const struct tensor *tensor_find(const struct tensor_list *list, enum tensor_role role)
{
    for (int i = 0; i < list->n; i++)
        if (list->tensors[i].role == role)
            return &list->tensors[i];
    return NULL;
}

int64_t tensor_bytes(const struct tensor *tensor)
{
    int64_t bytes = 0;
    if (tensor->has_bias)
        bytes = dtype_vector_bytes(tensor->dtype, tensor_bias_elements(tensor));
    if (tensor->has_weight && tensor->rows > 0)
        bytes += tensor->rows * dtype_row_bytes(tensor->dtype, tensor->columns);
    else if (tensor->has_weight)
        bytes += dtype_vector_bytes(tensor->dtype, tensor->columns);
    return bytes;
}
