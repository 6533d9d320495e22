#include "model/ffn.h"

#include <assert.h>
#include <string.h>

#include "model/ops.h"

static const struct {
    const char *name;
    bool is_gated;
} traits[N_FFN_KINDS] = {
    [FFN_RELU] = {"relu", false},
    [FFN_GELU] = {"gelu", false},
    [FFN_RELU2] = {"relu2", false},
    [FFN_XIELU] = {"xielu", false},
    [FFN_SWIGLU] = {"swiglu", true},
    [FFN_GEGLU] = {"geglu", true},
    [FFN_RWKV_CHANNEL] = {"rwkv_channel", false},
};

const char *ffn_kind_name(enum ffn_kind kind)
{
    assert(kind < N_FFN_KINDS);
    return traits[kind].name;
}

bool ffn_is_gated(enum ffn_kind kind)
{
    return traits[kind].is_gated;
}

enum status ffn_kind_parse(const char *name, enum ffn_kind *out, struct err *err)
{
    for (int i = 0; i < N_FFN_KINDS; i++) {
        if (strcmp(name, traits[i].name) == 0) {
            *out = (enum ffn_kind)i;
            return STATUS_OK;
        }
    }
    return err_set(err, STATUS_USAGE,
                   "unknown FFN kind '%s'; known: relu gelu relu2 xielu swiglu geglu rwkv_channel",
                   name);
}

/* Router, the FFN that every token uses if there is one, and the experts. */
static void expert_tensors(const struct transformer *net, const struct block *block,
                           struct tensor_list *out)
{
    int64_t d = net->d_model, f = block->d_ff, n = block->n_experts, s = block->d_shared;
    enum dtype type = net->block_dtype;
    bool gated = ffn_is_gated(net->ffn);
    tensors_add_matrix(net, TENSOR_ROUTER, type, n, d, out);
    if (net->router_offset)
        tensors_add_vector(TENSOR_ROUTER_OFFSET, type, n, out);
    if (s > 0 && gated)
        tensors_add_matrix(net, TENSOR_SHARED_GATE, type, s, d, out);
    if (s > 0) {
        tensors_add_matrix(net, TENSOR_SHARED_UP, type, s, d, out);
        tensors_add_matrix(net, TENSOR_SHARED_DOWN, type, d, s, out);
    }
    if (s > 0 && net->shared_share)
        tensors_add_matrix(net, TENSOR_SHARED_SHARE, type, 1, d, out);
    if (gated)
        tensors_add_copies(net, TENSOR_EXPERT_GATE, type, n, f, d, out);
    tensors_add_copies(net, TENSOR_EXPERT_UP, type, n, f, d, out);
    tensors_add_copies(net, TENSOR_EXPERT_DOWN, type, n, d, f, out);
}

void ffn_tensors(const struct transformer *net, const struct block *block, struct tensor_list *out)
{
    int64_t d = net->d_model, f = block->d_ff;
    enum dtype type = net->block_dtype;
    if (block->n_experts > 0) {
        expert_tensors(net, block, out);
        return;
    }
    if (net->ffn == FFN_RWKV_CHANNEL) {
        tensors_add_vector(TENSOR_FFN_SHIFT, type, 2 * d, out); /* mix of k r */
        tensors_add_matrix(net, TENSOR_GATE, type, d, d, out);
    } else if (ffn_is_gated(net->ffn)) {
        tensors_add_matrix(net, TENSOR_GATE, type, f, d, out);
    }
    tensors_add_matrix(net, TENSOR_UP, type, f, d, out);
    if (net->ffn == FFN_XIELU)
        tensors_add_vector(TENSOR_ACTIVATION, type, 2, out);
    tensors_add_matrix(net, TENSOR_DOWN, type, d, f, out);
}

static void push_matmul(const struct tensor_list *tensors, enum tensor_role tensor,
                        enum op_role role, int64_t m, struct block_ops *out)
{
    const struct tensor *matrix = tensor_find(tensors, tensor);
    if (matrix)
        ops_push(out, op_matmul(matrix, role, m));
}

static void expert_ops(const struct transformer *net, const struct block *block,
                       const struct tensor_list *tensors, const struct operator_list *pass,
                       struct block_ops *out)
{
    int64_t m = pass->n_tokens, used = block->n_experts_used, s = block->d_shared;
    int reads = ffn_is_gated(net->ffn) ? 2 : 1;
    const struct tensor *gate = tensor_find(tensors, TENSOR_EXPERT_GATE);
    push_matmul(tensors, TENSOR_ROUTER, ROLE_ROUTER, m, out);
    struct op pick = op_elementwise(OP_ACTIVATION, ROLE_PICK, m, block->n_experts, 1);
    op_reads(&pick, tensor_find(tensors, TENSOR_ROUTER_OFFSET));
    ops_push(out, pick);
    push_matmul(tensors, TENSOR_SHARED_GATE, ROLE_SHARED_GATE, m, out);
    push_matmul(tensors, TENSOR_SHARED_UP, ROLE_SHARED_UP, m, out);
    if (s > 0)
        ops_push(out, op_elementwise(OP_ACTIVATION, ROLE_SHARED_ACTIVATION, m, s, reads));
    push_matmul(tensors, TENSOR_SHARED_DOWN, ROLE_SHARED_DOWN, m, out);
    push_matmul(tensors, TENSOR_SHARED_SHARE, ROLE_SHARED_SHARE, m, out);
    if (gate)
        ops_push(out, op_experts(gate, ROLE_EXPERT_GATE, m, used));
    ops_push(out, op_experts(tensor_find(tensors, TENSOR_EXPERT_UP), ROLE_EXPERT_UP, m, used));
    ops_push(out,
             op_elementwise(OP_ACTIVATION, ROLE_EXPERT_ACTIVATION, m, used * block->d_ff, reads));
    ops_push(out, op_experts(tensor_find(tensors, TENSOR_EXPERT_DOWN), ROLE_EXPERT_DOWN, m, used));
    ops_push(out, op_elementwise(OP_ADD, ROLE_EXPERT_ADD, m, net->d_model, (int)used + (s > 0)));
}

void ffn_ops(const struct transformer *net, const struct block *block,
             const struct tensor_list *tensors, const struct operator_list *pass,
             struct block_ops *out)
{
    int64_t m = pass->n_tokens;
    if (block->n_experts > 0) {
        expert_ops(net, block, tensors, pass, out);
        return;
    }
    const struct tensor *gate = tensor_find(tensors, TENSOR_GATE);
    const struct tensor *up = tensor_find(tensors, TENSOR_UP);
    if (net->ffn == FFN_RWKV_CHANNEL) {
        struct op shift = op_elementwise(OP_ACTIVATION, ROLE_TIME_SHIFT, m, 2 * net->d_model, 1);
        op_reads(&shift, tensor_find(tensors, TENSOR_FFN_SHIFT));
        ops_push(out, shift);
    }
    if (gate)
        ops_push(out, op_matmul(gate, ROLE_GATE, m));
    ops_push(out, op_matmul(up, ROLE_UP, m));
    struct op activation =
        op_elementwise(OP_ACTIVATION, ROLE_ACTIVATION, m, up->rows, ffn_is_gated(net->ffn) ? 2 : 1);
    op_reads(&activation, tensor_find(tensors, TENSOR_ACTIVATION));
    ops_push(out, activation);
    ops_push(out, op_matmul(tensor_find(tensors, TENSOR_DOWN), ROLE_DOWN, m));
}
