#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/hf_config.h"
#include "model/hf_family.h"
#include "model/hf_layers.h"
#include "model/hf_reader.h"
#include "model/hf_root.h"
#include "model/meta_params.h"

static enum status read_activation(struct hf_reader *reader, const struct hf_family *family,
                                   struct transformer *net, struct err *err)
{
    static const struct {
        const char *name;
        enum ffn_kind plain, gated;
    } kinds[] = {
        {"relu", FFN_RELU, N_FFN_KINDS},
        {"gelu", FFN_GELU, FFN_GEGLU},
        {"gelu_new", FFN_GELU, FFN_GEGLU},
        {"gelu_fast", FFN_GELU, FFN_GEGLU},
        {"gelu_pytorch_tanh", FFN_GELU, FFN_GEGLU},
        {"quick_gelu", FFN_GELU, FFN_GEGLU},
        {"relu2", FFN_RELU2, N_FFN_KINDS},
        {"xielu", FFN_XIELU, N_FFN_KINDS},
        {"silu", N_FFN_KINDS, FFN_SWIGLU},
        {"swish", N_FFN_KINDS, FFN_SWIGLU},
    };
    const char *name = family->activation;
    enum status status = STATUS_OK;
    if (family->activation_keys &&
        (status = hf_string(reader, family->activation_keys, name, &name, err)))
        return status;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            net->ffn = family->gated ? kinds[i].gated : kinds[i].plain;
            if (net->ffn != N_FFN_KINDS)
                return STATUS_OK;
        }
    }
    return err_set(err, STATUS_UNSUPPORTED,
                   "activation '%s' in a feed-forward of %d matrices is not known", name,
                   family->gated ? 3 : 2);
}

/* transformers 5 moved the rotary base into rope_parameters, for Gemma 3 by kind of layer. */
static enum status read_rope(struct hf_reader *reader, const struct hf_family *family,
                             struct transformer *net, struct err *err)
{
    enum status status = STATUS_OK;
    double theta = family->rope_theta.absent;
    struct json ropes = hf_find(reader, "rope_parameters");
    if (json_is_object(&ropes)) {
        struct json full = json_member(&ropes, "full_attention");
        if ((status = json_get_number_or(json_is_object(&full) ? &full : &ropes, "rope_theta", 1e-9,
                                         1e15, theta, &theta, err)))
            return status;
    }
    if (family->rope_theta.keys && (status = hf_number(reader, family->rope_theta.keys, 1e-9, 1e15,
                                                       theta, &net->rope_theta, err)))
        return status;
    if (family->rope_frac.keys)
        return hf_number(reader, family->rope_frac.keys, 0, 1, family->rope_frac.absent,
                         &net->rope_frac, err);
    return STATUS_OK;
}

/* A required dimension: fallback HF_REQUIRED becomes an error. */
static enum status read_dimension(struct hf_reader *reader, const struct hf_int_key *key,
                                  int64_t min, int64_t max, int64_t *out, struct err *err)
{
    int64_t fallback = key->absent == HF_REQUIRED ? HF_MISSING : key->absent;
    return hf_int(reader, key->keys, min, max, fallback, out, err);
}

static enum status read_heads(struct hf_reader *reader, const struct hf_family *family,
                              struct block *block, int64_t d_model, struct err *err)
{
    enum status status = read_dimension(reader, &family->n_heads, 1, 1 << 14, &block->n_heads, err);
    if (status != STATUS_OK)
        return status;
    block->n_kv_heads = block->n_heads;
    if (family->n_kv_heads.keys) {
        struct json at = hf_find(reader, family->n_kv_heads.keys);
        int64_t fallback = at.item || family->n_kv_heads.absent == HF_DERIVED
                               ? block->n_heads
                               : family->n_kv_heads.absent;
        status =
            hf_int(reader, family->n_kv_heads.keys, 1, 1 << 14, fallback, &block->n_kv_heads, err);
        if (status != STATUS_OK)
            return status;
    }
    if (family->d_head.keys && (status = hf_int(reader, family->d_head.keys, 1, 1 << 14,
                                                family->d_head.absent, &block->d_head, err)))
        return status;
    if (block->d_head == HF_DERIVED) {
        if (d_model % block->n_heads != 0)
            return json_error(&reader->root, err,
                              "the width %" PRId64 " is not a multiple of %" PRId64
                              " heads, and no 'head_dim' is given",
                              d_model, block->n_heads);
        block->d_head = d_model / block->n_heads;
    }
    return STATUS_OK;
}

