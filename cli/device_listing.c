#include "cli/device_listing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* A profile's value as written: a number, a text, or one of a list with its thread count. */
static void value_text(const struct json *at, char *buffer, size_t size)
{
    double number;
    const char *text;
    bool yes;
    if (json_is_number(at) && json_number(at, -INFINITY, INFINITY, &number, NULL) == STATUS_OK)
        snprintf(buffer, size, "%.10g", number);
    else if (json_is_string(at) && json_string(at, &text, NULL) == STATUS_OK)
        snprintf(buffer, size, "%s", text);
    else if (json_bool(at, &yes, NULL) == STATUS_OK)
        snprintf(buffer, size, "%s", yes ? "yes" : "no");
    else
        snprintf(buffer, size, "-");
}

static const char *text_member(const struct json *object, const char *key)
{
    const char *text = "";
    struct json member = json_member(object, key);
    if (json_is_string(&member) && json_string(&member, &text, NULL) != STATUS_OK)
        return "";
    return text;
}

struct leaf {
    const char *path, *value, *kind, *source;
};
static const struct field leaf_fields[] = {
    LISTED_TITLE(leaf, path, UNIT_NONE, "number"),
    LISTED_TITLE(leaf, value, UNIT_NONE, "value"),
    LISTED_TITLE(leaf, kind, UNIT_NONE, "kind"),
    LISTED_TITLE(leaf, source, UNIT_NONE, "source"),
};

static void add_value(struct listing *listing, const char *path, const struct json *value,
                      const char *kind, const char *source)
{
    char text[256];
    value_text(value, text, sizeof text);
    listing_add(listing, &(struct leaf){path, text, kind, source});
}

/* Every leaf of the profile, with the provenance that stands beside it. */
static void walk(struct listing *listing, const struct json *at, const char *path)
{
    struct json value = json_member(at, "value");
    if (json_is_object(at) && !json_is_null(&value)) {
        add_value(listing, path, &value, text_member(at, "kind"), text_member(at, "source"));
        return;
    }
    if (!json_is_object(at) && !json_is_array(at)) {
        add_value(listing, path, at, "", "");
        return;
    }
    struct json child = json_first(at);
    for (int i = 0; child.item != NULL; child = json_next(&child), i++) {
        char longer[512];
        struct json threads = json_member(&child, "threads");
        struct json name = json_member(&child, "name");
        char label[64];
        if (child.key != NULL)
            snprintf(longer, sizeof longer, "%s%s%s", path, *path != 0 ? "." : "", child.key);
        else if (json_is_number(&threads)) {
            value_text(&threads, label, sizeof label);
            snprintf(longer, sizeof longer, "%s, %s threads", path, label);
        } else if (json_is_string(&name)) {
            value_text(&name, label, sizeof label);
            snprintf(longer, sizeof longer, "%s[%s]", path, label);
        } else
            snprintf(longer, sizeof longer, "%s[%d]", path, i);
        walk(listing, &child, longer);
    }
}

enum status device_listing(struct listing *listing, const char *name, const char *profile,
                           struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse(name, profile, (int64_t)strlen(profile), &doc, &root, err);
    if (status != STATUS_OK)
        return status;
    LISTING_FIELDS(listing, leaf_fields);
    walk(listing, &root, "");
    json_close(doc);
    return STATUS_OK;
}
