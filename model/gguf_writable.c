#include "model/gguf_writable.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "model/gguf_put.h"
#include "model/quantize.h"
#include "model/tensors.h"

enum { LAYERS_OF_A_RUNTIME = 512 }; /* llama.cpp's LLAMA_MAX_LAYERS */

static enum status refuse(struct err *err, const char *reason)
{
    return err_set(err, STATUS_UNSUPPORTED, "cannot write as GGUF: %s", reason);
}

static const struct block *first_with_attention(const struct transformer *net)
{
    for (int c = 0; c < stack_n_classes(&net->stack); c++)
        if (stack_class(&net->stack, c)->mixer == MIXER_ATTENTION)
            return stack_class(&net->stack, c);
    return NULL;
}

/* What no architecture below holds. */
static enum status check_blocks(const struct transformer *net, struct err *err)
{
    const struct block *typical = first_with_attention(net);
    if (typical == NULL)
        return refuse(err, "no layer has attention");
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        const struct block *block = stack_class(&net->stack, c);
        if (block->n_experts > 0)
            return refuse(err, "a mixture of experts can be priced, not run");
        if (block->mixer == MIXER_NONE)
            continue;
        if (block->mixer != MIXER_ATTENTION)
            return refuse(err, "a layer of RWKV");
        if (block->d_head != typical->d_head)
            return refuse(err, "d_head differs by layer, and the format has one for all");
        if ((net->biases & BIAS_QKV) && block->n_heads * block->d_head != net->d_model)
            return refuse(err, "biases on q need n_heads * d_head equal to d_model");
    }
    double usual = 1 / sqrt((double)typical->d_head);
    if (net->attention_scale != 0 && fabs(net->attention_scale - usual) > usual * 1e-6)
        return refuse(err, "the attention scale is not 1/sqrt(d_head)");
    return STATUS_OK;
}

static bool is_gemma(const struct transformer *net)
{
    double scale = sqrt((double)net->d_model);
    return net->ffn == FFN_GEGLU && fabs(net->embed_scale - scale) < 1e-6 * scale;
}

static enum status check_kinds(const struct transformer *net, struct err *err)
{
    if (net->ffn != FFN_SWIGLU && !is_gemma(net))
        return refuse(err, "the FFN is not SwiGLU");
    if (net->norm != NORM_RMS || !net->norm_weight || net->norm_bias)
        return refuse(err, "norms other than RMS norm with weights");
    if ((net->norm_placement != NORM_PRE && !is_gemma(net)) || net->embed_norm || !net->final_norm)
        return refuse(err, "norms elsewhere than before attention, FFN and head");
    if (net->parallel_block)
        return refuse(err, "attention and FFN are parallel");
    if (net->position != POSITION_ROPE || net->rope_frac != 1)
        return refuse(err, "positions other than rotary over the whole head");
    if (net->d_embed != net->d_model)
        return refuse(err, "the token table is factored");
    if ((net->biases & BIAS_HEAD) || (net->qk_norm != QK_NORM_NONE && net->biases))
        return refuse(err, "a bias on the head, or biases beside norms of q and k");
    if (!is_gemma(net) && ((net->embed_scale != 0 && net->embed_scale != 1) ||
                           net->attention_softcap != 0 || net->logit_softcap != 0))
        return refuse(err, "scaled embeddings or soft caps");
    return check_blocks(net, err);
}

/* Why an architecture does not hold the network, whose blocks run once each; NULL: it does. */

static bool has_windows(const struct transformer *net)
{
    for (int c = 0; c < stack_n_classes(&net->stack); c++)
        if (stack_class(&net->stack, c)->window > 0)
            return true;
    return false;
}

static bool all_attend(const struct transformer *net)
{
    for (int c = 0; c < stack_n_classes(&net->stack); c++)
        if (stack_class(&net->stack, c)->mixer != MIXER_ATTENTION)
            return false;
    return true;
}

static bool norms_qk(const struct transformer *net)
{
    return net->qk_norm == QK_NORM_WEIGHTED;
}

static const char *not_uniform(const struct transformer *net)
{
    if (!stack_is_uniform(&net->stack))
        return "has one shape of layer";
    return has_windows(net) ? "has no windows" : NULL;
}

static const char *not_qwen3(const struct transformer *net)
{
    return norms_qk(net) ? not_uniform(net) : "needs norms of q and k";
}

static const char *not_qwen2(const struct transformer *net)
{
    return net->biases == BIAS_QKV ? not_uniform(net) : "has biases on q, k and v";
}

static const char *not_llama(const struct transformer *net)
{
    return norms_qk(net) ? "has no norms of q and k" : not_uniform(net);
}