/* What every layer has; a family's hook says which layers are dense. */
static enum status read_experts(struct hf_reader *reader, const struct hf_family *family,
                                struct block *block, struct err *err)
{
    enum status status = STATUS_OK;
    if (!family->n_experts.keys)
        return STATUS_OK;
    if ((status =
             read_dimension(reader, &family->n_experts, 1, MOST_EXPERTS, &block->n_experts, err)) ||
        (status = read_dimension(reader, &family->n_experts_used, 1, block->n_experts,
                                 &block->n_experts_used, err)))
        return status;
    return family->d_expert.keys
               ? read_dimension(reader, &family->d_expert, 1, 1 << 24, &block->d_ff, err)
               : STATUS_OK;
}

static enum status add_bias(struct hf_reader *reader, const char *key, unsigned bits,
                            struct transformer *net, struct err *err)
{
    bool bias = false;
    if (!key)
        return STATUS_OK;
    enum status status = hf_bool(reader, key, false, &bias, err);
    net->biases |= bias ? bits : 0;
    return status;
}

static enum status apply_row(struct hf_reader *reader, const struct hf_family *family,
                             struct transformer *net, struct err *err)
{
    int64_t d_model = 0, n_layers = 0, vocab_size = 0, max_context = 0;
    struct block block = {0};
    enum status status = STATUS_OK;
    if ((status = read_dimension(reader, &family->d_model, 1, 1 << 20, &d_model, err)) ||
        (status = read_dimension(reader, &family->n_layers, 1, 1 << 16, &n_layers, err)) ||
        (status = read_dimension(reader, &family->vocab_size, 1, 1 << 28, &vocab_size, err)) ||
        (status = read_dimension(reader, &family->max_context, 1, 1 << 24, &max_context, err)))
        return status;
    if (family->n_heads.keys && (status = read_heads(reader, family, &block, d_model, err)))
        return status;
    bool derived = family->d_ff.absent == HF_FOUR_TIMES;
    block.d_ff = 4 * d_model;
    if (family->d_ff.keys &&
        (status = hf_int(reader, family->d_ff.keys, 1, 1 << 24,
                         derived                              ? 4 * d_model
                         : family->d_ff.absent == HF_REQUIRED ? HF_MISSING
                                                              : family->d_ff.absent,
                         &block.d_ff, err)))
        return status;
    if ((status = read_experts(reader, family, &block, err)))
        return status;

    transformer_init(net, d_model, n_layers, 0, 0, 0, 0, vocab_size);
    snprintf(net->family, sizeof net->family, "%s", family->model_type);
    net->stack.first = block;
    net->max_context = max_context;
    net->norm = family->norm;
    net->norm_placement = family->norm_placement;
    net->norm_weight = !family->no_norm_weight;
    net->norm_bias = family->norm_bias;
    net->position = family->position;
    net->qk_norm = family->qk_norm;
    net->biases = family->biases;
    net->parallel_block = family->parallel_block;
    net->parallel_shared_norm = family->parallel_shared_norm;
    net->embed_norm = family->embed_norm;
    if (net->position == POSITION_LEARNED)
        net->position_rows = max_context + family->position_offset;
    net->norm_eps = family->norm_eps.absent;
    if (family->norm_eps.keys && (status = hf_number(reader, family->norm_eps.keys, 0, 1,
                                                     net->norm_eps, &net->norm_eps, err)))
        return status;
    if ((status = read_activation(reader, family, net, err)) ||
        (status = read_rope(reader, family, net, err)) ||
        (status = hf_read_tying(reader, family->tied, net, err)) ||
        (status = add_bias(reader, family->attention_bias, BIAS_QKV | BIAS_O, net, err)) ||
        (status = add_bias(reader, family->ffn_bias, BIAS_FFN, net, err)) ||
        (status = hf_read_types(reader, net, err)))
        return status;
    if (family->read && (status = family->read(reader, net, err)))
        return status;
    if ((status = hf_read_windows(reader, family, net, err)))
        return status;
    return hf_read_turns(reader, family, net, err);
}

