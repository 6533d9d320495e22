/* Building JSON and printing it. A json_node is a cJSON under another name. */
#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_private.h"
#include "base/memory.h"

/* cJSON's allocator is a global, set once and for good. */
static void *hook_new(size_t bytes)
{
    return memory_new(bytes, 1);
}

static void set_hooks(void)
{
    cJSON_Hooks hooks = {hook_new, memory_free};
    cJSON_InitHooks(&hooks);
}

void json_use_our_memory(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_hooks);
}

static cJSON *item_in(struct json_node *node)
{
    return (cJSON *)(void *)node;
}

/* An item that could not be made leaves a mark, so that the whole is not printed without it. */
static struct json_node *add(struct json_node *parent, const char *key, cJSON *item)
{
    cJSON *container = item_in(parent);
    if (container == NULL) {
        cJSON_Delete(item);
        return NULL;
    }
    assert((key != NULL) == cJSON_IsObject(container));
    bool is_added = item != NULL && (key != NULL ? cJSON_AddItemToObject(container, key, item)
                                                 : cJSON_AddItemToArray(container, item));
    if (!is_added) {
        cJSON_Delete(item);
        container->type |= 1 << 16;
        return NULL;
    }
    return (struct json_node *)(void *)item;
}

static bool is_marked(const cJSON *item)
{
    for (; item != NULL; item = item->next) {
        if ((item->type & (1 << 16)) != 0 || is_marked(item->child))
            return true;
    }
    return false;
}

struct json_node *json_new_object(void)
{
    json_use_our_memory();
    return (struct json_node *)(void *)cJSON_CreateObject();
}

struct json_node *json_new_array(void)
{
    json_use_our_memory();
    return (struct json_node *)(void *)cJSON_CreateArray();
}

struct json_node *json_add_object(struct json_node *parent, const char *key)
{
    return add(parent, key, cJSON_CreateObject());
}

struct json_node *json_add_array(struct json_node *parent, const char *key)
{
    return add(parent, key, cJSON_CreateArray());
}

void json_add_int(struct json_node *parent, const char *key, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    add(parent, key, cJSON_CreateRaw(digits));
}

void json_add_number(struct json_node *parent, const char *key, double value)
{
    char digits[32];
    if (!isfinite(value)) {
        json_add_null(parent, key);
        return;
    }
    /* the shortest that reads back as the same double; cJSON's own would settle for a neighbour */
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    add(parent, key, cJSON_CreateRaw(digits));
}

void json_add_string(struct json_node *parent, const char *key, const char *value)
{
    add(parent, key, value != NULL ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void json_add_bool(struct json_node *parent, const char *key, bool value)
{
    add(parent, key, cJSON_CreateBool(value));
}

void json_add_null(struct json_node *parent, const char *key)
{
    add(parent, key, cJSON_CreateNull());
}

void json_add_copy(struct json_node *parent, const char *key, const struct json *from)
{
    add(parent, key, from->item != NULL ? cJSON_Duplicate(from->item, true) : cJSON_CreateNull());
}

char *json_print_compact(const struct json_node *root)
{
    const cJSON *item = (const cJSON *)(const void *)root;
    return item == NULL || is_marked(item) ? NULL : cJSON_PrintUnformatted(item);
}

/* cJSON indents with tabs; here it is two blanks, and one after a colon. A tab inside a string was
 * escaped, so every tab found is layout. */
char *json_print(const struct json_node *root)
{
    const cJSON *item = (const cJSON *)(const void *)root;
    char *tabbed = item == NULL || is_marked(item) ? NULL : cJSON_Print(item);
    if (tabbed == NULL)
        return NULL;
    size_t length = strlen(tabbed), n_tabs = 0;
    for (size_t i = 0; i < length; i++)
        n_tabs += tabbed[i] == '\t';
    char *text = memory_new(length + n_tabs + 2, 1), *to = text;
    for (size_t i = 0; i < length && text != NULL; i++) {
        bool is_tab = tabbed[i] == '\t';
        *to++ = is_tab ? ' ' : tabbed[i];
        if (is_tab && tabbed[i - 1] != ':')
            *to++ = ' ';
    }
    if (text != NULL)
        *to = '\n';
    memory_free(tabbed);
    return text;
}

void json_free(struct json_node *root)
{
    cJSON_Delete(item_in(root));
}
