#include "model/hf_root.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Families under other names: those of wrapped language models, and of wrappers that have its keys
 * beside those of a tower. */
static const struct {
    const char *model_type, *family;
} aliases[] = {
    {"gemma3", "gemma3_text"},  {"llama4", "llama4_text"},  {"qwen2_vl", "qwen2"},
    {"qwen2_vl_text", "qwen2"}, {"qwen2_5_vl", "qwen2"},    {"qwen2_5_vl_text", "qwen2"},
    {"qwen3_vl", "qwen3"},      {"qwen3_vl_text", "qwen3"}, {"phi4_multimodal", "phi4mm"},
    {"mistral3", "mistral"},    {"llava", "llama"},         {"llava_next", "llama"},
    {"paligemma", "gemma"},
};

static const char *family_name(const char *model_type)
{
    for (size_t i = 0; model_type && i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].model_type, model_type) == 0)
            return aliases[i].family;
    return model_type;
}

static struct json inner_config(const struct json *top, const char **key)
{
    static const char *const keys[] = {"text_config", "llm_config", "language_config"};
    struct json inner = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !json_is_object(&inner); i++) {
        inner = json_member(top, keys[i]);
        *key = keys[i];
    }
    return inner;
}

enum status hf_choose_root(const struct json *top, struct hf_reader *reader, struct err *err)
{
    const char *key = NULL, *outer = NULL;
    struct json inner = inner_config(top, &key);
    enum status status = STATUS_OK;
    reader->root = *top;
    if ((status = hf_string(reader, "model_type", NULL, &outer, err)))
        return status;
    reader->model_type = family_name(outer);
    if (json_is_object(&inner) && (outer == NULL || hf_family_find(outer) == NULL)) {
        reader->root = inner;
        reader->outer = *top;
        if ((status = hf_string(reader, "model_type", outer, &reader->model_type, err)))
            return status;
        reader->model_type = family_name(reader->model_type);
        hf_warn(reader, "only '%s' is read: what else the model has is not counted", key);
    } else if (reader->model_type != outer) {
        hf_warn(reader, "only the language model of '%s' is read: what else it has is not counted",
                outer);
    }
    return STATUS_OK;
}

/* Other names of a class: those of code that lay beside the weights before transformers had it. */
static const struct {
    const char *name, *architecture;
} old_names[] = {
    {"Ernie4_5_ForCausalLM", "Ernie4_5ForCausalLM"},
    {"BaiChuanForCausalLM", "BaichuanForCausalLM"},
};

static const char *present_name(const char *architecture)
{
    for (size_t i = 0; i < sizeof old_names / sizeof *old_names; i++)
        if (strcmp(old_names[i].name, architecture) == 0)
            return old_names[i].architecture;
    return architecture;
}

static const struct hf_family *family_with(const char *architecture)
{
    const struct hf_family *row;
    for (int i = 0; (row = hf_family_row(i)) != NULL; i++)
        if (strcmp(row->architecture, architecture) == 0)
            return row;
    return NULL;
}

enum status hf_check_architecture(struct hf_reader *reader, const struct hf_family *family,
                                  struct err *err)
{
    struct json list = hf_find(reader, "architectures");
    struct json first = json_is_array(&list) ? json_element(&list, 0) : list;
    const char *name = NULL, *model_type = NULL;
    if (!json_is_array(&list) || json_string(&first, &name, NULL) != STATUS_OK ||
        strcmp(present_name(name), family->architecture) == 0)
        return STATUS_OK;
    const struct hf_family *other = family_with(present_name(name));
    if (other != NULL)
        return json_error(&first, err, "'%s' is of model_type '%s', and model_type is '%s'", name,
                          other->model_type, family->model_type);
    enum status status = hf_string(reader, "model_type", family->model_type, &model_type, err);
    bool is_wrapper = reader->outer.item != NULL || !model_type ||
                      strcmp(model_type, family->model_type) != 0; /* that was told */
    if (status == STATUS_OK && !is_wrapper)
        hf_warn(reader,
                "'%s' in 'architectures' is not a class that lathe knows: what its code makes of "
                "model_type '%s' may be another network",
                name, family->model_type);
    return status;
}

