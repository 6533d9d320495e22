/* Reading device profiles. device/profile_fields.c is the format: a key that is in none of its rows
 * is an error.
 *
 * The reader is sticky: after the first error the others do nothing, so that reading is a list of
 * what is read. */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "device/device.h"
#include "device/profile_fields.h"

static const char *const number_keys[] = {"value", "kind", "source", NULL};
static const char *const point_keys[] = {"value", "kind", "source", "threads", NULL};

struct reader {
    struct device *device; /* names its levels */
    struct err *err;
    enum status status; /* the first that is not OK */
};

static bool failed(const struct reader *r)
{
    return r->status != STATUS_OK;
}

/* An error of the reader's own at a place. */
#define refuse(r, at, ...) ((void)((r)->status = json_error((at), (r)->err, __VA_ARGS__)))

static void only_keys(struct reader *r, const struct json *object, const char *const *known)
{
    if (!failed(r))
        r->status = json_only_keys(object, known, r->err);
}

static void expect_one_of(struct reader *r, const struct json *at, const char *name,
                          const char *const *names)
{
    if (failed(r) || name_index(name, names) >= 0)
        return;
    struct text list = {0};
    for (int i = 0; names[i] != NULL; i++)
        text_addf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    refuse(r, at, "unknown word '%s': expected one of %s", name,
           list.failed ? "those of docs/profiles.md" : list.data);
    text_release(&list);
}

/* {"value": 34.1, "kind": "datasheet", "source": "..."}: the last two are for people and the
 * store, but a misspelt kind is worth an error. */
static void check_provenance(struct reader *r, const struct json *object, const char *const *keys)
{
    struct json kind = json_member(object, "kind"), source = json_member(object, "source");
    const char *word = "";
    only_keys(r, object, keys);
    if (!failed(r) && kind.item != NULL) {
        r->status = json_string(&kind, &word, r->err);
        expect_one_of(r, &kind, word, number_kind_names);
    }
    if (!failed(r) && source.item != NULL)
        r->status = json_string(&source, &word, r->err);
}

static void read_text(struct reader *r, const struct json *object, const struct profile_field *row,
                      char *out)
{
    const char *word;
    r->status = row->required ? json_get_string(object, row->key, &word, r->err)
                              : json_get_string_or(object, row->key, "", &word, r->err);
    if (failed(r))
        return;
    struct json at = json_member(object, row->key);
    if (strlen(word) >= row->size) {
        refuse(r, &at, "longer than %zu bytes", row->size - 1);
        return;
    }
    if (row->words != NULL)
        expect_one_of(r, &at, word, row->words);
    memcpy(out, word, strlen(word) + 1);
}

static void read_word(struct reader *r, const struct json *object, const struct profile_field *row,
                      int *out)
{
    enum { LONGEST = 15 }; /* of a word that is worth quoting */
    const char *word, *absent = row->words[(int)row->absent];
    r->status = row->required ? json_get_string(object, row->key, &word, r->err)
                              : json_get_string_or(object, row->key, absent, &word, r->err);
    if (failed(r))
        return;
    struct json at = json_member(object, row->key);
    if (strlen(word) > LONGEST) {
        refuse(r, &at, "longer than %d bytes", LONGEST);
        return;
    }
    expect_one_of(r, &at, word, row->words);
    if (!failed(r))
        *out = name_index(word, row->words);
}

static void read_number(struct reader *r, const struct json *at, const struct profile_field *row,
                        double *out)
{
    if (!json_is_object(at)) {
        r->status = json_number(at, row->least, row->most, out, r->err);
        return;
    }
    check_provenance(r, at, number_keys);
    if (!failed(r))
        r->status = json_get_number(at, "value", row->least, row->most, out, r->err);
}

static void read_whole(struct reader *r, const struct json *at, const struct profile_field *row,
                       int64_t *out)
{
    int64_t least = (int64_t)row->least, most = (int64_t)row->most;
    if (!json_is_object(at)) {
        r->status = json_int(at, least, most, out, r->err);
        return;
    }
    check_provenance(r, at, number_keys);
    if (!failed(r))
        r->status = json_get_int(at, "value", least, most, out, r->err);
}

static void read_point(struct reader *r, const struct json *at, const struct profile_field *row,
                       struct by_threads *out)
{
    enum { MOST_THREADS = 4096 };
    int64_t threads;
    if (!json_is_object(at)) {
        refuse(r, at, "expected an object with 'threads' and 'value'");
        return;
    }
    check_provenance(r, at, point_keys);
    if (!failed(r))
        r->status = json_get_int(at, "threads", 1, MOST_THREADS, &threads, r->err);
    if (!failed(r))
        r->status =
            json_get_number(at, "value", row->least, row->most, &out->value[out->n], r->err);
    if (failed(r))
        return;
    if (out->n > 0 && threads <= out->threads[out->n - 1]) {
        refuse(r, at, "thread counts must ascend: %lld after %d", (long long)threads,
               out->threads[out->n - 1]);
        return;
    }
    out->threads[out->n++] = (int)threads;
}

