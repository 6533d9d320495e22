#include "model/tensors.h"

static void set_vectors(const struct transformer *net, struct tensor_list *list)
{
    for (int i = 0; i < list->n; i++)
        list->tensors[i].f32_vectors = net->f32_vectors;
}

void tensors_of_block(const struct transformer *net, const struct block *block,
                      struct tensor_list *out)
{
    bool before = norm_is_before(net->norm_placement), after = norm_is_after(net->norm_placement);
    bool mixes = block->mixer != MIXER_NONE;
    out->n = 0;
    if (mixes) {
        if (before)
            tensors_add_norm(net, TENSOR_ATTENTION_NORM, out);
        mixer_traits(block->mixer)->tensors(net, block, out);
        if (after)
            tensors_add_norm(net, TENSOR_ATTENTION_POST_NORM, out);
    }
    if (before && !(net->parallel_shared_norm && mixes))
        tensors_add_norm(net, TENSOR_FFN_NORM, out);
    ffn_tensors(net, block, out);
    if (after)
        tensors_add_norm(net, TENSOR_FFN_POST_NORM, out);
    set_vectors(net, out);
}

void tensors_of_layer(const struct transformer *net, int64_t layer, struct tensor_list *out)
{
    const struct type_set *types = layer_types_at(&net->layer_types, layer);
    tensors_of_block(net, transformer_block(net, layer), out);
    for (int i = 0; types && i < out->n; i++) {
        struct tensor *tensor = &out->tensors[i];
        if (tensor->rows > 0)
            tensor->dtype =
                dtype_for_row((enum dtype)types->of_role[tensor->role], tensor->columns);
    }
}

static void note_types(const struct tensor_list *list, bool *used)
{
    for (int i = 0; i < list->n; i++)
        if (list->tensors[i].rows > 0)
            used[list->tensors[i].dtype] = true;
}

void transformer_types(const struct transformer *net, bool *used)
{
    struct tensor_list list;
    tensors_before(net, &list);
    note_types(&list, used);
    tensors_after(net, &list);
    note_types(&list, used);
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        tensors_of_layer(net, i, &list);
        note_types(&list, used);
    }
}

void tensors_before(const struct transformer *net, struct tensor_list *out)
{
    int64_t d = net->d_model, e = net->d_embed;
    out->n = 0;
    tensors_add_matrix(net, TENSOR_EMBEDDING, net->embedding_dtype, net->vocab_size, e, out);
    if (net->position_rows > 0)
        tensors_add_matrix(net, TENSOR_POSITION, net->position_dtype, net->position_rows, d, out);
    if (e != d)
        tensors_add_matrix(net, TENSOR_EMBED_PROJECT, net->block_dtype, d, e, out);
    if (net->embed_norm)
        tensors_add_norm(net, TENSOR_EMBED_NORM, out);
    set_vectors(net, out);
}

void tensors_after(const struct transformer *net, struct tensor_list *out)
{
    int64_t d = net->d_model, e = net->d_embed;
    out->n = 0;
    if (net->final_norm)
        tensors_add_norm(net, TENSOR_FINAL_NORM, out);
    if (e != d)
        tensors_add_matrix(net, TENSOR_HEAD_PROJECT, net->block_dtype, e, d, out);
    tensors_add_matrix(net, TENSOR_HEAD, net->head_dtype, net->vocab_size, e, out);
    out->tensors[out->n - 1].has_weight = !net->tie_embeddings;
    set_vectors(net, out);
}
