/* RWKV-4 time mixing. Source: Peng et al., arXiv:2305.13048, section 3. */
#include <stddef.h>

#include "model/mixer.h"
#include "model/ops.h"

static void tensors(const struct transformer *net, const struct block *block,
                    struct tensor_list *out)
{
    int64_t d = net->d_model;
    enum dtype type = net->block_dtype;
    (void)block;
    tensors_add_vector(TENSOR_TIME_SHIFT, type, 3 * d, out); /* mix of k v r */
    tensors_add_matrix(net, TENSOR_R, type, d, d, out);
    tensors_add_matrix(net, TENSOR_K, type, d, d, out);
    tensors_add_matrix(net, TENSOR_V, type, d, d, out);
    tensors_add_vector(TENSOR_TIME_DECAY, type, 2 * d, out); /* decay, first */
    tensors_add_matrix(net, TENSOR_O, type, d, d, out);
}

/* Two shifted inputs, numerator, denominator, maximum; f32. */
static int64_t state_bytes(const struct transformer *net, const struct block *block)
{
    (void)block;
    return 5 * net->d_model * ACTIVATION_BYTES;
}

static void ops(const struct transformer *net, const struct block *block,
                const struct tensor_list *tensors_of, const struct operator_list *pass,
                struct block_ops *out)
{
    int64_t m = pass->n_tokens, d = net->d_model;
    struct op shift = op_elementwise(OP_ACTIVATION, ROLE_TIME_SHIFT, m, 3 * d, 1);
    op_reads(&shift, tensor_find(tensors_of, TENSOR_TIME_SHIFT));
    ops_push(out, shift);
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_R), ROLE_R, m));
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_K), ROLE_K, m));
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_V), ROLE_V, m));
    struct op mix = op_elementwise(OP_TIME_MIX, ROLE_TIME_MIX, m, d, 3);
    op_reads(&mix, tensor_find(tensors_of, TENSOR_TIME_DECAY));
    mix.kv_read_bytes = mix.kv_write_bytes = state_bytes(net, block); /* once a pass */
    ops_push(out, mix);
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_O), ROLE_O, m));
}

const struct mixer_traits mixer_rwkv = {
    .name = "rwkv",
    .owner = "an RWKV network",
    .tensors = tensors,
    .ops = ops,
    .state_bytes = state_bytes,
};
