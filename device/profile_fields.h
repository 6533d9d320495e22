/* Every key of a device profile, one row each: where its number stands in struct device, how it is
 * read and written, its limits, its default and what it means.
 *
 * Reader (device/profile_read.c), writer (device/profile_write.c), resolver (device/machine.c) and
 * the tables of docs/profiles.md follow these rows; a test holds the page to them. A new number is
 * a member in device/machine.h, a row here and that row's line in docs/profiles.md. */
#ifndef LATHE_DEVICE_PROFILE_FIELDS_H
#define LATHE_DEVICE_PROFILE_FIELDS_H

#include <stddef.h>

#include "device/machine.h"

enum key_kind {
    KEY_TEXT,       /* char[size]; one of `words` where the row has them */
    KEY_WORD,       /* an enum: the place of one of `words` */
    KEY_FLAG,       /* bool */
    KEY_WHOLE,      /* int or int64_t, told by `size` */
    KEY_NUMBER,     /* double */
    KEY_BY_THREADS, /* struct by_threads */
    KEY_OBJECT,     /* members of their own; its place, if any, is a bool: is it there */
    KEY_LEVELS,     /* struct level [n_levels], the one list of objects */
    KEY_NOTES,      /* for people: not read */
};

/* One number, or an object of numbers by name. The numbers of an object stand in an array. */
enum key_index {
    KEY_ONE,
    KEY_BY_DTYPE,
    KEY_BY_OP,
    KEY_BY_LEVEL,
    KEY_BY_DTYPE_AND_LEVEL, /* [N_DTYPES][MAX_LEVELS] */
};

#define KEY_NOWHERE ((size_t)-1)

struct profile_field {
    const char *key;
    enum key_kind kind;
    enum key_index index;
    const char *unit;      /* "" where there is none */
    size_t offset, size;   /* of the (first) number in struct device, of a level's in struct level;
                              KEY_NOWHERE: none */
    size_t machine_offset; /* in struct machine or struct machine_level, of what the number at a
                              thread count is copied to; KEY_NOWHERE: the resolver works it out */
    double least, most;
    double absent;  /* what a key that is left out stands for; NaN: unknown */
    bool required;  /* may not be left out. A required number is a setting, not a measurement: it is
                       written plainly, without a source */
    bool is_stated; /* written even where it is the default */
    const char *const *words;            /* ends in NULL */
    const struct profile_field *members; /* of an object or a level; ends in a NULL key */
    const char *meaning, *by_default;    /* as docs/profiles.md prints them */
};

extern const struct profile_field
    profile_fields[]; /* in the order of reading; ends in a NULL key */

/* Numbers that stand under the key in an array, and its strides: all are the size of the kind. */
int profile_field_count(const struct profile_field *field);
/* Bytes of one of them. */
size_t profile_field_stride(const struct profile_field *field);
void profile_field_put_whole(const struct profile_field *field, int64_t value, void *out);
/* The names that index a BY_DTYPE, BY_OP or BY_LEVEL array, NULL-ended. Levels have the names that
 * `device` gives them. */
struct field_names {
    const char *at[(int)N_DTYPES > (int)N_OP_KINDS ? N_DTYPES + 1 : N_OP_KINDS + 1];
};
void profile_field_names(enum key_index index, const struct device *device,
                         struct field_names *out);

/* A device of which nothing is said: every number is what its absence stands for. */
void device_init(struct device *device);

/* Where a number comes from ("kind" of its object). */
enum number_kind {
    NUMBER_DATASHEET,
    NUMBER_MEASURED,
    NUMBER_FITTED,
    NUMBER_ESTIMATE,
    NUMBER_ASSUMED,
};
extern const char *const number_kind_names[]; /* ends in NULL */
/* To `digits` significant digits, as profiles are written. 0, NaN and infinities stay. */
double round_to_digits(double value, int digits);
/* Place of the name in a NULL-ended list; -1: it is not there. */
int name_index(const char *name, const char *const *names);

#endif
