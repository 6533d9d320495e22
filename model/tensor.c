#include "model/tensor.h"

#include <assert.h>
#include <stddef.h>

#include "model/transformer.h"

#define TENSOR_ROW(role, gguf, part, group, bias) [role] = {gguf, part, group, bias},
static const struct tensor_traits traits[N_TENSOR_ROLES] = {TENSOR_ROLES(TENSOR_ROW)};

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

void tensors_add_copies(const struct transformer *net, enum tensor_role role, enum dtype dtype,
                        int64_t copies, int64_t rows, int64_t columns, struct tensor_list *out)
{
    *add(out) = (struct tensor){.role = role,
                                .part = traits[role].part,
                                .group = traits[role].group,
                                .dtype = dtype_for_row(dtype, columns),
                                .rows = rows,
                                .columns = columns,
                                .copies = copies,
                                .has_weight = true,
                                .has_bias = net->biases & traits[role].bias};
}

void tensors_add_matrix(const struct transformer *net, enum tensor_role role, enum dtype dtype,
                        int64_t rows, int64_t columns, struct tensor_list *out)
{
    tensors_add_copies(net, role, dtype, 1, rows, columns, out);
}

void tensors_add_vector(enum tensor_role role, enum dtype dtype, int64_t columns,
                        struct tensor_list *out)
{
    *add(out) = (struct tensor){.role = role,
                                .part = traits[role].part,
                                .group = traits[role].group,
                                .dtype = dtype,
                                .columns = columns,
                                .copies = 1,
                                .has_weight = true};
}

void tensors_add_norm(const struct transformer *net, enum tensor_role role, struct tensor_list *out)
{
    *add(out) = (struct tensor){.role = role,
                                .part = traits[role].part,
                                .group = traits[role].group,
                                .dtype = net->block_dtype,
                                .columns = net->d_model,
                                .copies = 1,
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

static int64_t vector_bytes(const struct tensor *tensor, int64_t n)
{
    return dtype_vector_bytes(tensor->f32_vectors ? DTYPE_F32 : tensor->dtype, n);
}

int64_t tensor_bias_bytes(const struct tensor *tensor)
{
    return vector_bytes(tensor, tensor_bias_elements(tensor));
}

int64_t tensor_copy_bytes(const struct tensor *tensor)
{
    int64_t bytes = tensor_bias_bytes(tensor);
    if (tensor->has_weight && tensor->rows > 0)
        bytes += dtype_matrix_bytes(tensor->dtype, tensor->rows, tensor->columns);
    else if (tensor->has_weight)
        bytes += vector_bytes(tensor, tensor->columns);
    return bytes;
}

int64_t tensor_bytes(const struct tensor *tensor)
{
    return tensor->copies * tensor_copy_bytes(tensor);
}
