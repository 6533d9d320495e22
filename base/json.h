/* JSON in and out. The only file that knows cJSON.
 *
 * Reading goes through cursors that remember where they are, so that an error names file, line and
 * column (syntax) or the path (content): "profile.json: $.levels[1].read_gbps: expected a number".
 * Refused at parse: duplicate keys, nesting deeper than 64, NaN and infinities, bytes after the
 * end. */
#ifndef LATHE_BASE_JSON_H
#define LATHE_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct json_doc; /* owns the parsed tree */

/* A place in a document. Borrowed: valid while the document and the parent cursors live. */
struct json {
    const void *item; /* NULL: absent */
    const struct json_doc *doc;
    const struct json *parent;
    const char *key; /* of this item in its parent, NULL for an array element */
    int index;
};

/* Reads a file of at most 64 MiB. Errors: STATUS_IO, STATUS_INPUT. Release with json_close. */
enum status json_open(const char *path, struct json_doc **doc, struct json *root, struct err *err);
/* `name` is how errors call the text. */
enum status json_parse(const char *name, const char *text, int64_t length, struct json_doc **doc,
                       struct json *root, struct err *err);
void json_close(struct json_doc *doc); /* NULL allowed */

bool json_is_object(const struct json *at);
bool json_is_array(const struct json *at);
bool json_is_string(const struct json *at);
bool json_is_number(const struct json *at);
bool json_is_null(const struct json *at); /* null or absent */

/* The member, absent if there is none (`item` NULL). `object` must be an object or absent. */
struct json json_member(const struct json *object, const char *key);
/* Element i of an array, 0 .. json_length - 1, or the i-th member of an object (with its key).
 * O(i): to walk use json_first / json_next. */
struct json json_element(const struct json *array, int i);
int json_length(const struct json *at); /* elements or members; 0 for anything else */
struct json json_first(const struct json *container);
struct json json_next(const struct json *at);

/* Value of the cursor itself. Errors: STATUS_INPUT (absent or of another kind), STATUS_RANGE. */
enum status json_int(const struct json *at, int64_t min, int64_t max, int64_t *out,
                     struct err *err);
enum status json_number(const struct json *at, double min, double max, double *out,
                        struct err *err);
enum status json_string(const struct json *at, const char **out, struct err *err);
enum status json_bool(const struct json *at, bool *out, struct err *err);

/* Members by key; `_or` take a default when the key is absent or null. */
enum status json_get_int(const struct json *object, const char *key, int64_t min, int64_t max,
                         int64_t *out, struct err *err);
enum status json_get_int_or(const struct json *object, const char *key, int64_t min, int64_t max,
                            int64_t fallback, int64_t *out, struct err *err);
enum status json_get_number(const struct json *object, const char *key, double min, double max,
                            double *out, struct err *err);
enum status json_get_number_or(const struct json *object, const char *key, double min, double max,
                               double fallback, double *out, struct err *err);
enum status json_get_string(const struct json *object, const char *key, const char **out,
                            struct err *err);
enum status json_get_string_or(const struct json *object, const char *key, const char *fallback,
                               const char **out, struct err *err);
enum status json_get_bool_or(const struct json *object, const char *key, bool fallback, bool *out,
                             struct err *err);
/* Error when absent or no object / no array. */
enum status json_get_object(const struct json *object, const char *key, struct json *out,
                            struct err *err);
enum status json_get_array(const struct json *object, const char *key, struct json *out,
                           struct err *err);

/* Error (with the nearest known key) for a member that is not in `known`, a NULL-ended list. Keys
 * that start with "_" are comments and always pass. */
enum status json_only_keys(const struct json *object, const char *const *known, struct err *err);

/* "<file>: <path>: " put in front of a message of the caller's own; STATUS_INPUT. */
enum status json_error(const struct json *at, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__ /* as in base/status.h */
#define json_error(...) (json_error(__VA_ARGS__), STATUS_INPUT)
#endif

/* Building. Functions on a NULL node do nothing, so that a failed allocation is checked once, when
 * the whole is printed. A double that is not finite becomes null: an unknown is null, never 0. */
struct json_node; /* owned by its parent, or by the caller until added or freed */
struct json_node *json_new_object(void);
struct json_node *json_new_array(void);
struct json_node *json_add_object(struct json_node *parent,
                                  const char *key); /* key NULL in arrays */
struct json_node *json_add_array(struct json_node *parent, const char *key);
void json_add_int(struct json_node *parent, const char *key, int64_t value);
void json_add_number(struct json_node *parent, const char *key, double value);
void json_add_string(struct json_node *parent, const char *key,
                     const char *value); /* NULL -> null */
void json_add_bool(struct json_node *parent, const char *key, bool value);
void json_add_null(struct json_node *parent, const char *key);
/* A deep copy of what the cursor points at (a source's "_source" block, say). */
void json_add_copy(struct json_node *parent, const char *key, const struct json *from);
/* Indented text ending in a newline; free with memory_free. NULL: out of memory somewhere. */
char *json_print(const struct json_node *root);
char *json_print_compact(const struct json_node *root); /* one line, no newline */
void json_free(struct json_node *root);                 /* NULL allowed */

#endif
