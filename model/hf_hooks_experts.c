#include <inttypes.h>

#include "base/memory.h"
#include "model/hf_hooks.h"

/* Makes the stack: layers that `is_dense` says have an FFN of d_ff in place of experts. */
static enum status set_dense(struct transformer *net, const bool *is_dense, int64_t d_ff,
                             struct err *err)
{
    int64_t n = net->schedule.n_layers;
    struct block *blocks = memory_new((size_t)n, sizeof *blocks);
    if (!blocks)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", n);
    for (int64_t i = 0; i < n; i++) {
        blocks[i] = net->stack.first;
        if (is_dense[i]) {
            blocks[i].n_experts = blocks[i].n_experts_used = blocks[i].d_shared = 0;
            blocks[i].d_ff = d_ff;
        }
    }
    enum status status = stack_set(&net->stack, blocks, n, err);
    memory_free(blocks);
    return status;
}

static const struct block *expert_block(const struct transformer *net)
{
    int c = 0;
    while (c < stack_n_classes(&net->stack) - 1 && stack_class(&net->stack, c)->n_experts == 0)
        c++;
    return stack_class(&net->stack, c);
}

/* mlp_only_layers: numbers of layers. */
static enum status mark_listed(const struct json *list, int64_t n, bool *is_dense, struct err *err)
{
    if (json_is_null(list))
        return STATUS_OK;
    if (!json_is_array(list))
        return json_error(list, err, "expected an array of layers");
    for (struct json at = json_first(list); at.item; at = json_next(&at)) {
        int64_t layer = 0;
        enum status status = json_int(&at, 0, n - 1, &layer, err);
        if (status != STATUS_OK)
            return status;
        is_dense[layer] = true;
    }
    return STATUS_OK;
}

enum status hf_read_qwen3_moe(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    int64_t n = net->schedule.n_layers, step = 1, d_ff = 0;
    struct json list = hf_find(reader, "mlp_only_layers");
    enum status status = STATUS_OK;
    if ((status = hf_int(reader, "decoder_sparse_step", 1, 1 << 16, 1, &step, err)) ||
        (status = hf_int(reader, "intermediate_size", 1, 1 << 24, HF_MISSING, &d_ff, err)))
        return status;
    bool *is_dense = memory_new((size_t)n, sizeof *is_dense);
    if (!is_dense)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " layers", n);
    for (int64_t i = 0; i < n; i++)
        is_dense[i] = (i + 1) % step != 0;
    status = mark_listed(&list, n, is_dense, err);
    if (status == STATUS_OK)
        status = set_dense(net, is_dense, d_ff, err);
    memory_free(is_dense);
    return status;
}

void hf_write_qwen3_moe(struct json_node *out, const struct transformer *net)
{
    struct json_node *list = json_add_array(out, "mlp_only_layers");
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        if (transformer_block(net, i)->n_experts == 0)
            json_add_int(list, NULL, i);
    json_add_int(out, "decoder_sparse_step", 1);
}

enum status hf_read_qwen2_moe(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool bias = true;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "qkv_bias", true, &bias, err)) ||
        (status = hf_int(reader, "shared_expert_intermediate_size", 0, 1 << 24, 5632,
                         &net->stack.first.d_shared, err)))
        return status;
    net->biases = bias ? BIAS_QKV : 0;
    net->shared_share = true;
    return hf_read_qwen3_moe(reader, net, err);
}

void hf_write_qwen2_moe(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "qkv_bias", (net->biases & BIAS_QKV) != 0);
    json_add_int(out, "shared_expert_intermediate_size", expert_block(net)->d_shared);
    hf_write_qwen3_moe(out, net);
}

enum status hf_read_phimoe(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool bias = false;
    enum status status = hf_bool(reader, "lm_head_bias", false, &bias, err);
    net->biases |= bias ? BIAS_HEAD : 0;
    return status;
}

void hf_write_phimoe(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "lm_head_bias", (net->biases & BIAS_HEAD) != 0);
}

enum status hf_read_ernie_moe(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    int64_t n = net->schedule.n_layers, first = 0, last = 0, interval = 1, shared = 0, d_ff = 0;
    struct block *block = &net->stack.first;
    enum status status = STATUS_OK;
    if ((status = hf_int(reader, "moe_num_shared_experts", 0, 1 << 10, 2, &shared, err)) ||
        (status = hf_int(reader, "moe_layer_start_index", 0, 1 << 16, 1, &first, err)) ||
        (status = hf_int(reader, "moe_layer_end_index", -1, 1 << 16, -1, &last, err)) ||
        (status = hf_int(reader, "moe_layer_interval", 1, 1 << 16, 1, &interval, err)) ||
        (status = hf_int(reader, "intermediate_size", 1, 1 << 24, HF_MISSING, &d_ff, err)))
        return status;
    net->router_offset = true;
    /* Of training, and how the router's scores become shares. */
    hf_find(reader, "moe_capacity");
    hf_find(reader, "moe_gate");
    hf_find(reader, "moe_use_aux_free");
    block->d_shared = shared * block->d_ff;
    bool *is_dense = memory_new((size_t)n, sizeof *is_dense);
    if (!is_dense)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " layers", n);
    for (int64_t i = 0; i < n; i++)
        is_dense[i] = i < first || (last >= 0 && i > last) || (i + 1) % interval != 0;
    status = set_dense(net, is_dense, d_ff, err);
    memory_free(is_dense);
    return status;
}

void hf_write_ernie_moe(struct json_node *out, const struct transformer *net)
{
    int64_t n = net->schedule.n_layers, first = 0, last = n - 1;
    const struct block *block = expert_block(net);
    while (first < n - 1 && transformer_block(net, first)->n_experts == 0)
        first++;
    while (last > first && transformer_block(net, last)->n_experts == 0)
        last--;
    json_add_int(out, "moe_num_shared_experts", block->d_shared / block->d_ff);
    json_add_int(out, "moe_layer_start_index", first);
    json_add_int(out, "moe_layer_end_index", last);
    json_add_int(out, "moe_layer_interval", 1);
}

enum status hf_read_gpt_oss(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool bias = true;
    enum status status = hf_bool(reader, "attention_bias", true, &bias, err);
    net->biases |= bias ? BIAS_QKV | BIAS_O : 0;
    net->attention_sinks = true;
    return status;
}

void hf_write_gpt_oss(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "attention_bias", (net->biases & BIAS_O) != 0);
}
