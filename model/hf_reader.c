#include "model/hf_reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/hf_family.h"

char *hf_first_key(const char *keys, char *buffer, size_t size)
{
    size_t length = strcspn(keys, " ");
    assert(length > 0 && length < size);
    memcpy(buffer, keys, length);
    buffer[length] = '\0';
    return buffer;
}

static void mark_used(struct hf_reader *reader, const char *key)
{
    if (reader->n_used < HF_MAX_USED)
        reader->used[reader->n_used++] = key;
}

struct json hf_find(struct hf_reader *reader, const char *keys)
{
    char key[64];
    struct json found = {.item = NULL, .doc = reader->root.doc, .parent = &reader->root};
    while (*keys != '\0') {
        hf_first_key(keys, key, sizeof key);
        keys += strlen(key);
        keys += strspn(keys, " ");
        struct json member = json_member(&reader->root, key);
        if (member.item == NULL)
            continue;
        mark_used(reader, member.key);
        if (found.item == NULL || json_is_null(&found))
            found = member;
    }
    return found;
}

struct json hf_find_outer(const struct hf_reader *reader, const char *key)
{
    if (reader->outer.item == NULL)
        return reader->outer;
    return json_member(&reader->outer, key);
}

bool hf_has(struct hf_reader *reader, const char *keys)
{
    struct json at = hf_find(reader, keys);
    return !json_is_null(&at);
}

static enum status missing(struct hf_reader *reader, const char *keys, struct err *err)
{
    char key[64];
    json_error(&reader->root, err, "key '%s' is missing, model_type '%s' needs it (known: %s)",
               hf_first_key(keys, key, sizeof key), reader->model_type, reader->families);
    return STATUS_INPUT;
}

enum status hf_int(struct hf_reader *reader, const char *keys, int64_t min, int64_t max,
                   int64_t fallback, int64_t *out, struct err *err)
{
    struct json at = hf_find(reader, keys);
    if (!json_is_null(&at))
        return json_int(&at, min, max, out, err);
    if (fallback == HF_MISSING)
        return missing(reader, keys, err);
    *out = fallback;
    return STATUS_OK;
}

enum status hf_number(struct hf_reader *reader, const char *keys, double min, double max,
                      double fallback, double *out, struct err *err)
{
    struct json at = hf_find(reader, keys);
    if (!json_is_null(&at))
        return json_number(&at, min, max, out, err);
    *out = fallback;
    return STATUS_OK;
}

enum status hf_bool(struct hf_reader *reader, const char *keys, bool fallback, bool *out,
                    struct err *err)
{
    struct json at = hf_find(reader, keys);
    if (!json_is_null(&at))
        return json_bool(&at, out, err);
    *out = fallback;
    return STATUS_OK;
}

enum status hf_string(struct hf_reader *reader, const char *keys, const char *fallback,
                      const char **out, struct err *err)
{
    struct json at = hf_find(reader, keys);
    if (!json_is_null(&at))
        return json_string(&at, out, err);
    *out = fallback;
    return STATUS_OK;
}

void hf_warn(struct hf_reader *reader, const char *format, ...)
{
    if (reader->warnings == NULL)
        return;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_addf(reader->warnings, "%s\n", line);
}

/* What a key about the shape looks like: with '*' at its end a beginning, at its front an ending,
 * at both anywhere. */
static const char *const shape_patterns[] = {
    "num_*",       "n_*",
    "d_*",         "moe_*",
    "*_size",      "*_dim",
    "*_heads",     "*_layers",
    "*_rank",      "*expert*",
    "*shar*",      "*tie_*",
    "*window*",    "*_bias",
    "bias",        "layer_types",
    "*attn_type*", "*attention_type*",
    "*qk_norm*",   "*_lora_*",
    "*conv_*",     "quantization*",
    "*per_layer*", "*multi_query*",
    "*parallel*",  "hybrid_*",
    "*_schedule",  "attention_chunk_size",
};

/* ...and yet is about training, generation or the tokenizer. */
static const char *const harmless[] = {
    "num_labels",
    "num_beams",
    "num_beam_groups",
    "num_return_sequences",
    "num_logits_to_keep",
    "n_ctx",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "chunk_size_feed_forward",
    "tie_encoder_decoder",
    "skip_bias_add",
    "bias_dropout_fusion",
    "max_window_layers",
    "mm_tokens_per_image",
};

static bool matches(const char *key, const char *pattern)
{
    size_t n = strlen(pattern), length = strlen(key);
    bool front = pattern[0] == '*', back = pattern[n - 1] == '*';
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(n - front - back), pattern + front);
    size_t m = strlen(word);
    if (front && back)
        return strstr(key, word) != NULL;
    if (back)
        return strncmp(key, word, m) == 0;
    if (front)
        return length >= m && strcmp(key + length - m, word) == 0;
    return strcmp(key, word) == 0;
}

static bool is_about_shape(const char *key)
{
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        if (strcmp(key, harmless[i]) == 0)
            return false;
    }
    for (size_t i = 0; i < sizeof shape_patterns / sizeof *shape_patterns; i++) {
        if (matches(key, shape_patterns[i]))
            return true;
    }
    return false;
}

static bool says_nothing(const struct json *at)
{
    bool flag = true;
    double number = 1;
    return json_is_null(at) || (json_bool(at, &flag, NULL) == STATUS_OK && !flag) ||
           (json_number(at, -1e300, 1e300, &number, NULL) == STATUS_OK && number == 0);
}

static bool was_used(const struct hf_reader *reader, const char *key)
{
    for (int i = 0; i < reader->n_used; i++) {
        if (strcmp(reader->used[i], key) == 0)
            return true;
    }
    return false;
}

enum status hf_refuse_ignored(struct hf_reader *reader, struct err *err)
{
    static const struct {
        const char *key, *meaning;
        double least;
    } keys[] = {
        {"is_encoder_decoder", "an encoder beside the decoder", 1},
        {"add_cross_attention", "attention to an encoder", 1},
        {"use_bidirectional_attention", "attention to tokens that come later", 1},
        {"multi_query", "one key/value head for all", 1},
        {"num_local_experts", "a mixture of experts", 2},
        {"num_experts", "a mixture of experts", 2},
        {"n_routed_experts", "a mixture of experts", 2},
        {"moe_num_experts", "a mixture of experts", 2},
        {"cross_attention_layers", "attention to images", 1},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct json at = json_member(&reader->root, keys[i].key);
        bool flag = false;
        double number = 0;
        if (at.item == NULL || was_used(reader, keys[i].key))
            continue;
        bool is_meant = (json_bool(&at, &flag, NULL) == STATUS_OK && flag) ||
                        (json_number(&at, -1e300, 1e300, &number, NULL) == STATUS_OK &&
                         number >= keys[i].least) ||
                        (json_is_array(&at) && json_length(&at) > 0);
        if (!is_meant)
            continue;
        json_error(&at, err,
                   "this means %s, which lathe does not know of model_type '%s'; it would be "
                   "another network without it",
                   keys[i].meaning, reader->model_type);
        return STATUS_UNSUPPORTED;
    }
    return STATUS_OK;
}

void hf_warn_ignored(struct hf_reader *reader)
{
    for (struct json at = json_first(&reader->root); at.item != NULL; at = json_next(&at)) {
        if (at.key[0] != '_' && !was_used(reader, at.key) && is_about_shape(at.key) &&
            !says_nothing(&at))
            hf_warn(reader,
                    "key '%s' is ignored: model_type '%s' does not use it, or lathe does not",
                    at.key, reader->model_type);
    }
}