/* Facts that the file itself does not hold. */

static void append_lower(struct text *out, const char *string)
{
    text_addf(out, "%s ", string);
    for (size_t i = 0; out->data && i < out->length; i++)
        out->data[i] = (char)tolower((unsigned char)out->data[i]);
}

/* The last four parts of the path: "MobileLLM/configs/125M/config.json". */
static const char *path_tail(const char *path)
{
    const char *tail = path + strlen(path);
    for (int slashes = 0; tail > path; tail--) {
        if (tail[-1] == '/' && ++slashes == 4)
            break;
    }
    return tail;
}

static void append_names(struct hf_reader *reader, const char *path, struct text *out)
{
    const char *name = "";
    append_lower(out, path_tail(path));
    if (hf_string(reader, "_name_or_path", "", &name, NULL) == STATUS_OK)
        append_lower(out, name);
    struct json map = hf_find(reader, "auto_map");
    if (json_is_object(&map) &&
        json_get_string_or(&map, "AutoModelForCausalLM", "", &name, NULL) == STATUS_OK)
        append_lower(out, name);
}

static bool is_mobilellm_shape(int64_t d_model, int64_t n_layers)
{
    static const int64_t shapes[][2] = {{576, 30}, {960, 32}, {1152, 40}, {1280, 54}, {1600, 54}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shapes[i][0] == d_model && shapes[i][1] == n_layers)
            return true;
    }
    return false;
}

static enum status apply_known_facts(struct hf_reader *reader, const char *path,
                                     struct transformer *net, struct err *err)
{
    if (strcmp(net->family, "llama") != 0)
        return STATUS_OK;
    struct text names = {0};
    append_names(reader, path, &names);
    if (names.failed) {
        text_release(&names);
        return err_set(err, STATUS_NOMEM, "out of memory reading '%s'", path);
    }
    int64_t d = net->d_model, n = net->schedule.n_layers;
    bool is_shared_ffn = n == 22 && ((d == 2048 && strstr(names.data, "mobillama-05b")) ||
                                     (d == 2560 && strstr(names.data, "mobillama-08b")) ||
                                     (d == 2048 && strstr(names.data, "mobillama/config_05b")) ||
                                     (d == 2560 && strstr(names.data, "mobillama/config_08b")));
    bool is_training_repo =
        strstr(names.data, "mobilellm") && is_mobilellm_shape(d, n) &&
        (strstr(names.data, ".training-repo.json") || strstr(names.data, "mobilellm/configs/"));
    if (is_shared_ffn && !hf_has(reader, "lathe_share_ffn")) {
        net->schedule.share_ffn = true;
        net->stack.first.n_kv_heads = net->stack.first.n_heads;
        snprintf(net->family, sizeof net->family, "mobillama");
        hf_warn(reader, "known by its name: MobiLlama's code shares one feed-forward between all "
                        "layers and ignores num_key_value_heads");
    }
    if (is_training_repo && !net->tie_embeddings) {
        net->tie_embeddings = true;
        snprintf(net->family, sizeof net->family, "mobilellm");
        hf_warn(reader, "known by its name: MobileLLM's training repository ties the embeddings by "
                        "the flag --share_embedding, not in this file");
    }
    text_release(&names);
    return STATUS_OK;
}

static void name_network(struct hf_reader *reader, const char *path, struct transformer *net)
{
    const char *end = path + strlen(path), *base = file_base_name(path);
    if (strcmp(base, "config.json") == 0) {
        end = base > path ? base - 1 : base;
        base = end;
        while (base > path && base[-1] != '/')
            base--;
    } else if (end - base > 5 && strcmp(end - 5, ".json") == 0) {
        end -= 5;
    }
    const char *given = "";
    if (end > base && *base != '.') {
        snprintf(net->name, sizeof net->name, "%.*s", (int)(end - base), base);
    } else if (hf_string(reader, "_name_or_path", "", &given, NULL) == STATUS_OK && *given) {
        const char *slash = strrchr(given, '/');
        snprintf(net->name, sizeof net->name, "%s", slash && slash[1] ? slash + 1 : given);
    } else {
        snprintf(net->name, sizeof net->name, "%s", net->family);
    }
}