enum status hf_read_tying(struct hf_reader *reader, bool absent, struct transformer *net,
                          struct err *err)
{
    static const char key[] = "tie_word_embeddings";
    struct json outer = hf_find_outer(reader, key);
    bool own = absent;
    enum status status = hf_bool(reader, key, absent, &own, err);
    net->tie_embeddings = own;
    if (status != STATUS_OK || json_is_null(&outer))
        return status;
    if ((status = json_bool(&outer, &net->tie_embeddings, err)))
        return status;
    if (net->tie_embeddings != own && hf_has(reader, key))
        hf_warn(reader, "'%s' is %s around the language model and %s in it: the outer one counts",
                key, net->tie_embeddings ? "true" : "false", own ? "true" : "false");
    return STATUS_OK;
}

/* Of the model itself, or of what it lies in. */
static struct json own_or_outer(struct hf_reader *reader, const char *keys, const char *outer_key)
{
    struct json at = hf_find(reader, keys);
    return json_is_null(&at) ? hf_find_outer(reader, outer_key) : at;
}

static enum status read_float_type(struct hf_reader *reader, struct transformer *net,
                                   struct err *err)
{
    const char *name = NULL;
    struct json at = own_or_outer(reader, "torch_dtype dtype", "torch_dtype");
    if (json_is_null(&at))
        at = hf_find_outer(reader, "dtype");
    if (json_is_null(&at))
        return STATUS_OK;
    enum status status = json_string(&at, &name, err);
    if (status != STATUS_OK)
        return status;
    if (strcmp(name, "float32") == 0)
        transformer_set_dtype(net, DTYPE_F32);
    else if (strcmp(name, "bfloat16") == 0)
        transformer_set_dtype(net, DTYPE_BF16);
    else if (strcmp(name, "float16") != 0)
        hf_warn(reader, "torch_dtype '%s' is ignored, weights are taken as f16", name);
    return STATUS_OK;
}

static double bits_of(enum dtype dtype)
{
    return 8 * (double)dtype_block_bytes(dtype) / (double)dtype_block_elems(dtype);
}

/* The type that a runtime would hold weights of so many bits in, of those that store scales too. */
static enum dtype nearest_type(double bits)
{
    enum dtype best = DTYPE_Q8_0;
    for (int t = 0; t < N_DTYPES; t++) {
        enum dtype dtype = (enum dtype)t;
        if (dtype_block_elems(dtype) > 1 && dtype != DTYPE_B1 &&
            fabs(bits_of(dtype) - bits) < fabs(bits_of(best) - bits))
            best = dtype;
    }
    return best;
}

/* Bits a weight of a method that has no key for them. */
static int64_t usual_bits(const char *method, const struct json *config)
{
    bool is_4_bit = false;
    if (json_get_bool_or(config, "load_in_4bit", false, &is_4_bit, NULL) == STATUS_OK && is_4_bit)
        return 4;
    return strcmp(method, "mxfp4") == 0 || strcmp(method, "awq") == 0 ? 4 : 8;
}

static enum status read_quantization(struct hf_reader *reader, const struct json *config,
                                     bool with_tables, struct transformer *net, struct err *err)
{
    const char *method = "quantization";
    int64_t bits = 0, group = 0;
    bool zero_points = true;
    enum status status = STATUS_OK;
    if ((status = json_get_string_or(config, "quant_method", method, &method, err)) ||
        (status = json_get_int_or(config, "bits", 1, 32, usual_bits(method, config), &bits, err)) ||
        (status = json_get_int_or(config, "group_size", -1, 1 << 20, -1, &group, err)) ||
        (status = json_get_bool_or(config, "zero_point", true, &zero_points, err)))
        return status;
    /* a group has an f16 scale, and a zero point: of the weights' bits, for MLX an f16 bias */
    double more = group > 0 ? (16.0 + (with_tables   ? 16
                                       : zero_points ? (double)bits
                                                     : 0)) /
                                  (double)group
                            : 0;
    double width = (double)bits + more;
    enum dtype dtype = nearest_type(width);
    net->block_dtype = dtype;
    if (with_tables)
        net->embedding_dtype = net->head_dtype = dtype;
    hf_warn(reader,
            "weights are quantised (%s): %.2f bits each with their groups' scales, priced as %s, "
            "%.2f bits",
            method, width, dtype_name(dtype), bits_of(dtype));
    return STATUS_OK;
}

enum status hf_read_types(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = read_float_type(reader, net, err);
    struct json hub = own_or_outer(reader, "quantization_config", "quantization_config");
    struct json mlx = own_or_outer(reader, "quantization", "quantization");
    if (status == STATUS_OK && json_is_object(&mlx))
        return read_quantization(reader, &mlx, true, net, err);
    if (status == STATUS_OK && json_is_object(&hub))
        return read_quantization(reader, &hub, false, net, err);
    return status;
}
