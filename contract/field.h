/* Records and what describes them: one row a field, with its name, type, unit, title and meaning.
 *
 * A record is a plain struct; its fields are a table of where each member lies and what it is. The
 * store's columns, the metrics of a search, the listings and the JSON keys are read from the same
 * row, so that a number cannot come under another's title. A member is an int64_t, a double or a
 * const char *; the table takes the type from the struct.
 *
 * Unknown is UNKNOWN_INT, NaN or NULL, never 0. record_clear is the way to make a record: a record
 * says in its first member by which table it was made, and the store takes no other. */
#ifndef LATHE_CONTRACT_FIELD_H
#define LATHE_CONTRACT_FIELD_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UNKNOWN_INT INT64_MIN

enum field_type {
    FIELD_INT,
    FIELD_REAL,
    FIELD_TEXT,
};

enum unit {
    UNIT_NONE,
    UNIT_ID, /* a number that is a name, not an amount */
    UNIT_BOOL,
    UNIT_PARAMS,
    UNIT_FLOP,
    UNIT_TOKENS,
    UNIT_LENGTH, /* tokens, and a table says so */
    UNIT_NS,
    UNIT_BYTES,
    UNIT_PJ,
    UNIT_TOKENS_PER_S,
    UNIT_GBPS,
    UNIT_GFLOPS,
    UNIT_W,
    UNIT_FRAC, /* 0..1 */
    UNIT_PERCENT,
    UNIT_NATS,
    UNIT_POINTS, /* of accuracy, percent */
    UNIT_UTC,
    N_UNITS,
};
/* As docs/database.md and the schema say it: "ns", "bytes", "" for names and plain counts. */
const char *unit_name(enum unit unit);

/* Where a field is found. */
enum field_place {
    IN_STORE = 1,     /* a column of the table */
    IN_JSON = 2,      /* a key */
    IN_TABLE = 4,     /* a column for people */
    IN_SEARCH = 8,    /* known while candidates are compared: --where, --minimize */
    OF_ESTIMATE = 16, /* no place: the closed form alone has it */
    OF_A_TOKEN = 32,  /* no place: a table says "/token" behind the unit */
    IF_ROWS_DIFFER =
        64, /* no place: a table of several rows leaves it out where all say the same */
    /* What most fields are. */
    KEPT = IN_STORE | IN_JSON,
    METRIC = KEPT | IN_SEARCH,
    PREDICTED = KEPT | IN_TABLE,
};

struct field {
    const char *name; /* column and key */
    enum field_type type;
    size_t offset;
    enum unit unit;
    unsigned places;
    const char *title;   /* for people; NULL: the name */
    const char *meaning; /* a few words; "" where the name says it */
};

/* What a record is made of. `name` is the store's table. */
struct fields {
    const char *name;
    size_t size; /* of the record */
    int n;
    const struct field *field; /* [n] */
};

/* The struct's member of a row in a list F(type, name, ...). */
#define RECORD_MEMBER(type, name, ...) type name;

/* The type of a member, for a row of a table. */
#define TYPE_OF(member) \
    _Generic(member, int64_t : FIELD_INT, double : FIELD_REAL, const char * : FIELD_TEXT)
/* A row for `member` of `record`, named like it. */
#define FIELD_OF(record, member, unit_, places_, title_, meaning_) \
    FIELD_NAMED(record, #member, member, unit_, places_, title_, meaning_)
#define FIELD_NAMED(record, name_, member, unit_, places_, title_, meaning_) \
    { \
        .name = name_, .type = TYPE_OF(((record *)0)->member), .offset = offsetof(record, member), \
        .unit = unit_, .places = places_, .title = title_, .meaning = meaning_ \
    }
/* The table of a record, from an array of its rows. */
#define FIELDS_OF(name_, record, rows) \
    { \
        .name = name_, .size = sizeof(record), .n = (int)(sizeof(rows) / sizeof *(rows)), \
        .field = rows \
    }

/* Every field unknown. The record's first member is a `const struct fields *`. */
void record_clear(const struct fields *fields, void *record);
/* Was the record made by record_clear with this table? */
int record_is_of(const struct fields *fields, const void *record);
/* One field unknown. */
void field_clear(const struct field *field, void *record);

/* The field with this name, or NULL. */
const struct field *field_find(const struct fields *fields, const char *name);

/* A field's value; its type must be the one asked for. Inline: the store asks for each column of
 * each row. */
static inline int64_t field_int(const struct field *field, const void *record)
{
    assert(field->type == FIELD_INT);
    int64_t value;
    memcpy(&value, (const char *)record + field->offset, sizeof value);
    return value;
}

static inline double field_real(const struct field *field, const void *record)
{
    assert(field->type == FIELD_REAL);
    double value;
    memcpy(&value, (const char *)record + field->offset, sizeof value);
    return value;
}

static inline const char *field_text(const struct field *field, const void *record)
{
    assert(field->type == FIELD_TEXT);
    const char *value;
    memcpy(&value, (const char *)record + field->offset, sizeof value);
    return value;
}

#endif
