#include "contract/field.h"

#include <math.h>
#include <string.h>

static const char *const unit_names[N_UNITS] = {
    [UNIT_NONE] = "",
    [UNIT_ID] = "",
    [UNIT_BOOL] = "0/1",
    [UNIT_PARAMS] = "params",
    [UNIT_FLOP] = "flop",
    [UNIT_TOKENS] = "tokens",
    [UNIT_LENGTH] = "tokens",
    [UNIT_NS] = "ns",
    [UNIT_BYTES] = "bytes",
    [UNIT_PJ] = "pJ",
    [UNIT_TOKENS_PER_S] = "tokens/s",
    [UNIT_GBPS] = "bytes/ns",
    [UNIT_GFLOPS] = "flop/ns",
    [UNIT_W] = "W",
    [UNIT_FRAC] = "",
    [UNIT_PERCENT] = "percent",
    [UNIT_NATS] = "nats",
    [UNIT_POINTS] = "points",
    [UNIT_UTC] = "UTC",
};

const char *unit_name(enum unit unit)
{
    return unit_names[unit];
}

void field_clear(const struct field *field, void *record)
{
    static const int64_t unknown = UNKNOWN_INT;
    static const double nan = (double)NAN;
    static const char *const none = NULL;
    char *at = (char *)record + field->offset;
    switch (field->type) {
    case FIELD_INT:
        memcpy(at, &unknown, sizeof unknown);
        break;
    case FIELD_REAL:
        memcpy(at, &nan, sizeof nan);
        break;
    case FIELD_TEXT:
        memcpy(at, &none, sizeof none);
        break;
    }
}

void record_clear(const struct fields *fields, void *record)
{
    memset(record, 0, fields->size);
    memcpy(record, &fields, sizeof fields);
    for (int i = 0; i < fields->n; i++)
        field_clear(&fields->field[i], record);
}

int record_is_of(const struct fields *fields, const void *record)
{
    return memcmp(record, &fields, sizeof fields) == 0;
}

const struct field *field_find(const struct fields *fields, const char *name)
{
    for (int i = 0; i < fields->n; i++)
        if (strcmp(fields->field[i].name, name) == 0)
            return &fields->field[i];
    return NULL;
}
