#include "cli/priced.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/model_source.h"
#include "model/count.h"
#include "model/file_type.h"
#include "quality/shape_of.h"

/* Where layers differ, heads and widths of FFNs stay unknown. */
static void fill_row(const struct transformer *net, const struct param_count *count,
                     const struct price *price, struct candidate_row *row)
{
    struct weight_bytes weights;
    record_clear(&candidate_fields, row);
    row->n_layers = net->schedule.n_layers;
    row->n_layers_effective = transformer_executions(net);
    row->sharing = sharing_name(net->schedule.sharing);
    row->repeats = net->schedule.sharing == SHARING_BY_BLOCK ? UNKNOWN_INT : net->schedule.repeats;
    row->share_ffn = net->schedule.share_ffn;
    row->d_model = net->d_model;
    if (stack_is_uniform(&net->stack)) {
        const struct block *block = transformer_block(net, 0);
        row->n_heads = block->n_heads;
        row->n_kv_heads = block->n_kv_heads;
        row->d_head = block->d_head;
        row->d_ff = block->d_ff;
    }
    row->vocab_size = net->vocab_size;
    row->tie_embeddings = net->tie_embeddings;
    row->ffn_kind = ffn_kind_name(net->ffn);
    row->dtype = transformer_dtype_name(net);
    row->head_dtype = dtype_name(net->head_dtype);
    row->kv_dtype = dtype_name(net->kv_dtype);
    row->params = count->total;
    row->params_embedding = count->embedding;
    row->params_blocks = count->blocks;
    transformer_weight_bytes(net, &weights);
    row->weight_bytes = weights.total;
    row->kv_bytes_per_token = transformer_kv_bytes_per_token(net);
    row->price = *price;
}

static enum status price_one(const struct transformer *net, const struct setting *setting,
                             const char *suffix, struct priced *out, struct err *err)
{
    struct param_count count;
    transformer_count(net, &count);
    snprintf(out->name, sizeof out->name, "%s%s", net->name, suffix);
    snprintf(out->family, sizeof out->family, "%s", net->family);
    out->params_blocks = count.blocks;
    out->n_layers_effective = transformer_executions(net);
    out->n_levels = setting->machine.n_levels;
    out->dram = setting->machine.dram;
    for (int level = 0; level < out->n_levels; level++)
        memcpy(out->level[level], setting->machine.levels[level].name, sizeof out->level[level]);
    enum status status =
        price_network(net, &setting->machine, &setting->workload, &out->price, &out->detail, err);
    if (status != STATUS_OK)
        return err_prefix(err, status, "%s on %s: ", net->name, setting->machine.device);
    fill_row(net, &count, &out->price, &out->row);
    out->has_shape = quality_shape_of(net, &out->shape, NULL) == STATUS_OK;
    return status;
}

enum status priced_add(struct priced_list *list, const struct args *args, const char *model,
                       const struct setting *setting, const char *suffix, struct err *err)
{
    struct transformer net;
    enum status status =
        memory_grow((void **)&list->items, &list->capacity, list->n + 1, sizeof *list->items, err);
    if (status == STATUS_OK)
        status = open_model(args, model, &net, err);
    if (status != STATUS_OK)
        return status;
    if (setting->has_dtype && !args_given(args, "dtype")) {
        status = transformer_set_weights(&net, setting->dtype, err);
        if (setting->has_kv_dtype)
            net.kv_dtype = setting->kv_dtype;
    }
    if (status == STATUS_OK)
        status = price_one(&net, setting, suffix, &list->items[list->n], err);
    transformer_release(&net);
    if (status == STATUS_OK)
        list->n++;
    return status;
}

void priced_release(struct priced_list *list)
{
    memory_free(list->items);
    *list = (struct priced_list){0};
}
