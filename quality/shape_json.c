#include "quality/shape_json.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *key;
    size_t offset;
} numbers[] = {
    {"d_model", offsetof(struct quality_shape, d_model)},
    {"n_layers", offsetof(struct quality_shape, n_layers)},
    {"repeats", offsetof(struct quality_shape, repeats)},
    {"n_heads", offsetof(struct quality_shape, n_heads)},
    {"n_kv_heads", offsetof(struct quality_shape, n_kv_heads)},
    {"d_head", offsetof(struct quality_shape, d_head)},
    {"d_ff", offsetof(struct quality_shape, d_ff)},
    {"vocab_size", offsetof(struct quality_shape, vocab)},
};
static const char *const weights[] = {
    [QUALITY_WIDE_WEIGHTS] = "16 bits",
    [QUALITY_8_BIT_WEIGHTS] = "8 bits",
    [QUALITY_FEW_BIT_WEIGHTS] = "fewer",
};

enum { N_NUMBERS = sizeof numbers / sizeof *numbers, N_WEIGHTS = sizeof weights / sizeof *weights };

void quality_shape_write(const struct quality_shape *shape, struct json_node *object)
{
    for (size_t i = 0; i < N_NUMBERS; i++)
        json_add_int(object, numbers[i].key,
                     (int64_t) * (const double *)((const char *)shape + numbers[i].offset));
    json_add_bool(object, "gated", shape->gated);
    json_add_bool(object, "tied", shape->tied);
    json_add_bool(object, "share_ffn", shape->shared_ffn);
    json_add_string(object, "weights", weights[shape->weights]);
}

static enum status read_weights(const struct json *object, enum quality_weights *out,
                                struct err *err)
{
    const char *name;
    enum status status = json_get_string(object, "weights", &name, err);
    for (int i = 0; i < N_WEIGHTS && status == STATUS_OK; i++)
        if (strcmp(name, weights[i]) == 0) {
            *out = (enum quality_weights)i;
            return STATUS_OK;
        }
    return status == STATUS_OK ? json_error(object, err, "unknown weights '%s'", name) : status;
}

enum status quality_shape_read(const struct json *object, struct quality_shape *out,
                               struct err *err)
{
    enum status status = STATUS_OK;
    *out = (struct quality_shape){.gated = false};
    for (size_t i = 0; i < N_NUMBERS && status == STATUS_OK; i++) {
        int64_t value = 0;
        status = json_get_int(object, numbers[i].key, 1, INT64_C(1) << 40, &value, err);
        *(double *)((char *)out + numbers[i].offset) = (double)value;
    }
    if (status == STATUS_OK)
        status = json_get_bool_or(object, "gated", true, &out->gated, err);
    if (status == STATUS_OK)
        status = json_get_bool_or(object, "tied", false, &out->tied, err);
    if (status == STATUS_OK)
        status = json_get_bool_or(object, "share_ffn", false, &out->shared_ffn, err);
    return status == STATUS_OK ? read_weights(object, &out->weights, err) : status;
}