/* A number, or a list of numbers at thread counts. */
static void read_by_threads(struct reader *r, const struct json *at,
                            const struct profile_field *row, struct by_threads *out)
{
    if (!json_is_array(at)) {
        out->n = 1;
        out->threads[0] = 1;
        read_number(r, at, row, &out->value[0]);
        return;
    }
    if (json_length(at) == 0 || json_length(at) > MAX_THREAD_POINTS) {
        refuse(r, at, "expected 1 to %d thread counts, found %d", MAX_THREAD_POINTS,
               json_length(at));
        return;
    }
    for (struct json point = json_first(at); point.item != NULL && !failed(r);
         point = json_next(&point))
        read_point(r, &point, row, out);
}

/* A member that is one number, or null. *out holds what its absence means. */
static void read_value(struct reader *r, const struct json *object, const char *key,
                       const struct profile_field *row, void *out)
{
    struct json at = json_member(object, key);
    int64_t whole;
    if (failed(r) || (json_is_null(&at) && !row->required))
        return;
    switch (row->kind) {
    case KEY_NUMBER:
        if (row->required)
            r->status = json_get_number(object, key, row->least, row->most, out, r->err);
        else
            read_number(r, &at, row, out);
        break;
    case KEY_WHOLE:
        read_whole(r, &at, row, &whole);
        if (!failed(r))
            profile_field_put_whole(row, whole, out);
        break;
    case KEY_BY_THREADS:
    default:
        read_by_threads(r, &at, row, out);
        break;
    }
}

/* An optional object; false: there is none. */
static bool get_object(struct reader *r, const struct json *parent, const char *key,
                       struct json *out)
{
    *out = json_member(parent, key);
    if (failed(r) || json_is_null(out))
        return false;
    if (!json_is_object(out))
        refuse(r, out, "expected an object");
    return !failed(r);
}

static void read_named(struct reader *r, const struct json *parent, const char *key,
                       enum key_index names_of, const struct profile_field *row, char *out)
{
    struct field_names names;
    struct json object;
    if (!get_object(r, parent, key, &object))
        return;
    profile_field_names(names_of, r->device, &names);
    only_keys(r, &object, names.at);
    for (int i = 0; names.at[i] != NULL; i++)
        read_value(r, &object, names.at[i], row, out + (size_t)i * profile_field_stride(row));
}

static void read_by_type_and_level(struct reader *r, const struct json *parent,
                                   const struct profile_field *row, char *out)
{
    struct field_names types;
    struct json object;
    if (!get_object(r, parent, row->key, &object))
        return;
    profile_field_names(KEY_BY_DTYPE, r->device, &types);
    only_keys(r, &object, types.at);
    for (int i = 0; types.at[i] != NULL; i++)
        read_named(r, &object, types.at[i], KEY_BY_LEVEL, row,
                   out + (size_t)i * MAX_LEVELS * profile_field_stride(row));
}

static void refuse_starts_by_level(struct reader *r, const struct json *timings)
{
    struct json starts = json_member(timings, "matvec_start_ns");
    for (int i = 0; i < r->device->n_levels && !failed(r) && json_is_object(&starts); i++) {
        struct json by_level = json_member(&starts, r->device->levels[i].name);
        if (!json_is_null(&by_level))
            refuse(r, &by_level,
                   "starts are by weight type; a profile of an older lathe has them by level: "
                   "calibrate again");
    }
}

static void check_level(struct reader *r, const struct json *at, const struct level *level)
{
    struct json capacity = json_member(at, "capacity_bytes");
    if (failed(r))
        return;
    /* how much flash there is decides nothing, so it may stay unknown */
    if (json_is_null(&capacity) && strcmp(level->name, "flash") != 0)
        refuse(r, at, "level '%s' has no 'capacity_bytes'", level->name);
    else if (level->read_gbps.n == 0)
        refuse(r, at, "level '%s' has no 'read_gbps'", level->name);
    for (int i = 0; i < r->device->n_levels && !failed(r); i++)
        if (strcmp(r->device->levels[i].name, level->name) == 0)
            refuse(r, at, "second level named '%s'", level->name);
}

