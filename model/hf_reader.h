/* A config.json while it is being read: keys with alternatives, which keys were used, and warnings.
 *
 * `keys` holds alternatives separated by blanks ("n_embd hidden_size"). The first one that is
 * present is read. Messages name the first of the list, and hf_config_write writes it. */
#ifndef LATHE_MODEL_HF_READER_H
#define LATHE_MODEL_HF_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "base/text.h"

enum { HF_MAX_USED = 96 };

struct hf_reader {
    struct json root;       /* the object with the shape: text_config where there is one */
    struct json outer;      /* what root lies in; item NULL: nothing */
    const char *model_type; /* for messages; NULL until known */
    const char *families;   /* for messages: the names of all that are known */
    struct text *warnings;  /* lines are appended; may be NULL */
    /* Keys of root that were asked for, borrowed from the document. */
    const char *used[HF_MAX_USED];
    int n_used;
};

/* The first alternative present (null counts as present), absent if there is none. */
struct json hf_find(struct hf_reader *reader, const char *keys);
/* The same in `outer`, which is not asked for what it has no use of. */
struct json hf_find_outer(const struct hf_reader *reader, const char *key);
/* Neither absent nor null. */
bool hf_has(struct hf_reader *reader, const char *keys);

/* Absent or null gives `fallback`; HF_MISSING as fallback makes it an error that names the key, the
 * model_type and the families known. Errors: STATUS_INPUT, STATUS_RANGE. */
#define HF_MISSING INT64_MIN
enum status hf_int(struct hf_reader *reader, const char *keys, int64_t min, int64_t max,
                   int64_t fallback, int64_t *out, struct err *err);
enum status hf_number(struct hf_reader *reader, const char *keys, double min, double max,
                      double fallback, double *out, struct err *err);
enum status hf_bool(struct hf_reader *reader, const char *keys, bool fallback, bool *out,
                    struct err *err);
/* The string lives as long as the document. */
enum status hf_string(struct hf_reader *reader, const char *keys, const char *fallback,
                      const char **out, struct err *err);

void hf_warn(struct hf_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A warning for every key that was not asked for and whose name says that it is about the shape,
 * unless its value is null, false or 0. */
void hf_warn_ignored(struct hf_reader *reader);

/* An error for a key that was not asked for and makes another network of this one: experts, cross
 * attention, attention to tokens that come later, key/value heads that are shared. */
enum status hf_refuse_ignored(struct hf_reader *reader, struct err *err);

/* The first word of `keys`. Returns buffer. */
char *hf_first_key(const char *keys, char *buffer, size_t size);

#endif
