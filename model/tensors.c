#include "model/tensors.h"

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
}

void tensors_before(const struct transformer *net, struct tensor_list *out)
{
    int64_t d = net->d_model, e = net->d_embed;
    out->n = 0;
    tensors_add_matrix(net, TENSOR_EMBEDDING, net->embedding_dtype, net->vocab_size, e, out);
    if (net->position_rows > 0)
        tensors_add_matrix(net, TENSOR_POSITION, net->embedding_dtype, net->position_rows, d, out);
    if (e != d)
        tensors_add_matrix(net, TENSOR_EMBED_PROJECT, net->block_dtype, d, e, out);
    if (net->embed_norm)
        tensors_add_norm(net, TENSOR_EMBED_NORM, out);
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
}
