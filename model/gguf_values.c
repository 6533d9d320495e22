/* Lookups in an open GGUF file: by name, and by kind of value. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/gguf.h"

static int compare_name(const char *name, struct gguf_string other)
{
    size_t length = strlen(name), shorter = length;
    if ((uint64_t)other.length < shorter)
        shorter = (size_t)other.length;
    int order = memcmp(name, other.data, shorter);
    return order != 0 ? order : (length > (size_t)other.length) - (length < (size_t)other.length);
}

const struct gguf_key *gguf_find_key(const struct gguf *file, const char *name)
{
    int64_t low = 0, high = file->n_keys;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        const struct gguf_key *key = &file->keys[file->keys_by_name[middle]];
        int order = compare_name(name, key->name);
        if (order == 0)
            return key;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *file, const char *name)
{
    int64_t low = 0, high = file->n_tensors;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        const struct gguf_tensor *tensor = &file->tensors[file->tensors_by_name[middle]];
        int order = compare_name(name, tensor->name);
        if (order == 0)
            return tensor;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool is_integer(enum gguf_type type)
{
    return type == GGUF_UINT8 || type == GGUF_INT8 || type == GGUF_UINT16 || type == GGUF_INT16 ||
           type == GGUF_UINT32 || type == GGUF_INT32 || type == GGUF_UINT64 || type == GGUF_INT64;
}

/* Element i of an integer or bool key. False: above 2^63 - 1. */
static bool load_integer(const struct gguf_key *key, int64_t i, int64_t *out)
{
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    uint32_t u32;
    uint64_t u64;
    switch (key->type) {
    case GGUF_INT8:
        *out = (key->value[i] ^ 0x80) - 0x80; /* two's complement */
        return true;
    case GGUF_UINT16:
        memcpy(&u16, key->value + 2 * i, sizeof u16);
        *out = u16;
        return true;
    case GGUF_INT16:
        memcpy(&i16, key->value + 2 * i, sizeof i16);
        *out = i16;
        return true;
    case GGUF_UINT32:
        memcpy(&u32, key->value + 4 * i, sizeof u32);
        *out = u32;
        return true;
    case GGUF_INT32:
        memcpy(&i32, key->value + 4 * i, sizeof i32);
        *out = i32;
        return true;
    case GGUF_INT64:
        memcpy(out, key->value + 8 * i, sizeof *out);
        return true;
    case GGUF_UINT64:
        memcpy(&u64, key->value + 8 * i, sizeof u64);
        *out = (int64_t)u64;
        return u64 <= INT64_MAX;
    default: /* u8 and bool */
        *out = key->value[i];
        return true;
    }
}

static enum status missing(const struct gguf *file, const char *name, struct err *err)
{
    return gguf_error(file, STATUS_INPUT, err, "metadata key '%.80s' is missing", name);
}

static enum status wrong_kind(const struct gguf *file, const struct gguf_key *key,
                              const char *expected, struct err *err)
{
    char shown[64];
    return gguf_error(file, STATUS_INPUT, err, "at byte %" PRId64 ": '%s' is %s%s, expected %s",
                      key->at, gguf_shown(key->name, shown), key->is_array ? "an array of " : "",
                      gguf_type_name(key->type), expected);
}

static enum status checked_integer(const struct gguf *file, const struct gguf_key *key, int64_t i,
                                   int64_t min, int64_t max, int64_t *out, struct err *err)
{
    int64_t value = 0;
    bool fits = load_integer(key, i, &value);
    if (fits && value >= min && value <= max) {
        *out = value;
        return STATUS_OK;
    }
    char shown[64];
    return gguf_error(file, STATUS_RANGE, err,
                      "at byte %" PRId64 ": '%s' is %s%" PRId64 ", must be %" PRId64 " to %" PRId64,
                      key->at, gguf_shown(key->name, shown), fits ? "" : "above ",
                      fits ? value : INT64_MAX, min, max);
}