static const char *not_deci(const struct transformer *net)
{
    if (has_windows(net))
        return "has no windows";
    if (norms_qk(net))
        return "has no norms of q and k";
    return net->stack.first.mixer == MIXER_ATTENTION
               ? NULL
               : "needs attention in the first layer, which gives the size of a head";
}

static const char *not_openelm(const struct transformer *net)
{
    if (has_windows(net))
        return "has no windows";
    if (!all_attend(net))
        return "needs attention in every layer";
    if (!norms_qk(net))
        return "needs norms of q and k";
    return net->tie_embeddings ? NULL : "needs a head tied to the token table";
}

static const char *not_mimo2(const struct transformer *net)
{
    int64_t window = 0;
    if (!all_attend(net))
        return "needs attention in every layer";
    if (norms_qk(net))
        return "has no norms of q and k";
    if (net->biases)
        return "has no biases";
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        const struct block *block = stack_class(&net->stack, c);
        if (block->d_ff != net->stack.first.d_ff)
            return "has one d_ff for all layers";
        if (window > 0 && block->window > 0 && block->window != window)
            return "has one window for all layers that have one";
        window = block->window > 0 ? block->window : window;
    }
    return window > 0 ? NULL : "needs windows";
}

/* Of `period` layers the last sees all, the others have the window; 0: none has. */
static const char *not_gemma_layers(const struct transformer *net, int64_t period)
{
    const struct block *first = &net->stack.first;
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        struct block expected = *first;
        expected.window = period > 0 && i % period < period - 1 ? first->window : 0;
        if (!block_equal(transformer_block(net, i), &expected))
            return period == 0   ? "has one shape of layer and no windows"
                   : period == 2 ? "has one shape of layer, and a window in every other"
                                 : "has one shape of layer, and a window in five of six";
    }
    return period > 0 && first->window == 0 ? "needs windows" : NULL;
}

static const char *not_any_gemma(const struct transformer *net)
{
    if (net->biases)
        return "has no biases";
    return net->tie_embeddings ? NULL : "has a tied head";
}

static const char *not_gemma(const struct transformer *net)
{
    if (net->norm_placement != NORM_PRE || norms_qk(net))
        return "has no norms after attention and FFN or of q and k";
    if (net->attention_softcap != 0 || net->logit_softcap != 0)
        return "has no soft caps";
    const char *reason = not_gemma_layers(net, 0);
    return reason != NULL ? reason : not_any_gemma(net);
}

/* llama.cpp scales the logits of the largest of each family, which it knows by its depth, otherwise.
 */
static const char *not_gemma2(const struct transformer *net)
{
    if (net->norm_placement != NORM_SANDWICH || norms_qk(net))
        return "has norms after attention and FFN, not of q and k";
    if (net->attention_softcap == 0 || net->logit_softcap == 0)
        return "has soft caps";
    if (net->schedule.n_layers == 46)
        return "has another attention scale where there are 46 layers";
    const char *reason = not_gemma_layers(net, 2);
    return reason != NULL ? reason : not_any_gemma(net);
}

static const char *not_gemma3(const struct transformer *net)
{
    if (net->norm_placement != NORM_SANDWICH || !norms_qk(net))
        return "has norms after attention and FFN and of q and k";
    if (net->attention_softcap != 0 || net->logit_softcap != 0)
        return "has no soft caps";
    if (net->schedule.n_layers == 62)
        return "has another attention scale where there are 62 layers";
    const char *reason = not_gemma_layers(net, 6);
    return reason != NULL ? reason : not_any_gemma(net);
}

/* The first that holds a network is taken. Source: llama.cpp, src/llama-model.cpp and src/models/
 * (what each loader reads by layer). */
static const struct {
    struct gguf_layout layout;
    const char *(*why_not)(const struct transformer *net);
    bool is_gemma;
    bool is_plain; /* not worth a word where layers differ */
} rows[] = {
    {{.architecture = "qwen3"}, .why_not = not_qwen3, .is_plain = true},
    {{.architecture = "qwen2"}, .why_not = not_qwen2, .is_plain = true},
    {{.architecture = "llama"}, .why_not = not_llama},
    {{.architecture = "deci"}, .why_not = not_deci},
    {{.architecture = "openelm", .fuses_qkv = true}, .why_not = not_openelm},
    {{.architecture = "mimo2", .is_untied = true, .windows = GGUF_WINDOWS_LISTED},
     .why_not = not_mimo2},
    {{.architecture = "gemma"}, .why_not = not_gemma, .is_gemma = true},
    {{.architecture = "gemma2", .windows = GGUF_WINDOWS_IMPLIED},
     .why_not = not_gemma2,
     .is_gemma = true},
    {{.architecture = "gemma3", .windows = GGUF_WINDOWS_IMPLIED},
     .why_not = not_gemma3,
     .is_gemma = true},
};

