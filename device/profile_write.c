#include "device/profile_write.h"

#include <math.h>

struct writer {
    const struct device *device;
    const struct profile_notes *notes;
};

static void add_source(struct json_node *number, enum number_kind kind, const char *source)
{
    json_add_string(number, "kind", number_kind_names[kind]);
    json_add_string(number, "source", source);
}

void profile_add_sourced(struct json_node *number, double value, enum number_kind kind,
                         const char *source)
{
    json_add_number(number, "value", value);
    add_source(number, kind, source);
}

static bool find_source(const struct writer *w, const void *number, struct number_source *out)
{
    return w->notes->source != NULL && w->notes->source(w->notes->context, number, out);
}

static int64_t whole_at(const struct profile_field *row, const void *at)
{
    return profile_field_stride(row) == sizeof(int) ? *(const int *)at : *(const int64_t *)at;
}

static bool is_absent(const struct profile_field *row, double value)
{
    return isnan(row->absent) ? isnan(value) : !(fabs(value - row->absent) > 0);
}

/* Is one value of a row worth a line? */
static bool is_told(const struct writer *w, const struct profile_field *row, const void *at)
{
    struct number_source source;
    if (row->required || row->is_stated)
        return true;
    switch (row->kind) {
    case KEY_TEXT:
        return *(const char *)at != '\0';
    case KEY_WORD:
        return *(const int *)at != (int)row->absent;
    case KEY_FLAG:
        return *(const bool *)at;
    case KEY_WHOLE:
        return whole_at(row, at) != (int64_t)row->absent || find_source(w, at, &source);
    case KEY_NUMBER:
        return !is_absent(row, *(const double *)at) || find_source(w, at, &source);
    case KEY_BY_THREADS:
        return ((const struct by_threads *)at)->n > 0;
    default:
        return false;
    }
}

static void write_number(const struct writer *w, struct json_node *parent, const char *key,
                         const double *value)
{
    struct number_source source;
    if (find_source(w, value, &source))
        profile_add_sourced(json_add_object(parent, key), *value, source.kind, source.text);
    else
        json_add_number(parent, key, *value);
}

static void write_whole(const struct writer *w, struct json_node *parent, const char *key,
                        const struct profile_field *row, const void *at)
{
    struct number_source source;
    if (!find_source(w, at, &source)) {
        json_add_int(parent, key, whole_at(row, at));
        return;
    }
    struct json_node *number = json_add_object(parent, key);
    json_add_int(number, "value", whole_at(row, at));
    add_source(number, source.kind, source.text);
}

/* What is known of one thread alone holds at any count: a plain number. */
static void write_by_threads(const struct writer *w, struct json_node *parent, const char *key,
                             const struct by_threads *numbers)
{
    struct number_source source;
    if (numbers->n == 1 && numbers->threads[0] == 1) {
        write_number(w, parent, key, &numbers->value[0]);
        return;
    }
    struct json_node *list = json_add_array(parent, key);
    for (int i = 0; i < numbers->n; i++) {
        struct json_node *point = json_add_object(list, NULL);
        json_add_int(point, "threads", numbers->threads[i]);
        json_add_number(point, "value", numbers->value[i]);
        if (find_source(w, &numbers->value[i], &source))
            add_source(point, source.kind, source.text);
    }
}

static void write_value(const struct writer *w, struct json_node *parent, const char *key,
                        const struct profile_field *row, const void *at)
{
    if (!is_told(w, row, at))
        return;
    if (row->kind == KEY_TEXT)
        json_add_string(parent, key, at);
    else if (row->kind == KEY_WORD)
        json_add_string(parent, key, row->words[*(const int *)at]);
    else if (row->kind == KEY_FLAG)
        json_add_bool(parent, key, *(const bool *)at);
    else if (row->kind == KEY_WHOLE)
        write_whole(w, parent, key, row, at);
    else if (row->kind == KEY_NUMBER)
        write_number(w, parent, key, at);
    else
        write_by_threads(w, parent, key, at);
}

static bool any_told(const struct writer *w, const struct profile_field *row, const char *at, int n)
{
    for (int i = 0; i < n; i++)
        if (is_told(w, row, at + (size_t)i * profile_field_stride(row)))
            return true;
    return false;
}

/* An object of what there is by name; none where there is nothing. */
static void write_named(const struct writer *w, struct json_node *parent, const char *key,
                        enum key_index index, const struct profile_field *row, const char *at)
{
    struct field_names names;
    int n = 0;
    profile_field_names(index, w->device, &names);
    while (names.at[n] != NULL)
        n++;
    if (!any_told(w, row, at, n))
        return;
    struct json_node *object = json_add_object(parent, key);
    for (int i = 0; i < n; i++)
        write_value(w, object, names.at[i], row, at + (size_t)i * profile_field_stride(row));
}

static void write_by_type_and_level(const struct writer *w, struct json_node *parent,
                                    const struct profile_field *row, const char *at)
{
    if (!any_told(w, row, at, profile_field_count(row)))
        return;
    struct json_node *types = json_add_object(parent, row->key);
    for (int type = 0; type < N_DTYPES; type++)
        write_named(w, types, dtype_name((enum dtype)type), KEY_BY_LEVEL, row,
                    at + (size_t)type * MAX_LEVELS * profile_field_stride(row));
}

static void write_members(const struct writer *w, struct json_node *object,
                          const struct profile_field *rows, const char *base);

static void write_levels(const struct writer *w, struct json_node *parent,
                         const struct profile_field *row)
{
    struct json_node *levels = json_add_array(parent, row->key);
    for (int i = 0; i < w->device->n_levels; i++)
        write_members(w, json_add_object(levels, NULL), row->members,
                      (const char *)&w->device->levels[i]);
}

static bool has_members(const struct writer *w, const struct profile_field *row, const char *base)
{
    if (row->offset != KEY_NOWHERE)
        return *(const bool *)(base + row->offset);
    for (const struct profile_field *member = row->members; member->key != NULL; member++)
        if (is_told(w, member, base + member->offset))
            return true;
    return false;
}

static void write_field(const struct writer *w, struct json_node *object,
                        const struct profile_field *row, const char *base)
{
    if (row->kind == KEY_LEVELS) {
        write_levels(w, object, row);
    } else if (row->kind == KEY_OBJECT) {
        if (has_members(w, row, base))
            write_members(w, json_add_object(object, row->key), row->members, base);
    } else if (row->kind == KEY_NOTES) {
        if (w->notes->networks != NULL)
            w->notes->networks(w->notes->context, json_add_array(object, row->key));
    } else if (row->index == KEY_ONE) {
        write_value(w, object, row->key, row, base + row->offset);
    } else if (row->index == KEY_BY_DTYPE_AND_LEVEL) {
        write_by_type_and_level(w, object, row, base + row->offset);
    } else {
        write_named(w, object, row->key, row->index, row, base + row->offset);
    }
}

static void write_members(const struct writer *w, struct json_node *object,
                          const struct profile_field *rows, const char *base)
{
    for (const struct profile_field *row = rows; row->key != NULL; row++)
        write_field(w, object, row, base);
}

enum status device_write(const struct device *device, const struct profile_notes *notes,
                         char **text, struct err *err)
{
    const struct writer w = {.device = device, .notes = notes};
    struct json_node *root = json_new_object();
    if (notes->comment != NULL)
        json_add_string(root, "_comment", notes->comment);
    write_members(&w, root, profile_fields, (const char *)device);
    *text = json_print(root);
    json_free(root);
    return *text != NULL ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}
