#include "model/hf_hooks.h"

#include <math.h>
#include <string.h>

enum status hf_read_mobilellm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool share_embedding = false, layer_sharing = false;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "share_embedding", false, &share_embedding, err)) ||
        (status = hf_bool(reader, "layer_sharing", false, &layer_sharing, err)))
        return status;
    net->tie_embeddings = net->tie_embeddings || share_embedding;
    if (layer_sharing) {
        net->schedule.sharing = SHARING_IMMEDIATE;
        net->schedule.repeats = 2;
    }
    return STATUS_OK;
}

void hf_write_mobilellm(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "share_embedding", net->tie_embeddings);
    json_add_bool(out, "layer_sharing", net->schedule.sharing == SHARING_IMMEDIATE);
    struct json_node *map = json_add_object(out, "auto_map");
    json_add_string(map, "AutoConfig", "configuration_mobilellm.MobileLLMConfig");
    json_add_string(map, "AutoModelForCausalLM", "modeling_mobilellm.MobileLLMForCausalLM");
}

enum status hf_read_llama4(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool use_qk_norm = false;
    int64_t experts = 0, step = 0, chunk = 0, unused = 0;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "use_qk_norm", true, &use_qk_norm, err)) ||
        (status = hf_int(reader, "num_local_experts", 0, INT32_MAX, 0, &experts, err)) ||
        (status = hf_int(reader, "interleave_moe_layer_step", 0, INT32_MAX, 1, &step, err)) ||
        (status = hf_int(reader, "attention_chunk_size", 0, INT32_MAX, 0, &chunk, err)) ||
        (status = hf_int(reader, "num_experts_per_tok", 0, INT32_MAX, 0, &unused, err)) ||
        (status = hf_int(reader, "intermediate_size", 0, INT32_MAX, 0, &unused, err)))
        return status;
    struct json layers = hf_find(reader, "moe_layers");
    bool has_experts = json_is_null(&layers) ? step > 0 : json_length(&layers) > 0;
    if (experts > 1 && has_experts)
        return err_set(err, STATUS_UNSUPPORTED,
                       "a mixture of %lld experts ('num_local_experts') is not a shape lathe knows",
                       (long long)experts);
    if (chunk > 0 && chunk < net->max_context)
        hf_warn(
            reader,
            "key 'attention_chunk_size' is ignored: attention is priced over the whole context");
    net->qk_norm = use_qk_norm ? QK_NORM_WEIGHTLESS : QK_NORM_NONE;
    return STATUS_OK;
}

void hf_write_llama4(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "use_qk_norm", net->qk_norm == QK_NORM_WEIGHTLESS);
    json_add_int(out, "intermediate_size", net->stack.first.d_ff);
    json_add_array(out, "moe_layers");
    json_add_int(out, "interleave_moe_layer_step", 0);
    json_add_int(out, "num_local_experts", 0);
    json_add_null(out, "attention_chunk_size");
}

enum status hf_read_gemma(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = STATUS_OK;
    double scalar = 0;
    if ((status = hf_number(reader, "query_pre_attn_scalar", 1e-9, 1e9, 0, &scalar, err)))
        return status;
    if (scalar > 0 && scalar != (double)net->stack.first.d_head)
        net->attention_scale = 1 / sqrt(scalar);
    net->embed_scale = sqrt((double)net->d_model);
    return STATUS_OK;
}

enum status hf_read_gemma2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = STATUS_OK;
    struct json attn = hf_find(reader, "attn_logit_softcapping");
    struct json final = hf_find(reader, "final_logit_softcapping");
    net->attention_softcap = attn.item ? 0 : 50;
    net->logit_softcap = final.item ? 0 : 30;
    if ((!json_is_null(&attn) &&
         (status = json_number(&attn, 0, 1e9, &net->attention_softcap, err))) ||
        (!json_is_null(&final) && (status = json_number(&final, 0, 1e9, &net->logit_softcap, err))))
        return status;
    return hf_read_gemma(reader, net, err);
}

void hf_write_gemma(struct json_node *out, const struct transformer *net)
{
    double scale = net->attention_scale;
    json_add_number(out, "query_pre_attn_scalar",
                    scale > 0 ? 1 / (scale * scale) : (double)net->stack.first.d_head);
}

void hf_write_gemma2(struct json_node *out, const struct transformer *net)
{
    hf_write_gemma(out, net);
    json_add_number(out, "attn_logit_softcapping",
                    net->attention_softcap > 0 ? net->attention_softcap : NAN);
    json_add_number(out, "final_logit_softcapping",
                    net->logit_softcap > 0 ? net->logit_softcap : NAN);
}

enum status hf_read_phi(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    (void)net;
    bool qk_norm = false;
    enum status status = hf_bool(reader, "qk_layernorm", false, &qk_norm, err);
    if (status == STATUS_OK && qk_norm)
        return err_set(err, STATUS_UNSUPPORTED,
                       "layer norms on queries and keys ('qk_layernorm') are not known");
    return status;
}

enum status hf_read_opt(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool norm_before = true, remove_final = false, bias = true, affine = true;
    enum status status = STATUS_OK;
    if ((status =
             hf_int(reader, "word_embed_proj_dim", 1, 1 << 20, net->d_model, &net->d_embed, err)) ||
        (status = hf_bool(reader, "do_layer_norm_before", true, &norm_before, err)) ||
        (status = hf_bool(reader, "_remove_final_layer_norm", false, &remove_final, err)) ||
        (status = hf_bool(reader, "enable_bias", true, &bias, err)) ||
        (status = hf_bool(reader, "layer_norm_elementwise_affine", true, &affine, err)))
        return status;
    net->norm_placement = norm_before ? NORM_PRE : NORM_POST;
    net->final_norm = norm_before && !remove_final;
    net->biases = bias ? net->biases : 0;
    net->norm_weight = net->norm_bias = affine;
    return STATUS_OK;
}

