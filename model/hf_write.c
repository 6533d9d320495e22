/* How a writer of so many families stays correct: it does not decide what a family can hold, it
 * tries. A row of the table writes its keys, the reader reads them back, and the first row whose
 * reading is the network that was meant is taken. Only where no row can, lathe's own keys are
 * added. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/hf_config.h"
#include "model/hf_family.h"
#include "model/hf_layers.h"

static void add_int(struct json_node *out, const struct hf_int_key *key, int64_t value)
{
    char name[64];
    if (key->keys)
        json_add_int(out, hf_first_key(key->keys, name, sizeof name), value);
}

static void add_number(struct json_node *out, const struct hf_number_key *key, double value)
{
    char name[64];
    if (key->keys)
        json_add_number(out, hf_first_key(key->keys, name, sizeof name), value);
}

static const char *activation_name(const struct hf_family *family, enum ffn_kind ffn)
{
    switch (ffn) {
    case FFN_RELU:
        return "relu";
    case FFN_RELU2:
        return "relu2";
    case FFN_XIELU:
        return "xielu";
    case FFN_GELU:
        return strcmp(family->activation, "gelu_new") == 0 ? "gelu_new" : "gelu";
    case FFN_SWIGLU:
        return "silu";
    case FFN_GEGLU:
        return "gelu_pytorch_tanh";
    default:
        return family->activation;
    }
}

/* What the family's keys say where layers differ: the first block with attention. */
static struct block typical_block(const struct transformer *net)
{
    struct block block = net->stack.first;
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        if (stack_class(&net->stack, c)->mixer == MIXER_ATTENTION)
            return *stack_class(&net->stack, c);
    }
    if (block.mixer == MIXER_NONE) {
        block.n_heads = block.n_kv_heads = 1;
        block.d_head = 2;
    }
    return block;
}

/* The width that a family's key for d_ff means: where some layers have experts and others have none,
 * that of the others. */
static int64_t dense_width(const struct transformer *net, const struct block *typical)
{
    for (int c = 0; typical->n_experts > 0 && c < stack_n_classes(&net->stack); c++) {
        if (stack_class(&net->stack, c)->n_experts == 0)
            return stack_class(&net->stack, c)->d_ff;
    }
    return typical->d_ff;
}

/* The first block with experts; NULL: there is none. */
static const struct block *expert_block(const struct transformer *net)
{
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        if (stack_class(&net->stack, c)->n_experts > 0)
            return stack_class(&net->stack, c);
    }
    return NULL;
}

static const char *torch_name(enum dtype dtype)
{
    return dtype == DTYPE_F32 ? "float32" : dtype == DTYPE_BF16 ? "bfloat16" : "float16";
}

