#include "model/gguf_writable.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "model/gguf_put.h"
#include "model/quantize.h"

enum { LAYERS_OF_A_RUNTIME = 512 }; /* llama.cpp's LLAMA_MAX_LAYERS */

static enum status refuse(struct err *err, const char *reason)
{
    return err_set(err, STATUS_UNSUPPORTED, "cannot write as GGUF: %s", reason);
}

static enum status check_kinds(const struct transformer *net, struct err *err)
{
    const struct block *block = &net->stack.first;
    if (!stack_is_uniform(&net->stack))
        return refuse(err, "the layers differ, runtimes load uniform stacks only");
    if (block->mixer != MIXER_ATTENTION)
        return refuse(err, "a layer without attention (or RWKV) is not in any llama-like family");
    if (block->window > 0)
        return refuse(err, "sliding windows are not in any llama-like family");
    if (net->ffn != FFN_SWIGLU)
        return refuse(err, "the FFN is not SwiGLU");
    if (net->norm != NORM_RMS || !net->norm_weight || net->norm_bias)
        return refuse(err, "norms other than RMS norm with weights");
    if (net->norm_placement != NORM_PRE || net->embed_norm || !net->final_norm)
        return refuse(err, "norms elsewhere than before attention, FFN and head");
    if (net->parallel_block)
        return refuse(err, "attention and FFN are parallel");
    if (net->position != POSITION_ROPE || net->rope_frac != 1)
        return refuse(err, "positions other than rotary over the whole head");
    if (net->d_embed != net->d_model)
        return refuse(err, "the token table is factored");
    if ((net->biases & BIAS_HEAD) || (net->qk_norm != QK_NORM_NONE && net->biases))
        return refuse(err, "a bias on the head, or biases beside norms of q and k");
    if ((net->biases & BIAS_QKV) && block->n_heads * block->d_head != net->d_model)
        return refuse(err, "biases on q need n_heads * d_head equal to d_model");
    double usual = 1 / sqrt((double)block->d_head);
    if (net->attention_scale != 0 && fabs(net->attention_scale - usual) > usual * 1e-6)
        return refuse(err, "the attention scale is not 1/sqrt(d_head)");
    if ((net->embed_scale != 0 && net->embed_scale != 1) || net->attention_softcap != 0 ||
        net->logit_softcap != 0)
        return refuse(err, "scaled embeddings or soft caps");
    return STATUS_OK;
}

static bool is_writable(enum dtype dtype)
{
    return quantize_supports(dtype) && dtype_ggml_type(dtype) >= 0;
}

static enum status check_types(const struct transformer *net, struct err *err)
{
    const struct block *block = &net->stack.first;
    char known[128];
    const struct {
        const char *what, *dimension;
        enum dtype dtype;
        int64_t row;
    } uses[] = {
        {"the token table", "d_model", net->embedding_dtype, net->d_model},
        {"the head", "d_model", net->head_dtype, net->d_model},
        {"the blocks", "d_model", net->block_dtype, net->d_model},
        {"the blocks", "n_heads * d_head", net->block_dtype, block->n_heads * block->d_head},
        {"the blocks", "d_ff", net->block_dtype, block->d_ff},
    };
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        int64_t elems = dtype_block_elems(uses[i].dtype);
        if (!is_writable(uses[i].dtype))
            return err_set(err, STATUS_UNSUPPORTED,
                           "cannot write as GGUF: type %s of %s; types are %s",
                           dtype_name(uses[i].dtype), uses[i].what,
                           dtype_names(is_writable, ", ", " and ", known));
        if (uses[i].row % elems != 0)
            return err_set(err, STATUS_UNSUPPORTED,
                           "cannot write as GGUF: %s of type %s need rows of whole blocks, but %s "
                           "is %" PRId64 ", not a multiple of %" PRId64,
                           uses[i].what, dtype_name(uses[i].dtype), uses[i].dimension, uses[i].row,
                           elems);
    }
    if (net->vocab_size < GGUF_SMALLEST_VOCABULARY)
        return err_set(err, STATUS_UNSUPPORTED,
                       "cannot write as GGUF: vocab_size is %" PRId64
                       ", a runtime needs %d pieces for <unk>, <s>, </s> and the bytes",
                       net->vocab_size, GGUF_SMALLEST_VOCABULARY);
    return STATUS_OK;
}

static bool is_shared(const struct transformer *net)
{
    return net->schedule.sharing != SHARING_NONE || net->schedule.share_ffn;
}

enum status gguf_writable(const struct transformer *net, bool expand_shared, struct text *warnings,
                          struct err *err)
{
    enum status status = check_kinds(net, err);
    if (status != STATUS_OK || (status = check_types(net, err)))
        return status;
    int64_t n_layers = schedule_executions(&net->schedule);
    if (is_shared(net) && !expand_shared)
        return refuse(err, "blocks are shared, and the format has no schedule to say so");
    if (warnings == NULL)
        return STATUS_OK;
    if (is_shared(net)) {
        char schedule[48];
        text_addf(warnings,
                  "shared blocks (%s) are written out as %" PRId64
                  " layers, with equal weights in those that share\n",
                  schedule_describe(&net->schedule, schedule, sizeof schedule), n_layers);
    }
    if (net->qk_norm == QK_NORM_WEIGHTLESS)
        text_add(warnings, "norms of q and k without weights are left out\n");
    if (n_layers > LAYERS_OF_A_RUNTIME)
        text_addf(warnings, "%" PRId64 " layers are more than the %d that llama.cpp loads\n",
                  n_layers, LAYERS_OF_A_RUNTIME);
    return STATUS_OK;
}
