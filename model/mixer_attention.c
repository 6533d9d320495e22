/* Multi-head attention over a KV cache, with grouped heads, windows and norms of q and k. */
#include <inttypes.h>

#include "model/mixer.h"
#include "model/ops.h"

static enum status check(const struct transformer *net, const struct block *block, struct err *err)
{
    enum status status = STATUS_OK;
    if ((status = err_unless_between(err, "n_heads", block->n_heads, 1, 1 << 14)) ||
        (status = err_unless_between(err, "n_kv_heads", block->n_kv_heads, 1, block->n_heads)) ||
        (status = err_unless_between(err, "d_head", block->d_head, 1, 1 << 14)) ||
        (status = err_unless_between(err, "window", block->window, 0, INT32_MAX)))
        return status;
    if (block->n_heads % block->n_kv_heads != 0)
        return err_set(err, STATUS_RANGE,
                       "n_heads %" PRId64 " is not a multiple of n_kv_heads %" PRId64,
                       block->n_heads, block->n_kv_heads);
    if (net->position == POSITION_ROPE && block->d_head % 2 != 0)
        return err_set(err, STATUS_RANGE, "d_head is %" PRId64 ", rotary positions need it even",
                       block->d_head);
    return STATUS_OK;
}

static void tensors(const struct transformer *net, const struct block *block,
                    struct tensor_list *out)
{
    int64_t d = net->d_model;
    int64_t q = block->n_heads * block->d_head, kv = block->n_kv_heads * block->d_head;
    enum dtype type = net->block_dtype;
    tensors_add_matrix(net, TENSOR_Q, type, q, d, out);
    tensors_add_matrix(net, TENSOR_K, type, kv, d, out);
    tensors_add_matrix(net, TENSOR_V, type, kv, d, out);
    if (net->qk_norm != QK_NORM_NONE && net->qk_norm != QK_NORM_WEIGHTLESS) {
        bool one_for_all = net->qk_norm == QK_NORM_WEIGHTED;
        tensors_add_vector(TENSOR_Q_NORM, type, one_for_all ? block->d_head : q, out);
        tensors_add_vector(TENSOR_K_NORM, type, one_for_all ? block->d_head : kv, out);
    }
    if (net->attention_sinks)
        tensors_add_vector(TENSOR_SINKS, type, block->n_heads, out);
    tensors_add_matrix(net, TENSOR_O, type, d, q, out);
}

/* Sum over the pass's tokens of the positions each one attends to, itself included. */
static int64_t attended(const struct operator_list *list, int64_t window)
{
    if (list->phase == PHASE_DECODE) {
        int64_t span = list->context + 1;
        return window > 0 && window < span ? window : span;
    }
    int64_t n = list->n_tokens, w = window > 0 && window < n ? window : n;
    return w * (w + 1) / 2 + (n - w) * w;
}

/* Rows of the cache read: decode reads the past, its own row is still at hand; a tiled prefill
 * reads each row once. */
static int64_t kv_rows_read(const struct operator_list *list, int64_t window)
{
    if (list->phase == PHASE_DECODE)
        return attended(list, window) - 1;
    return list->n_tokens;
}

static void ops(const struct transformer *net, const struct block *block,
                const struct tensor_list *tensors_of, const struct operator_list *pass,
                struct block_ops *out)
{
    int64_t m = pass->n_tokens;
    int64_t width = block->n_heads * block->d_head, kv = block->n_kv_heads * block->d_head;
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_Q), ROLE_Q, m));
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_K), ROLE_K, m));
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_V), ROLE_V, m));
    if (net->qk_norm != QK_NORM_NONE) {
        struct op norm = op_elementwise(OP_NORM, ROLE_QK_NORM, m, width + kv, 1);
        op_reads(&norm, tensor_find(tensors_of, TENSOR_Q_NORM));
        op_reads(&norm, tensor_find(tensors_of, TENSOR_K_NORM));
        ops_push(out, norm);
    }
    if (net->position == POSITION_ROPE && !block->is_unturned)
        ops_push(out, op_elementwise(OP_ROPE, ROLE_ROPE, m, width + kv, 1));

    int64_t row = 2 * dtype_row_bytes(net->kv_dtype, kv);
    struct op store = op_elementwise(OP_KV_STORE, ROLE_KV_STORE, m, 2 * kv, 0);
    store.dtype = net->kv_dtype;
    store.kv_write_bytes = m * row;
    ops_push(out, store);

    struct op attention = {
        .kind = OP_ATTENTION,
        .role = ROLE_ATTENTION,
        .group = GROUP_NONE,
        .dtype = net->kv_dtype,
        .m = m,
        .n = block->n_heads,
        .k = block->d_head,
        .n_kv = block->n_kv_heads,
        .activation_bytes = 2 * m * width * ACTIVATION_BYTES,
        .kv_read_bytes = kv_rows_read(pass, block->window) * row,
        .flop = 4 * width * attended(pass, block->window),
    };
    ops_push(out, attention);
    const struct tensor *sinks = tensor_find(tensors_of, TENSOR_SINKS);
    if (sinks) {
        struct op op = op_elementwise(OP_ACTIVATION, ROLE_SINKS, m, block->n_heads, 1);
        op_reads(&op, sinks);
        ops_push(out, op);
    }
    ops_push(out, op_matmul(tensor_find(tensors_of, TENSOR_O), ROLE_O, m));
}

const struct mixer_traits mixer_attention = {
    .name = "attention",
    .owner = "a network with attention",
    .check = check,
    .tensors = tensors,
    .ops = ops,
};