enum status gguf_get_int(const struct gguf *file, const char *name, int64_t min, int64_t max,
                         int64_t *out, struct err *err)
{
    const struct gguf_key *key = gguf_find_key(file, name);
    if (key == NULL)
        return missing(file, name, err);
    if (key->is_array || !is_integer(key->type))
        return wrong_kind(file, key, "an integer", err);
    return checked_integer(file, key, 0, min, max, out, err);
}

enum status gguf_get_int_or(const struct gguf *file, const char *name, int64_t min, int64_t max,
                            int64_t fallback, int64_t *out, struct err *err)
{
    *out = fallback;
    return gguf_find_key(file, name) ? gguf_get_int(file, name, min, max, out, err) : STATUS_OK;
}

enum status gguf_get_int_at(const struct gguf *file, const char *name, int64_t i, int64_t min,
                            int64_t max, int64_t *out, struct err *err)
{
    const struct gguf_key *key = gguf_find_key(file, name);
    assert(i >= 0);
    if (key == NULL)
        return missing(file, name, err);
    if (!is_integer(key->type) && key->type != GGUF_BOOL)
        return wrong_kind(file, key, "an integer or an array of integers", err);
    if (!key->is_array)
        return checked_integer(file, key, 0, min, max, out, err);
    if (i >= key->count)
        return gguf_error(file, STATUS_RANGE, err,
                          "at byte %" PRId64 ": '%.80s' has %" PRId64 " elements, element %" PRId64
                          " is wanted",
                          key->at, name, key->count, i);
    return checked_integer(file, key, i, min, max, out, err);
}

/* 1e-6 that went through f32 is 1e-6 again, not 9.99999997e-7. */
static double shortest_decimal(float value)
{
    for (int digits = 6; digits < 9 && isfinite(value); digits++) {
        char text[32];
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        double decimal = strtod(text, NULL);
        if ((float)decimal == value)
            return decimal;
    }
    return (double)value;
}

enum status gguf_get_number_or(const struct gguf *file, const char *name, double min, double max,
                               double fallback, double *out, struct err *err)
{
    const struct gguf_key *key = gguf_find_key(file, name);
    *out = fallback;
    if (key == NULL)
        return STATUS_OK;
    double value = 0;
    if (key->is_array)
        return wrong_kind(file, key, "a number", err);
    if (key->type == GGUF_FLOAT32) {
        float f32;
        memcpy(&f32, key->value, sizeof f32);
        value = shortest_decimal(f32);
    } else if (key->type == GGUF_FLOAT64) {
        memcpy(&value, key->value, sizeof value);
    } else if (is_integer(key->type)) {
        int64_t integer = 0;
        value = load_integer(key, 0, &integer) ? (double)integer : 0x1p63;
    } else {
        return wrong_kind(file, key, "a number", err);
    }
    if (!isfinite(value))
        return wrong_kind(file, key, "a finite number", err);
    if (value < min || value > max)
        return gguf_error(file, STATUS_RANGE, err,
                          "at byte %" PRId64 ": '%.80s' is %g, must be %g to %g", key->at, name,
                          value, min, max);
    *out = value;
    return STATUS_OK;
}

enum status gguf_get_bool_or(const struct gguf *file, const char *name, bool fallback, bool *out,
                             struct err *err)
{
    const struct gguf_key *key = gguf_find_key(file, name);
    *out = fallback;
    if (key == NULL)
        return STATUS_OK;
    if (key->is_array || key->type != GGUF_BOOL)
        return wrong_kind(file, key, "a bool", err);
    *out = *key->value != 0;
    return STATUS_OK;
}

enum status gguf_get_string(const struct gguf *file, const char *name, struct gguf_string *out,
                            struct err *err)
{
    const struct gguf_key *key = gguf_find_key(file, name);
    if (key == NULL)
        return missing(file, name, err);
    if (key->is_array || key->type != GGUF_STRING)
        return wrong_kind(file, key, "a string", err);
    *out = (struct gguf_string){(const char *)key->value + 8, key->value_bytes - 8};
    return STATUS_OK;
}