static enum status find_family(struct hf_reader *reader, const char *model_type,
                               const struct hf_family **out, struct err *err)
{
    *out = model_type ? hf_family_find(model_type) : NULL;
    if (*out)
        return STATUS_OK;
    if (!model_type)
        return json_error(&reader->root, err, "key 'model_type' is missing (known: %s)",
                          reader->families);
    const char *near = hf_family_nearest(model_type);
    return json_error(&reader->root, err, "model_type '%s' is not known%s%s%s (known: %s)",
                      model_type, near ? ": did you mean '" : "", near ? near : "",
                      near ? "'?" : "", reader->families);
}

static enum status read_family(struct hf_reader *reader, const struct json *top, const char *path,
                               struct transformer *net, struct err *err)
{
    const struct hf_family *family = NULL;
    enum status status = STATUS_OK;
    if ((status = hf_choose_root(top, reader, err)) ||
        (status = find_family(reader, reader->model_type, &family, err)) ||
        (status = hf_check_architecture(reader, family, err)) ||
        (status = apply_row(reader, family, net, err)) ||
        (status = apply_known_facts(reader, path, net, err)) ||
        (status = hf_read_extensions(reader, net, err)))
        return status;
    return hf_refuse_ignored(reader, err);
}

static enum status read_root(const struct json *top, const char *path, struct text *warnings,
                             struct transformer *net, struct err *err)
{
    if (!json_is_object(top))
        return json_error(top, err, "expected an object");
    struct text known = {0};
    hf_family_names(&known);
    struct hf_reader reader = {.warnings = warnings, .families = known.data ? known.data : ""};
    enum status status = STATUS_OK;
    if (meta_params_are(top)) {
        reader.root = *top;
        reader.model_type = "llama";
        status = meta_params_read(&reader, net, err);
    } else {
        status = read_family(&reader, top, path, net, err);
    }
    if (status == STATUS_OK) {
        name_network(&reader, path, net);
        hf_warn_ignored(&reader);
    }
    text_release(&known);
    return status;
}

enum status hf_config_parse(const char *name, const char *json, int64_t length,
                            struct transformer *out, struct text *warnings, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json top = {0};
    struct transformer net = {0};
    enum status status = json_parse(name, json, length, &doc, &top, err);
    if (status != STATUS_OK)
        return status;
    struct err inner = {{0}};
    status = read_root(&top, name, warnings, &net, &inner);
    if (status == STATUS_OK)
        status = transformer_check(&net, &inner);
    if (status == STATUS_OK && warnings && warnings->failed)
        status = err_set(&inner, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK) {
        *out = net;
    } else {
        transformer_release(&net);
        bool named = strncmp(inner.message, name, strlen(name)) == 0;
        err_set(err, status, "%s%s%s", named ? "" : name, named ? "" : ": ", inner.message);
    }
    json_close(doc);
    return status;
}

enum status hf_config_read(const char *path, struct transformer *out, struct text *warnings,
                           struct err *err)
{
    enum { MAX_BYTES = 16 << 20 };
    char file[4096], other[4096];
    char *json = NULL;
    int64_t length = 0;
    size_t n = strlen(path);
    int written = snprintf(file, sizeof file, "%s", path);
    if (file_is_directory(path)) {
        const char *slash = n > 0 && path[n - 1] == '/' ? "" : "/";
        written = snprintf(file, sizeof file, "%s%sconfig.json", path, slash);
        snprintf(other, sizeof other, "%s%sparams.json", path, slash);
        if (!file_exists(file) && file_exists(other))
            written = snprintf(file, sizeof file, "%s", other);
    }
    if (written < 0 || (size_t)written >= sizeof file)
        return err_set(err, STATUS_RANGE, "the path '%.64s...' is too long", path);
    enum status status = file_read(file, MAX_BYTES, &json, &length, err);
    if (status == STATUS_RANGE || (status == STATUS_OK && strncmp(json, "GGUF", 4) == 0)) {
        memory_free(json);
        return err_set(err, STATUS_INPUT,
                       "'%s' is no config.json; a GGUF is read from a file, not from a pipe, since "
                       "its tensors are looked up by place",
                       path);
    }
    if (status != STATUS_OK)
        return status;
    status = hf_config_parse(file, json, length, out, warnings, err);
    memory_free(json);
    return status;
}
