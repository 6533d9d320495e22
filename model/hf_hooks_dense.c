#include "model/hf_hooks.h"

#include <math.h>
#include <string.h>

enum status hf_read_granite(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    double logits = 1;
    enum status status = STATUS_OK;
    if ((status =
             hf_number(reader, "embedding_multiplier", 1e-9, 1e9, 1, &net->embed_scale, err)) ||
        (status =
             hf_number(reader, "residual_multiplier", 1e-9, 1e9, 1, &net->residual_scale, err)) ||
        (status =
             hf_number(reader, "attention_multiplier", 1e-9, 1e9, 1, &net->attention_scale, err)) ||
        (status = hf_number(reader, "logits_scaling", 1e-9, 1e9, 1, &logits, err)))
        return status;
    net->logit_scale = 1 / logits;
    return STATUS_OK;
}

/* 0 is none. */
static double or_1(double scale)
{
    return scale > 0 ? scale : 1;
}

static double score_scale(const struct transformer *net)
{
    return net->attention_scale > 0 ? net->attention_scale
                                    : 1 / sqrt((double)net->stack.first.d_head);
}

void hf_write_granite(struct json_node *out, const struct transformer *net)
{
    json_add_number(out, "embedding_multiplier", or_1(net->embed_scale));
    json_add_number(out, "residual_multiplier", or_1(net->residual_scale));
    json_add_number(out, "attention_multiplier", score_scale(net));
    json_add_number(out, "logits_scaling", 1 / or_1(net->logit_scale));
}

/* The hub's code: embeddings times scale_emb, branches times scale_depth / sqrt(layers), the last
 * state divided by hidden_size / dim_model_base. */
enum status hf_read_minicpm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    double depth = 1, base = 1;
    enum status status = STATUS_OK;
    if ((status = hf_number(reader, "scale_emb", 1e-9, 1e9, 1, &net->embed_scale, err)) ||
        (status = hf_number(reader, "scale_depth", 1e-9, 1e9, 1, &depth, err)) ||
        (status = hf_number(reader, "dim_model_base", 1e-9, 1e9, 1, &base, err)))
        return status;
    net->residual_scale = depth / sqrt((double)net->schedule.n_layers);
    net->logit_scale = base / (double)net->d_model;
    if (hf_has(reader, "sparse_config"))
        hf_warn(reader,
                "key 'sparse_config' is ignored: attention is priced over the whole context");
    return STATUS_OK;
}

void hf_write_minicpm(struct json_node *out, const struct transformer *net)
{
    json_add_number(out, "scale_emb", or_1(net->embed_scale));
    json_add_number(out, "scale_depth",
                    or_1(net->residual_scale) * sqrt((double)net->schedule.n_layers));
    json_add_number(out, "dim_model_base", or_1(net->logit_scale) * (double)net->d_model);
}

enum status hf_read_hunyuan(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool norms = true;
    enum status status = hf_bool(reader, "use_qk_norm", true, &norms, err);
    net->qk_norm = norms ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    net->qk_norm_after_rope = norms;
    return status;
}

static enum status add_bias(struct hf_reader *reader, const char *key, bool absent, unsigned bits,
                            struct transformer *net, struct err *err)
{
    bool bias = absent;
    enum status status = hf_bool(reader, key, absent, &bias, err);
    net->biases |= bias ? bits : 0;
    return status;
}

static void write_bias(struct json_node *out, const char *key, const struct transformer *net,
                       unsigned bit)
{
    json_add_bool(out, key, (net->biases & bit) != 0);
}

enum status hf_read_seed_oss(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = add_bias(reader, "attention_bias", true, BIAS_QKV, net, err);
    return status ? status : add_bias(reader, "attention_out_bias", false, BIAS_O, net, err);
}

void hf_write_seed_oss(struct json_node *out, const struct transformer *net)
{
    write_bias(out, "attention_bias", net, BIAS_QKV);
    write_bias(out, "attention_out_bias", net, BIAS_O);
}

enum status hf_read_internlm2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    return add_bias(reader, "bias", true, BIAS_QKV | BIAS_O, net, err);
}

void hf_write_internlm2(struct json_node *out, const struct transformer *net)
{
    write_bias(out, "bias", net, BIAS_O);
}

enum status hf_read_internlm3(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = add_bias(reader, "qkv_bias", false, BIAS_QKV, net, err);
    return status ? status : add_bias(reader, "bias", false, BIAS_O | BIAS_FFN, net, err);
}

void hf_write_internlm3(struct json_node *out, const struct transformer *net)
{
    write_bias(out, "qkv_bias", net, BIAS_QKV);
    write_bias(out, "bias", net, BIAS_O);
}

/* Biases on q, k and v alone. */
enum status hf_read_glm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool is_glm4 = strcmp(net->family, "glm4") == 0;
    return add_bias(reader, "attention_bias", is_glm4, BIAS_QKV, net, err);
}

void hf_write_glm(struct json_node *out, const struct transformer *net)
{
    write_bias(out, "attention_bias", net, BIAS_QKV);
}

/* One model_type, two networks: the 13B files have the code with alibi beside them. */
enum status hf_read_baichuan(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    (void)err;
    if (net->d_model < 5120)
        return STATUS_OK;
    net->position = POSITION_ALIBI;
    hf_warn(reader,
            "known by its width: Baichuan's 13B code has alibi in place of rotary positions");
    return STATUS_OK;
}

enum status hf_read_phi4mm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    (void)net;
    (void)err;
    hf_warn(reader, "only the language model is read: encoders of images and sound, and the LoRA "
                    "weights for them, are not counted");
    return STATUS_OK;
}

enum status hf_read_stablelm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool parallel = false, norms = false;
    enum status status = STATUS_OK;
    if ((status = add_bias(reader, "use_qkv_bias", false, BIAS_QKV, net, err)) ||
        (status = hf_bool(reader, "use_parallel_residual", false, &parallel, err)) ||
        (status = hf_bool(reader, "qk_layernorm", false, &norms, err)))
        return status;
    net->parallel_block = net->parallel_shared_norm = parallel;
    net->qk_norm = norms ? QK_NORM_HEADS : QK_NORM_NONE;
    return STATUS_OK;
}

void hf_write_stablelm(struct json_node *out, const struct transformer *net)
{
    write_bias(out, "use_qkv_bias", net, BIAS_QKV);
    json_add_bool(out, "use_parallel_residual", net->parallel_block);
    json_add_bool(out, "qk_layernorm", net->qk_norm == QK_NORM_HEADS);
}

enum status hf_read_starcoder2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    return add_bias(reader, "use_bias", true, BIAS_QKV | BIAS_O | BIAS_FFN, net, err);
}

void hf_write_starcoder2(struct json_node *out, const struct transformer *net)
{
    write_bias(out, "use_bias", net, BIAS_O);
}

enum status hf_read_cohere2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    return hf_number(reader, "logit_scale", 1e-9, 1e9, 0.0625, &net->logit_scale, err);
}

void hf_write_cohere2(struct json_node *out, const struct transformer *net)
{
    json_add_number(out, "logit_scale", or_1(net->logit_scale));
}

enum status hf_read_cohere(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool norms = false;
    enum status status = hf_bool(reader, "use_qk_norm", false, &norms, err);
    net->qk_norm = norms ? QK_NORM_HEADS : QK_NORM_NONE;
    return status ? status : hf_read_cohere2(reader, net, err);
}

void hf_write_cohere(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "use_qk_norm", net->qk_norm == QK_NORM_HEADS);
    hf_write_cohere2(out, net);
}