static struct json_node *build(const struct transformer *net, const struct hf_family *family,
                               bool extended)
{
    char key[64];
    struct json_node *out = json_new_object();
    const struct block typical = typical_block(net), *experts = expert_block(net);
    json_add_string(json_add_array(out, "architectures"), NULL, family->architecture);
    json_add_string(out, "model_type", family->model_type);
    add_int(out, &family->d_model, net->d_model);
    add_int(out, &family->n_layers, net->schedule.n_layers);
    add_int(out, &family->n_heads, typical.n_heads);
    add_int(out, &family->n_kv_heads, typical.n_kv_heads);
    add_int(out, &family->d_head, typical.d_head);
    add_int(out, &family->d_ff, dense_width(net, &typical));
    if (experts) {
        add_int(out, &family->n_experts, experts->n_experts);
        add_int(out, &family->n_experts_used, experts->n_experts_used);
        add_int(out, &family->d_expert, experts->d_ff);
    }
    add_int(out, &family->vocab_size, net->vocab_size);
    add_int(out, &family->max_context, net->max_context);
    if (family->activation_keys) {
        /* Gemma's older key is a list of alternatives of one meaning: both are read, one is enough.
         */
        json_add_string(out, hf_first_key(family->activation_keys, key, sizeof key),
                        activation_name(family, net->ffn));
    }
    add_number(out, &family->norm_eps, net->norm_eps);
    add_number(out, &family->rope_theta, net->rope_theta);
    add_number(out, &family->rope_frac, net->rope_frac);
    if (family->rope_theta.keys)
        json_add_null(out, "rope_scaling");
    if (family->attention_bias)
        json_add_bool(out, family->attention_bias, (net->biases & BIAS_O) != 0);
    bool one_key = family->ffn_bias && family->attention_bias &&
                   strcmp(family->ffn_bias, family->attention_bias) == 0;
    if (family->ffn_bias && !one_key)
        json_add_bool(out, family->ffn_bias, (net->biases & BIAS_FFN) != 0);
    bool by_own_key = strcmp(family->model_type, "mobilellm") == 0; /* share_embedding */
    json_add_bool(out, "tie_word_embeddings", !by_own_key && net->tie_embeddings);
    hf_write_windows(out, family, net);
    hf_write_turns(out, family, net);
    if (family->write)
        family->write(out, net);
    json_add_string(out, "torch_dtype", torch_name(net->block_dtype));
    json_add_int(out, "bos_token_id", net->vocab_size > 2 ? 1 : 0);
    json_add_int(out, "eos_token_id", net->vocab_size > 2 ? 2 : 0);
    json_add_number(out, "initializer_range", 0.02);
    json_add_bool(out, "use_cache", true);
    if (extended)
        hf_write_extensions(out, net);
    return out;
}

/* 0 and 1 are none. */
static bool same_scale(double a, double b)
{
    double x = a > 0 ? a : 1, y = b > 0 ? b : 1;
    return fabs(x - y) < 1e-9 * fmax(x, y);
}

static double score_scale(const struct transformer *net)
{
    return net->attention_scale > 0 ? net->attention_scale
                                    : 1 / sqrt((double)typical_block(net).d_head);
}

static bool same_constants(const struct transformer *a, const struct transformer *b)
{
    return a->norm_eps == b->norm_eps && a->rope_frac == b->rope_frac &&
           (a->position != POSITION_ROPE || a->rope_theta == b->rope_theta) &&
           fabs(score_scale(a) - score_scale(b)) < 1e-12 &&
           same_scale(a->embed_scale, b->embed_scale) &&
           same_scale(a->residual_scale, b->residual_scale) &&
           same_scale(a->logit_scale, b->logit_scale) &&
           a->attention_softcap == b->attention_softcap && a->logit_softcap == b->logit_softcap;
}

enum fit {
    FIT_NO,
    FIT_SHAPE, /* but not the constants: norm epsilon, rotary base, scales */
    FIT_ALL,
};

/* Whether the row can hold the network at all, as far as that shows without trying. */
static bool is_plausible(const struct transformer *net, const struct hf_family *family)
{
    bool gated = net->ffn == FFN_SWIGLU || net->ffn == FFN_GEGLU;
    bool has_experts = expert_block(net) != NULL;
    return family->norm == net->norm && (family->n_experts.keys != NULL) == has_experts &&
           family->gated == gated && family->embed_norm == net->embed_norm &&
           !(family->no_norm_weight && net->norm_weight) &&
           (family->norm_placement == net->norm_placement ||
            (family->norm_placement == NORM_PRE &&
             net->norm_placement == NORM_POST)); /* OPT's key */
}

/* `*json` is set when it fits. */
static enum status try_family(const struct transformer *net, const struct hf_family *family,
                              bool extended, char **json, enum fit *fit, struct err *err)
{
    struct transformer back = {0};
    struct json_node *tree = build(net, family, extended);
    char *text = json_print(tree);
    json_free(tree);
    *fit = FIT_NO;
    if (!text)
        return err_set(err, STATUS_NOMEM, "out of memory writing a configuration");
    enum status status =
        hf_config_parse("config.json", text, (int64_t)strlen(text), &back, NULL, err);
    if (status == STATUS_OK) {
        if (transformer_same_shape(net, &back))
            *fit = same_constants(net, &back) ? FIT_ALL : FIT_SHAPE;
        transformer_release(&back);
    }
    if (*fit == FIT_NO)
        memory_free(text);
    else
        *json = text;
    return status == STATUS_NOMEM ? status : STATUS_OK;
}