static enum status choose(const struct transformer *net, const struct gguf_layout **layout,
                          struct err *err)
{
    struct text reasons = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].is_gemma != is_gemma(net))
            continue;
        const char *reason = rows[i].why_not(net);
        if (reason == NULL) {
            text_release(&reasons);
            *layout = &rows[i].layout;
            return STATUS_OK;
        }
        if (!rows[i].is_plain)
            text_addf(&reasons, "%s%s %s", reasons.length > 0 ? ", " : "",
                      rows[i].layout.architecture, reason);
    }
    enum status status =
        err_set(err, STATUS_UNSUPPORTED,
                "cannot write as GGUF: no architecture of llama.cpp holds these layers: %s",
                reasons.data != NULL ? reasons.data : "");
    text_release(&reasons);
    return status;
}

static bool is_writable(enum dtype dtype)
{
    return quantize_supports(dtype) && dtype_ggml_type(dtype) >= 0;
}

static enum status check_type(const char *what, const char *dimension, enum dtype dtype,
                              int64_t row, struct err *err)
{
    char known[DTYPE_NAMES_SIZE];
    int64_t elems = dtype_block_elems(dtype);
    if (!is_writable(dtype))
        return err_set(err, STATUS_UNSUPPORTED, "cannot write as GGUF: type %s of %s; types are %s",
                       dtype_name(dtype), what, dtype_names(is_writable, ", ", " and ", known));
    if (row % elems != 0)
        return err_set(err, STATUS_UNSUPPORTED,
                       "cannot write as GGUF: %s of type %s need rows of whole blocks, but %s "
                       "is %" PRId64 ", not a multiple of %" PRId64,
                       what, dtype_name(dtype), dimension, row, elems);
    return STATUS_OK;
}

static enum status check_list(const struct tensor_list *list, struct err *err)
{
    for (int i = 0; i < list->n; i++) {
        const struct tensor *tensor = &list->tensors[i];
        enum tensor_role role = tensor->role;
        const char *what = role == TENSOR_EMBEDDING  ? "the token table"
                           : role == TENSOR_POSITION ? "the positions"
                           : role == TENSOR_HEAD     ? "the head"
                                                     : "the blocks";
        const char *dimension = role == TENSOR_O      ? "n_heads * d_head"
                                : role == TENSOR_DOWN ? "d_ff"
                                                      : "d_model";
        if (tensor->rows == 0)
            continue;
        enum status status = check_type(what, dimension, tensor->dtype, tensor->columns, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status check_types(const struct transformer *net, struct err *err)
{
    struct tensor_list list;
    enum status status = STATUS_OK;
    tensors_before(net, &list);
    if ((status = check_list(&list, err)))
        return status;
    tensors_after(net, &list);
    if ((status = check_list(&list, err)))
        return status;
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        tensors_of_layer(net, i, &list);
        if ((status = check_list(&list, err)))
            return status;
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

enum status gguf_writable(const struct transformer *net, bool expand_shared,
                          const struct gguf_layout **layout, struct text *warnings, struct err *err)
{
    struct transformer layers;
    enum status status = check_kinds(net, err);
    if (status != STATUS_OK || (status = transformer_expand(net, &layers, err)))
        return status;
    status = choose(&layers, layout, err);
    transformer_release(&layers);
    if (status != STATUS_OK || (status = check_types(net, err)))
        return status;
    int64_t n_layers = transformer_executions(net);
    if (is_shared(net) && !expand_shared)
        return refuse(err, "blocks are shared, and the format has no schedule to say so");
    if ((*layout)->is_untied && net->tie_embeddings && !expand_shared)
        return refuse(err, "the head is tied, and no architecture with windows has a tied head");
    if (warnings == NULL)
        return STATUS_OK;
    if (is_shared(net)) {
        char schedule[48];
        text_addf(warnings,
                  "shared blocks (%s) are written out as %" PRId64
                  " layers, with equal weights in those that share\n",
                  schedule_describe(&net->schedule, schedule, sizeof schedule), n_layers);
    }
    if ((*layout)->is_untied && net->tie_embeddings)
        text_addf(warnings,
                  "the tied head is written out a second time: %s, which has windows, has no tied "
                  "head\n",
                  (*layout)->architecture);
    if (net->qk_norm == QK_NORM_WEIGHTLESS)
        text_add(warnings, "norms of q and k without weights are left out\n");
    if (n_layers > LAYERS_OF_A_RUNTIME)
        text_addf(warnings, "%" PRId64 " layers are more than the %d that llama.cpp loads\n",
                  n_layers, LAYERS_OF_A_RUNTIME);
    return STATUS_OK;
}