/* At every thread count that either of two neighbours names. */
static void check_that_levels_slow_down(struct reader *r, const struct json *levels)
{
    const struct device *device = r->device;
    for (int i = 0; i + 1 < device->n_levels; i++) {
        const struct level *fast = &device->levels[i], *slow = &device->levels[i + 1];
        const struct by_threads *of[] = {&fast->read_gbps, &slow->read_gbps};
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < of[side]->n && !failed(r); k++) {
                int threads = of[side]->threads[k];
                double a = by_threads_at(&fast->read_gbps, threads, 0);
                double b = by_threads_at(&slow->read_gbps, threads, 0);
                if (a >= b)
                    continue;
                struct json at = json_element(levels, i + 1);
                refuse(r, &at,
                       "levels go from fastest to slowest, but '%s' reads %g GB/s and '%s' before "
                       "it %g GB/s (threads: %d)",
                       slow->name, b, fast->name, a, threads);
            }
    }
}

static void read_members(struct reader *r, const struct json *object,
                         const struct profile_field *rows, char *base);

static void read_levels(struct reader *r, const struct json *root, const struct profile_field *row)
{
    struct json levels;
    struct device *device = r->device;
    r->status = json_get_array(root, row->key, &levels, r->err);
    if (failed(r))
        return;
    int n = json_length(&levels);
    if (n < 2 || n > MAX_LEVELS) {
        refuse(r, &levels, "expected 2 to %d levels, the last two 'dram' and 'flash'; found %d",
               MAX_LEVELS, n);
        return;
    }
    for (struct json at = json_first(&levels); at.item != NULL; at = json_next(&at)) {
        struct level *level = &device->levels[device->n_levels];
        if (!json_is_object(&at))
            refuse(r, &at, "expected an object");
        read_members(r, &at, row->members, (char *)level);
        check_level(r, &at, level);
        if (failed(r))
            return;
        device->n_levels++;
    }
    const char *dram = device->levels[n - 2].name, *flash = device->levels[n - 1].name;
    if (strcmp(dram, "dram") != 0 || strcmp(flash, "flash") != 0)
        refuse(r, &levels, "the last two levels must be 'dram' and 'flash', found '%s' and '%s'",
               dram, flash);
    check_that_levels_slow_down(r, &levels);
}

static void read_object(struct reader *r, const struct json *parent,
                        const struct profile_field *row, char *base)
{
    struct json object;
    if (row->required) {
        r->status = json_get_object(parent, row->key, &object, r->err);
        if (failed(r))
            return;
    } else if (!get_object(r, parent, row->key, &object)) {
        return;
    }
    if (row->offset != KEY_NOWHERE)
        *(bool *)(base + row->offset) = true;
    if (row->offset == offsetof(struct device, has_timings))
        refuse_starts_by_level(r, &object);
    read_members(r, &object, row->members, base);
}

static void read_field(struct reader *r, const struct json *object, const struct profile_field *row,
                       char *base)
{
    if (failed(r) || row->kind == KEY_NOTES)
        return;
    if (row->kind == KEY_OBJECT) {
        read_object(r, object, row, base);
        return;
    }
    char *out = base + row->offset;
    if (row->kind == KEY_TEXT)
        read_text(r, object, row, out);
    else if (row->kind == KEY_WORD)
        read_word(r, object, row, (int *)(void *)out);
    else if (row->kind == KEY_FLAG)
        r->status = json_get_bool_or(object, row->key, row->absent > 0, (bool *)out, r->err);
    else if (row->kind == KEY_LEVELS)
        read_levels(r, object, row);
    else {
        if (row->index == KEY_ONE)
            read_value(r, object, row->key, row, out);
        else if (row->index == KEY_BY_DTYPE_AND_LEVEL)
            read_by_type_and_level(r, object, row, out);
        else
            read_named(r, object, row->key, row->index, row, out);
    }
}

/* All rows of one object; base: the struct that their offsets speak of. */
static void read_members(struct reader *r, const struct json *object,
                         const struct profile_field *rows, char *base)
{
    enum { MOST = 48 };
    const char *keys[MOST];
    int n = 0;
    for (; rows[n].key != NULL && n < MOST - 1; n++)
        keys[n] = rows[n].key;
    assert(rows[n].key == NULL);
    keys[n] = NULL;
    only_keys(r, object, keys);
    for (int i = 0; i < n; i++)
        read_field(r, object, &rows[i], base);
}

static void check_threads(struct reader *r, const struct json *root)
{
    struct device *device = r->device;
    if (failed(r))
        return;
    if (device->max_threads == 0)
        device->max_threads = device->default_threads;
    if (device->max_threads < device->default_threads)
        refuse(r, root, "max_threads %d is below default_threads %d", device->max_threads,
               device->default_threads);
}

enum status device_parse(const struct json *root, struct device *out, struct err *err)
{
    struct reader r = {.device = out, .err = err};
    device_init(out);
    if (!json_is_object(root))
        return json_error(root, err, "expected an object: a device profile");
    read_members(&r, root, profile_fields, (char *)out);
    check_threads(&r, root);
    return r.status;
}
