#include "base/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json_check.h"
#include "base/json_private.h"
#include "base/memory.h"
#include "base/text.h"

static const double largest_exact = 9007199254740991.0; /* 2^53 - 1 */

struct json_doc {
    char *name;
    cJSON *tree;
};

static const cJSON *item_of(const struct json *at)
{
    return at->item;
}

static struct json cursor(const struct json *parent, const cJSON *item, int index)
{
    bool has_key = item != NULL && item->string != NULL;
    return (struct json){item, parent->doc, parent, has_key ? item->string : NULL, index};
}

/* Paths */

static void add_path(struct text *path, const struct json *at)
{
    if (at->parent == NULL) {
        text_add(path, "$");
        return;
    }
    add_path(path, at->parent);
    if (at->key == NULL) {
        text_addf(path, "[%d]", at->index);
        return;
    }
    bool is_plain = at->key[0] != '\0';
    for (const char *p = at->key; *p != '\0'; p++)
        is_plain = is_plain && (isalnum((unsigned char)*p) || *p == '_');
    text_addf(path, is_plain ? ".%s" : "[\"%s\"]", at->key);
}

enum status(json_error)(const struct json *at, struct err *err, const char *format, ...)
{
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct text path = {0};
    add_path(&path, at);
    err_set(err, STATUS_INPUT, "%s: %s: %s", at->doc->name, path.data != NULL ? path.data : "$",
            message);
    text_release(&path);
    return STATUS_INPUT;
}

/* Reading */

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static enum status refuse_duplicates(const struct json *at, struct err *err)
{
    enum status status = STATUS_OK;
    const cJSON *container = item_of(at), *item;
    const cJSON **members = NULL;
    size_t n = (size_t)json_length(at), i = 0;
    if (json_is_object(at) && n > 1) {
        members = memory_new(n, sizeof *members);
        if (members == NULL)
            return err_set(err, STATUS_NOMEM, "out of memory reading '%s'", at->doc->name);
        cJSON_ArrayForEach(item, container) members[i++] = item;
        qsort(members, n, sizeof *members, by_key);
        n = i;
        for (i = 1; i < n && status == STATUS_OK; i++) {
            if (by_key(&members[i - 1], &members[i]) == 0)
                status = json_error(at, err, "key '%s' is given twice", members[i]->string);
        }
        memory_free(members);
    }
    if (json_is_object(at) || json_is_array(at)) {
        for (struct json child = json_first(at); child.item != NULL && status == STATUS_OK;
             child = json_next(&child))
            status = refuse_duplicates(&child, err);
    }
    return status;
}

enum status json_parse(const char *name, const char *text, int64_t length, struct json_doc **doc,
                       struct json *root, struct err *err)
{
    assert(length >= 0);
    json_use_our_memory();
    enum status status = json_check(name, text, (size_t)length, err);
    if (status != STATUS_OK)
        return status;
    struct json_doc *read = memory_new(1, sizeof *read);
    if (read != NULL) {
        read->name = memory_strdup(name);
        read->tree = cJSON_ParseWithLength(text, (size_t)length);
    }
    if (read == NULL || read->name == NULL || read->tree == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory reading '%s'", name);
        goto out;
    }
    struct json top = {.item = read->tree, .doc = read, .index = 0};
    status = refuse_duplicates(&top, err);
    if (status != STATUS_OK)
        goto out;
    *root = top;
    *doc = read;
    read = NULL;
out:
    json_close(read);
    return status;
}

enum status json_open(const char *path, struct json_doc **doc, struct json *root, struct err *err)
{
    char *text;
    int64_t length;
    enum status status = file_read(path, 64 << 20, &text, &length, err);
    if (status != STATUS_OK)
        return status == STATUS_RANGE ? STATUS_INPUT : status;
    status = json_parse(path, text, length, doc, root, err);
    memory_free(text);
    return status;
}

void json_close(struct json_doc *doc)
{
    if (doc == NULL)
        return;
    cJSON_Delete(doc->tree);
    memory_free(doc->name);
    memory_free(doc);
}

bool json_is_object(const struct json *at)
{
    return cJSON_IsObject(item_of(at));
}

bool json_is_array(const struct json *at)
{
    return cJSON_IsArray(item_of(at));
}

bool json_is_string(const struct json *at)
{
    return cJSON_IsString(item_of(at));
}

bool json_is_number(const struct json *at)
{
    return cJSON_IsNumber(item_of(at));
}

bool json_is_null(const struct json *at)
{
    return at->item == NULL || cJSON_IsNull(item_of(at));
}

struct json json_member(const struct json *object, const char *key)
{
    const cJSON *item = NULL;
    if (json_is_object(object))
        item = cJSON_GetObjectItemCaseSensitive(item_of(object), key);
    struct json member = cursor(object, item, 0);
    member.key = item != NULL ? item->string : key;
    return member;
}

struct json json_element(const struct json *array, int i)
{
    const cJSON *item = NULL;
    if (i >= 0 && (json_is_array(array) || json_is_object(array)))
        item = cJSON_GetArrayItem(item_of(array), i);
    return cursor(array, item, i);
}

int json_length(const struct json *at)
{
    return json_is_array(at) || json_is_object(at) ? cJSON_GetArraySize(item_of(at)) : 0;
}

struct json json_first(const struct json *container)
{
    bool has_children = json_is_array(container) || json_is_object(container);
    return cursor(container, has_children ? item_of(container)->child : NULL, 0);
}

