#include "quality/shape_of.h"

static bool uniform(const struct transformer *net)
{
    for (int64_t i = 1; i < net->schedule.n_layers; i++)
        if (!block_equal(transformer_block(net, i), transformer_block(net, 0)))
            return false;
    return true;
}

enum quality_weights quality_weights_of(enum dtype dtype)
{
    int64_t bits = 8 * dtype_block_bytes(dtype_base(dtype)),
            elems = dtype_block_elems(dtype_base(dtype));
    if (bits >= 16 * elems)
        return QUALITY_WIDE_WEIGHTS;
    return bits >= 8 * elems ? QUALITY_8_BIT_WEIGHTS : QUALITY_FEW_BIT_WEIGHTS;
}

enum status quality_shape_of(const struct transformer *net, struct quality_shape *out,
                             struct err *err)
{
    const struct block *block = transformer_block(net, 0);
    if (!uniform(net))
        return err_set(err, STATUS_UNSUPPORTED,
                       "'%s' has layers that differ: the law of loss knows equal ones", net->name);
    if (block->mixer != MIXER_ATTENTION)
        return err_set(err, STATUS_UNSUPPORTED,
                       "'%s' has no attention: no loss in the data speaks of it", net->name);
    if (block->n_experts > 0)
        return err_set(err, STATUS_UNSUPPORTED,
                       "'%s' has a mixture of experts: no loss in the data speaks of it",
                       net->name);
    *out = (struct quality_shape){
        .d_model = (double)net->d_model,
        .n_layers = (double)net->schedule.n_layers,
        .repeats = (double)net->schedule.repeats,
        .n_heads = (double)block->n_heads,
        .n_kv_heads = (double)block->n_kv_heads,
        .d_head = (double)block->d_head,
        .d_ff = (double)block->d_ff,
        .vocab = (double)net->vocab_size,
        .gated = ffn_is_gated(net->ffn),
        .tied = net->tie_embeddings,
        .shared_ffn = net->schedule.share_ffn,
        .weights = quality_weights_of(net->block_dtype),
    };
    return STATUS_OK;
}