static const struct hf_family *choice(const struct transformer *net, bool extended, int i)
{
    const char *first = extended && net->schedule.sharing != SHARING_NONE ? "mobilellm" : "llama";
    if (i == 0)
        return hf_family_find(first);
    if (i == 1)
        return hf_family_find(net->family);
    return hf_family_row(i - 2);
}

/* The family's own class comes second: llama is what every trainer and runtime reads. */
static enum status first_fit(const struct transformer *net, bool extended, char **json,
                             enum fit *fit, const struct hf_family **family, struct err *err)
{
    enum status status = STATUS_OK;
    *fit = FIT_NO;
    for (int i = 0; *fit != FIT_ALL && status == STATUS_OK; i++) {
        const struct hf_family *row = choice(net, extended, i);
        if (!row && i >= 2)
            break;
        if (!row || !is_plausible(net, row))
            continue;
        char *text = NULL;
        enum fit now = FIT_NO;
        status = try_family(net, row, extended, &text, &now, err);
        if (now > *fit) {
            memory_free(*json);
            *json = text;
            *fit = now;
            *family = row;
        } else {
            memory_free(text);
        }
    }
    return status;
}

static void note(const struct hf_family *family, bool extended, enum fit fit, struct text *warnings)
{
    if (!warnings)
        return;
    if (extended)
        text_add(warnings, "stock code ignores the keys that start with 'lathe_' and would train "
                           "another network: no class it has holds this one\n");
    if (fit == FIT_SHAPE)
        text_addf(
            warnings,
            "%s has this shape, but not all of its constants (epsilon, rotary base, scales)\n",
            family->architecture);
    if (strcmp(family->model_type, "mobilellm") == 0)
        text_add(warnings,
                 "MobileLLM's configuration_mobilellm.py and modeling_mobilellm.py belong "
                 "beside this file\n");
    if (strcmp(family->model_type, "nemotron-nas") == 0)
        text_add(warnings,
                 "DeciLM's own code (configuration_decilm.py, modeling_decilm.py and what "
                 "they import) belongs beside this file\n");
    if (strcmp(family->model_type, "openelm") == 0)
        text_add(warnings, "OpenELM's configuration_openelm.py and modeling_openelm.py belong "
                           "beside this file\n");
    if (strcmp(family->model_type, "mobilellm_p1") == 0)
        text_add(warnings, "MobileLLM-Pro's own code belongs beside this file\n");
}

enum status hf_config_print(const struct transformer *net, char **json, struct text *warnings,
                            struct err *err)
{
    const struct hf_family *family = NULL;
    enum fit fit = FIT_NO;
    bool extended = false;
    *json = NULL;
    enum status status = first_fit(net, false, json, &fit, &family, err);
    if (status == STATUS_OK && fit == FIT_NO) {
        extended = true;
        status = first_fit(net, true, json, &fit, &family, err);
    }
    if (status == STATUS_OK && fit == FIT_NO)
        status = err_set(err, STATUS_UNSUPPORTED,
                         "no class of transformers holds a network like '%s', nor do lathe's keys",
                         net->name);
    if (status == STATUS_OK) {
        note(family, extended, fit, warnings);
        return STATUS_OK;
    }
    memory_free(*json);
    *json = NULL;
    return status;
}

enum status hf_config_write(const struct transformer *net, const char *path, struct text *warnings,
                            struct err *err)
{
    char *json = NULL;
    char file[4096];
    int written = snprintf(file, sizeof file, "%s%s", path,
                           strcmp(path, "-") != 0 && file_is_directory(path) ? "/config.json" : "");
    if (written < 0 || (size_t)written >= sizeof file)
        return err_set(err, STATUS_RANGE, "the path '%.64s...' is too long", path);
    enum status status = hf_config_print(net, &json, warnings, err);
    if (status == STATUS_OK)
        status = file_write(file, json, err);
    memory_free(json);
    return status;
}