struct json json_next(const struct json *at)
{
    return cursor(at->parent, at->item != NULL ? item_of(at)->next : NULL, at->index + 1);
}

static enum status expected(const struct json *at, const char *what, struct err *err)
{
    const cJSON *item = item_of(at);
    const char *found = item == NULL           ? "nothing"
                        : cJSON_IsNull(item)   ? "null"
                        : cJSON_IsBool(item)   ? "true or false"
                        : cJSON_IsNumber(item) ? "a number"
                        : cJSON_IsString(item) ? "a string"
                        : cJSON_IsArray(item)  ? "an array"
                                               : "an object";
    return json_error(at, err, "expected %s, found %s", what, found);
}

static enum status out_of_range(const struct json *at, double min, double max, struct err *err)
{
    json_error(at, err, "%.17g is not between %.16g and %.16g", item_of(at)->valuedouble, min, max);
    return STATUS_RANGE;
}

enum status json_int(const struct json *at, int64_t min, int64_t max, int64_t *out, struct err *err)
{
    if (!json_is_number(at))
        return expected(at, "a whole number", err);
    double value = item_of(at)->valuedouble;
    if (value != floor(value))
        return json_error(at, err, "expected a whole number, found %.17g", value);
    /* beyond, neighbours fall on the same double and the number written is not the number read */
    if (fabs(value) > largest_exact)
        return out_of_range(at, fmax((double)min, -largest_exact), fmin((double)max, largest_exact),
                            err);
    if ((int64_t)value < min || (int64_t)value > max)
        return out_of_range(at, (double)min, (double)max, err);
    *out = (int64_t)value;
    return STATUS_OK;
}

enum status json_number(const struct json *at, double min, double max, double *out, struct err *err)
{
    if (!json_is_number(at))
        return expected(at, "a number", err);
    double value = item_of(at)->valuedouble;
    if (value < min || value > max)
        return out_of_range(at, min, max, err);
    *out = value;
    return STATUS_OK;
}

enum status json_string(const struct json *at, const char **out, struct err *err)
{
    if (!json_is_string(at))
        return expected(at, "a string", err);
    *out = item_of(at)->valuestring;
    return STATUS_OK;
}

enum status json_bool(const struct json *at, bool *out, struct err *err)
{
    if (!cJSON_IsBool(item_of(at)))
        return expected(at, "true or false", err);
    *out = cJSON_IsTrue(item_of(at));
    return STATUS_OK;
}

/* Members of something else than an object are not absent, they are an error of the object. */
static enum status find_member(const struct json *object, const char *key, struct json *out,
                               struct err *err)
{
    if (!json_is_null(object) && !json_is_object(object)) {
        expected(object, "an object", err);
        return STATUS_INPUT;
    }
    *out = json_member(object, key);
    return STATUS_OK;
}

enum status json_get_int(const struct json *object, const char *key, int64_t min, int64_t max,
                         int64_t *out, struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    return status != STATUS_OK ? status : json_int(&at, min, max, out, err);
}

enum status json_get_int_or(const struct json *object, const char *key, int64_t min, int64_t max,
                            int64_t fallback, int64_t *out, struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_null(&at))
        return json_int(&at, min, max, out, err);
    *out = fallback;
    return STATUS_OK;
}

enum status json_get_number(const struct json *object, const char *key, double min, double max,
                            double *out, struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    return status != STATUS_OK ? status : json_number(&at, min, max, out, err);
}

enum status json_get_number_or(const struct json *object, const char *key, double min, double max,
                               double fallback, double *out, struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_null(&at))
        return json_number(&at, min, max, out, err);
    *out = fallback;
    return STATUS_OK;
}

enum status json_get_string(const struct json *object, const char *key, const char **out,
                            struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    return status != STATUS_OK ? status : json_string(&at, out, err);
}

enum status json_get_string_or(const struct json *object, const char *key, const char *fallback,
                               const char **out, struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_null(&at))
        return json_string(&at, out, err);
    *out = fallback;
    return STATUS_OK;
}

enum status json_get_bool_or(const struct json *object, const char *key, bool fallback, bool *out,
                             struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_null(&at))
        return json_bool(&at, out, err);
    *out = fallback;
    return STATUS_OK;
}

enum status json_get_object(const struct json *object, const char *key, struct json *out,
                            struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_object(&at))
        return expected(&at, "an object", err);
    *out = at;
    return STATUS_OK;
}

enum status json_get_array(const struct json *object, const char *key, struct json *out,
                           struct err *err)
{
    struct json at;
    enum status status = find_member(object, key, &at, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_array(&at))
        return expected(&at, "an array", err);
    *out = at;
    return STATUS_OK;
}

enum status json_only_keys(const struct json *object, const char *const *known, struct err *err)
{
    size_t n_known = 0;
    while (known[n_known] != NULL)
        n_known++;
    for (struct json at = json_first(object); at.item != NULL; at = json_next(&at)) {
        bool is_known = at.key == NULL || at.key[0] == '_';
        for (size_t i = 0; i < n_known && !is_known; i++)
            is_known = strcmp(at.key, known[i]) == 0;
        if (is_known)
            continue;
        const char *nearest = text_nearest(at.key, known, n_known);
        if (nearest == NULL)
            return json_error(&at, err, "unknown key");
        return json_error(&at, err, "unknown key: did you mean '%s'?", nearest);
    }
    return STATUS_OK;
}
