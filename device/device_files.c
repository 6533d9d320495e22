/* Finding profiles: the shipped ones by name, any other by its path. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/device.h"

enum { longest_profile = 4 << 20 };

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strcmp(name, "-") == 0 || strchr(name, '/') != NULL ||
           (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum status device_names(char ***names, int *n, struct err *err)
{
    char path[4096];
    void *found = NULL;
    size_t capacity = 0, used = 0;
    DIR *directory = NULL;

    enum status status = file_data_path("devices", path, sizeof path, err);
    if (status != STATUS_OK)
        return status;
    directory = opendir(path);
    if (directory == NULL)
        return err_errno(err, "cannot read '%s'", path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || !is_path(entry->d_name))
            continue;
        status = memory_grow(&found, &capacity, used + 1, sizeof(char *), err);
        if (status != STATUS_OK)
            goto out;
        char *name = memory_strdup(entry->d_name);
        if (name == NULL) {
            status = err_set(err, STATUS_NOMEM, "out of memory while listing '%s'", path);
            goto out;
        }
        name[length - 5] = '\0';
        ((char **)found)[used++] = name;
    }
    memory_sort(found, used, sizeof(char *), by_name);
    *names = found;
    *n = (int)used;
    found = NULL;
out:
    if (found != NULL)
        device_names_free(found, (int)used);
    closedir(directory);
    return status;
}

void device_names_free(char **names, int n)
{
    for (int i = 0; i < n; i++)
        memory_free(names[i]);
    memory_free(names);
}

static enum status say_nearest(const char *name, struct err *err)
{
    char **names = NULL;
    int n = 0;
    enum status status = device_names(&names, &n, err);
    if (status != STATUS_OK)
        return status;
    const char *nearest = text_nearest(name, (const char *const *)names, (size_t)n);
    if (nearest != NULL)
        status = err_set(err, STATUS_NOT_FOUND,
                         "unknown device '%s': did you mean '%s'? ('lathe devices' lists them)",
                         name, nearest);
    else
        status = err_set(err, STATUS_NOT_FOUND,
                         "unknown device '%s': neither a file nor one of the %d profiles that "
                         "'lathe devices' lists",
                         name, n);
    device_names_free(names, n);
    return status;
}

static enum status profile_path(const char *name, char *out, size_t size, struct err *err)
{
    char relative[256];
    if (is_path(name)) {
        if (strlen(name) >= size)
            return err_set(err, STATUS_NOT_FOUND, "unknown device '%.100s...': path is too long",
                           name);
        memcpy(out, name, strlen(name) + 1);
        return STATUS_OK;
    }
    int length = snprintf(relative, sizeof relative, "devices/%s.json", name);
    if (*name != '\0' && length < (int)sizeof relative) {
        enum status status = file_data_path(relative, out, size, err);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return say_nearest(name, err);
}

static void id_from_path(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    size_t length = strlen(base);
    if (length > 5 && strcmp(base + length - 5, ".json") == 0)
        length -= 5;
    snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), base);
}

enum status device_open(const char *name, struct device *out, struct err *err)
{
    char path[4096];
    struct json_doc *doc = NULL;
    struct json root;

    enum status status = profile_path(name, path, sizeof path, err);
    if (status == STATUS_OK)
        status = json_open(path, &doc, &root, err);
    if (status == STATUS_OK)
        status = device_parse(&root, out, err);
    if (status == STATUS_OK)
        id_from_path(path, out->id, sizeof out->id);
    json_close(doc);
    return status;
}

enum status device_text(const char *name, char **text, struct err *err)
{
    char path[4096];
    int64_t length;
    enum status status = profile_path(name, path, sizeof path, err);
    return status == STATUS_OK ? file_read(path, longest_profile, text, &length, err) : status;
}