void hf_write_opt(struct json_node *out, const struct transformer *net)
{
    json_add_int(out, "word_embed_proj_dim", net->d_embed);
    json_add_bool(out, "do_layer_norm_before", net->norm_placement == NORM_PRE);
    json_add_bool(out, "_remove_final_layer_norm", !net->final_norm);
    json_add_bool(out, "enable_bias", net->biases != 0);
    json_add_bool(out, "layer_norm_elementwise_affine", net->norm_weight);
}

/* SantaCoder and StarCoder: one key/value head for all. */
static enum status read_multi_query(struct hf_reader *reader, bool absent, struct transformer *net,
                                    struct err *err)
{
    bool multi_query = absent;
    const char *kind = "";
    enum status status = hf_bool(reader, "multi_query", absent, &multi_query, err);
    if (status != STATUS_OK || (status = hf_string(reader, "attention_head_type", "", &kind, err)))
        return status;
    if (multi_query || strcmp(kind, "multiquery") == 0)
        net->stack.first.n_kv_heads = 1;
    return STATUS_OK;
}

enum status hf_read_gpt2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool scale = true, by_layer = false;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "scale_attn_weights", true, &scale, err)) ||
        (status = hf_bool(reader, "scale_attn_by_inverse_layer_idx", false, &by_layer, err)))
        return status;
    net->attention_scale = scale ? 0 : 1;
    return read_multi_query(reader, strcmp(net->family, "gpt_bigcode") == 0, net, err);
}

void hf_write_gpt2(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "scale_attn_weights", net->attention_scale != 1);
    if (net->stack.first.n_kv_heads != net->stack.first.n_heads)
        json_add_bool(out, "multi_query", true);
}

void hf_write_gpt_bigcode(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "scale_attn_weights", net->attention_scale != 1);
    json_add_bool(out, "multi_query", net->stack.first.n_kv_heads == 1);
}

enum status hf_read_gpt_neo(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    (void)reader;
    (void)err;
    net->attention_scale = 1;
    return STATUS_OK;
}

enum status hf_read_gpt_neox(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool bias = true;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "use_parallel_residual", true, &net->parallel_block, err)) ||
        (status = hf_bool(reader, "attention_bias", true, &bias, err)))
        return status;
    net->biases |= bias ? BIAS_QKV | BIAS_O : 0;
    return STATUS_OK;
}

void hf_write_gpt_neox(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "use_parallel_residual", net->parallel_block);
    json_add_bool(out, "attention_bias", (net->biases & BIAS_QKV) != 0);
}

/* One key/value head, all of them, or num_kv_heads; one norm or two; alibi or rotary. */
enum status hf_read_falcon(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool new_decoder = false, multi_query = true, parallel = true, bias = false, alibi = false;
    int64_t kv_heads = 0, n_norms = 0;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "new_decoder_architecture", false, &new_decoder, err)) ||
        (status = hf_bool(reader, "multi_query", true, &multi_query, err)) ||
        (status = hf_bool(reader, "parallel_attn", true, &parallel, err)) ||
        (status = hf_bool(reader, "bias", false, &bias, err)) ||
        (status = hf_bool(reader, "alibi", false, &alibi, err)) ||
        (status = hf_int(reader, "num_kv_heads n_head_kv", 1, 1 << 14, net->stack.first.n_heads,
                         &kv_heads, err)) ||
        (status =
             hf_int(reader, "num_ln_in_parallel_attn", 1, 2, new_decoder ? 2 : 1, &n_norms, err)))
        return status;
    net->stack.first.n_kv_heads = new_decoder   ? kv_heads
                                  : multi_query ? 1
                                                : net->stack.first.n_heads;
    net->position = alibi ? POSITION_ALIBI : POSITION_ROPE;
    net->biases = bias ? BIAS_QKV | BIAS_O | BIAS_FFN : 0;
    net->parallel_block = new_decoder || parallel;
    net->parallel_shared_norm = net->parallel_block && !(new_decoder && n_norms == 2);
    return STATUS_OK;
}

void hf_write_falcon(struct json_node *out, const struct transformer *net)
{
    const struct block *b = &net->stack.first;
    bool two_norms = net->parallel_block && !net->parallel_shared_norm;
    bool few_heads = b->n_kv_heads != 1 && b->n_kv_heads != b->n_heads;
    bool new_decoder = two_norms || (net->parallel_block && few_heads);
    json_add_bool(out, "new_decoder_architecture", new_decoder);
    json_add_bool(out, "multi_query", b->n_kv_heads == 1);
    json_add_int(out, "num_kv_heads", b->n_kv_heads);
    json_add_bool(out, "parallel_attn", net->parallel_block);
    if (new_decoder)
        json_add_int(out, "num_ln_in_parallel_attn", two_norms ? 2 : 1);
    json_add_bool(out, "bias", net->biases != 0);
    json_add_bool(out, "alibi", net->position == POSITION_ALIBI);
}

enum status hf_read_rwkv(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    int64_t width = 0;
    enum status status =
        hf_int(reader, "attention_hidden_size", 1, 1 << 20, net->d_model, &width, err);
    if (status != STATUS_OK)
        return status;
    if (width != net->d_model)
        return err_set(err, STATUS_UNSUPPORTED,
                       "'attention_hidden_size' other than 'hidden_size' is not known");
    net->stack.first.mixer = MIXER_RWKV;
    net->ffn = FFN_RWKV_CHANNEL;
    return STATUS_OK;
}

void hf_write_rwkv(struct json_node *out, const struct transformer *net)
{
    json_add_int(out, "attention_hidden_size", net->d_model);
}
