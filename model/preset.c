#include "model/preset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/hf_config.h"

static enum status copy_string(const struct json *object, const char *key, bool needed, char *out,
                               size_t size, struct err *err)
{
    const char *value = "";
    enum status status = needed ? json_get_string(object, key, &value, err)
                                : json_get_string_or(object, key, "", &value, err);
    if (status != STATUS_OK)
        return status;
    int written = snprintf(out, size, "%s", value);
    if (written < 0 || (size_t)written >= size)
        return json_error(object, err, "'%s' is longer than %zu characters", key, size - 1);
    return STATUS_OK;
}

static enum status read_preset(const struct json *at, struct preset *out, struct err *err)
{
    enum status status = STATUS_OK;
    if ((status = copy_string(at, "name", true, out->name, sizeof out->name, err)) ||
        (status = copy_string(at, "title", true, out->title, sizeof out->title, err)) ||
        (status = copy_string(at, "hub_id", false, out->hub_id, sizeof out->hub_id, err)) ||
        (status = copy_string(at, "published", true, out->published, sizeof out->published, err)) ||
        (status = copy_string(at, "grade", true, out->grade, sizeof out->grade, err)) ||
        (status = copy_string(at, "source", true, out->source, sizeof out->source, err)) ||
        (status = copy_string(at, "table3", false, out->table3, sizeof out->table3, err)) ||
        (status = copy_string(at, "table8", false, out->table8, sizeof out->table8, err)) ||
        (status = json_get_int(at, "params", 1, INT64_MAX, &out->params, err)))
        return status;
    return json_get_int_or(at, "published_params", 1, INT64_MAX, 0, &out->published_params, err);
}

enum status preset_list_open(struct preset_list *out, struct err *err)
{
    char path[4096];
    struct json_doc *doc = NULL;
    struct json root = {0}, models;
    struct preset_list list = {0};
    enum status status = file_data_path("models/index.json", path, sizeof path, err);
    if (status != STATUS_OK || (status = json_open(path, &doc, &root, err)) ||
        (status = json_get_array(&root, "models", &models, err)))
        goto out;
    list.items = memory_new((size_t)json_length(&models), sizeof *list.items);
    if (!list.items) {
        status = err_set(err, STATUS_NOMEM, "out of memory reading '%s'", path);
        goto out;
    }
    for (struct json at = json_first(&models); at.item && status == STATUS_OK; at = json_next(&at))
        status = read_preset(&at, &list.items[list.n++], err);
    if (status == STATUS_OK) {
        *out = list;
        list.items = NULL;
    }
out:
    memory_free(list.items);
    json_close(doc);
    return status;
}

void preset_list_release(struct preset_list *list)
{
    memory_free(list->items);
    *list = (struct preset_list){0};
}

const struct preset *preset_find(const struct preset_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcasecmp(list->items[i].name, name) == 0)
            return &list->items[i];
    }
    return NULL;
}

const struct preset *preset_by_title(const struct preset_list *list, const char *title)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].title, title) == 0)
            return &list->items[i];
    }
    return NULL;
}

const char *preset_nearest(const struct preset_list *list, const char *name)
{
    const char **names = memory_new(list->n, sizeof *names);
    if (!names)
        return NULL;
    for (size_t i = 0; i < list->n; i++)
        names[i] = list->items[i].name;
    const char *nearest = text_nearest(name, names, list->n);
    memory_free(names);
    return nearest;
}

static enum status open_config(const struct preset *preset, struct transformer *out,
                               struct err *err)
{
    char relative[96], path[4096];
    struct transformer net = {0};
    snprintf(relative, sizeof relative, "models/%s.json", preset->name);
    enum status status = file_data_path(relative, path, sizeof path, err);
    if (status != STATUS_OK || (status = hf_config_read(path, &net, NULL, err)))
        return status;
    snprintf(net.name, sizeof net.name, "%s", preset->name);
    *out = net;
    return STATUS_OK;
}

enum status preset_open(const char *name, struct transformer *out, struct err *err)
{
    struct preset_list list = {0};
    enum status status = preset_list_open(&list, err);
    if (status != STATUS_OK)
        return status;
    const struct preset *preset = preset_find(&list, name);
    if (preset) {
        status = open_config(preset, out, err);
    } else {
        const char *near = preset_nearest(&list, name);
        status = err_set(err, STATUS_NOT_FOUND, "no preset '%s'%s%s%s", name,
                         near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    preset_list_release(&list);
    return status;
}
