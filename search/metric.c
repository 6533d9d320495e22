#include "search/metric.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/text.h"

/* The fields that are compared by their place in an enum; the row has their names. */
static enum status parse_sharing(const char *name, double *out, struct err *err)
{
    enum sharing sharing;
    enum status status = sharing_parse(name, &sharing, err);
    if (status == STATUS_OK)
        *out = sharing;
    return status;
}

static enum status parse_ffn_kind(const char *name, double *out, struct err *err)
{
    enum ffn_kind ffn;
    enum status status = ffn_kind_parse(name, &ffn, err);
    if (status == STATUS_OK)
        *out = ffn;
    return status;
}

static enum status parse_dtype(const char *name, double *out, struct err *err)
{
    enum dtype dtype;
    enum status status = weight_type_parse(name, &dtype, err);
    if (status == STATUS_OK)
        *out = dtype;
    return status;
}

static const struct choice {
    const char *name;
    size_t offset; /* of the enum in struct candidate */
    enum status (*parse)(const char *name, double *out, struct err *err);
} choices[] = {
    {"sharing", offsetof(struct candidate, schedule.sharing), parse_sharing},
    {"ffn_kind", offsetof(struct candidate, ffn), parse_ffn_kind},
    {"dtype", offsetof(struct candidate, dtype), parse_dtype},
    {"kv_dtype", offsetof(struct candidate, kv_dtype), parse_dtype},
};

static const struct choice *choice_of(const struct field *field)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (strcmp(choices[i].name, field->name) == 0)
            return &choices[i];
    return NULL;
}

static const struct {
    enum unit unit;
    const char *stored, *asked;
    double scale;
} units[] = {
    {UNIT_NS, "ns", "us", 1e-3},
    {UNIT_NS, "ns", "ms", 1e-6},
    {UNIT_NS, "ns", "s", 1e-9},
    {UNIT_BYTES, "bytes", "kb", 1e-3},
    {UNIT_BYTES, "bytes", "mb", 1e-6},
    {UNIT_BYTES, "bytes", "gb", 1e-9},
    {UNIT_BYTES, "bytes", "kib", 0x1p-10},
    {UNIT_BYTES, "bytes", "mib", 0x1p-20},
    {UNIT_BYTES, "bytes", "gib", 0x1p-30},
    {UNIT_PJ, "pj", "nj", 1e-3},
    {UNIT_PJ, "pj", "uj", 1e-6},
    {UNIT_PJ, "pj", "mj", 1e-9},
    {UNIT_PJ, "pj", "j", 1e-12},
};

/* `name` is `field` with `stored` replaced by `asked` as a whole word between underscores. */
static bool is_in_unit(const char *name, const char *field, const char *stored, const char *asked)
{
    char wanted[64];
    const char *at = strstr(field, stored);
    while (at && !(at > field && at[-1] == '_' &&
                   (at[strlen(stored)] == '\0' || at[strlen(stored)] == '_')))
        at = strstr(at + 1, stored);
    if (!at)
        return false;
    snprintf(wanted, sizeof wanted, "%.*s%s%s", (int)(at - field), field, asked,
             at + strlen(stored));
    return strcmp(name, wanted) == 0;
}

static struct metric metric_of(const struct field *field, double scale)
{
    const struct choice *choice = choice_of(field);
    _Static_assert(offsetof(struct candidate, row) == 0, "a field's offset is the candidate's");
    if (choice != NULL)
        return (struct metric){field, METRIC_CHOICE, choice->offset, 1};
    assert(field->type != FIELD_TEXT);
    return (struct metric){field, field->type == FIELD_INT ? METRIC_INT : METRIC_REAL,
                           field->offset, scale};
}

/* The scale from the field's unit to that of the name; 0: the name is not this field's. */
static double scale_of(const char *name, const struct field *field)
{
    if (strcmp(name, field->name) == 0)
        return 1;
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++)
        if (units[u].unit == field->unit &&
            is_in_unit(name, field->name, units[u].stored, units[u].asked))
            return units[u].scale;
    return 0;
}

enum status metric_parse(const char *name, struct metric *out, struct err *err)
{
    const char *names[128];
    size_t n = 0;
    assert(candidate_fields.n <= 128);
    for (int i = 0; i < candidate_fields.n; i++) {
        const struct field *field = &candidate_fields.field[i];
        if (!(field->places & IN_SEARCH))
            continue;
        double scale = scale_of(name, field);
        names[n++] = field->name;
        if (scale > 0) {
            *out = metric_of(field, scale);
            return STATUS_OK;
        }
    }
    const char *near = text_nearest(name, names, n);
    return err_set(err, STATUS_USAGE,
                   "unknown metric '%s'%s%s%s (metrics are the columns of the store, such as "
                   "decode_ms, loss_delta_nats, peak_mb)",
                   name, near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

double metric_value(const struct metric *metric, const struct candidate *candidate)
{
    const void *at = (const char *)candidate + metric->offset;
    switch (metric->kind) {
    case METRIC_INT:
        return (double)*(const int64_t *)at * metric->scale;
    case METRIC_REAL:
        return *(const double *)at * metric->scale;
    case METRIC_CHOICE:
        return *(const unsigned *)at;
    }
    assert(!"no such kind of metric");
    return 0;
}

static const struct {
    const char *text;
    enum comparison comparison;
} comparisons[] = {
    {"<=", IS_LESS_EQUAL}, {">=", IS_GREATER_EQUAL}, {"!=", IS_NOT_EQUAL}, {"==", IS_EQUAL},
    {"<", IS_LESS},        {">", IS_GREATER},        {"=", IS_EQUAL},
};

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* A word of letters, digits and `extra` at *at into `word`; moves past it. */
static bool take_word(const char **at, const char *extra, char *word, size_t size)
{
    size_t n = 0;
    while (isalnum((unsigned char)(*at)[n]) || ((*at)[n] && strchr(extra, (*at)[n])))
        n++;
    if (n == 0 || n >= size)
        return false;
    memcpy(word, *at, n);
    word[n] = '\0';
    *at += n;
    return true;
}

/* A number (with K M B), true/false, or the name of a sharing mode or weight type. */
static enum status parse_value(const char *word, const struct field *field, double *out,
                               struct err *err)
{
    const struct choice *choice = choice_of(field);
    if (choice != NULL)
        return choice->parse(word, out, err);
    if (field->unit == UNIT_BOOL && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)) {
        *out = strcmp(word, "true") == 0;
        return STATUS_OK;
    }
    char *end;
    *out = strtod(word, &end);
    if (end != word && *end == '\0' && isfinite(*out))
        return STATUS_OK;
    int64_t count;
    if (parse_count(word, &count, NULL))
        return err_set(err, STATUS_USAGE, "'%s' is no number to compare %s with", word,
                       field->name);
    *out = (double)count;
    return STATUS_OK;
}

enum status filter_parse(const char *text, struct filter *out, struct err *err)
{
    char word[64];
    enum status status;
    out->n = 0;
    if (!text)
        return STATUS_OK;
    const char *at = skip_space(text);
    while (*at) {
        if (out->n == MAX_CONDITIONS)
            return err_set(err, STATUS_USAGE, "more than %d conditions in '%s'", MAX_CONDITIONS,
                           text);
        struct metric *metric = &out->condition[out->n].metric;
        if (!take_word(&at, "_", word, sizeof word))
            return err_set(err, STATUS_USAGE, "condition '%s': expected a metric at '%s'", text,
                           at);
        if ((status = metric_parse(word, metric, err)))
            return err_prefix(err, status, "condition '%s': ", text);
        at = skip_space(at);
        size_t c = 0, n_comparisons = sizeof comparisons / sizeof comparisons[0];
        while (c < n_comparisons && strncmp(at, comparisons[c].text, strlen(comparisons[c].text)))
            c++;
        if (c == n_comparisons)
            return err_set(err, STATUS_USAGE,
                           "condition '%s': expected < <= > >= = or != after '%s'", text, word);
        out->condition[out->n].comparison = comparisons[c].comparison;
        at = skip_space(at + strlen(comparisons[c].text));
        bool quoted = *at == '\'';
        at += quoted;
        if (!take_word(&at, "._-+", word, sizeof word) || (quoted && *at++ != '\''))
            return err_set(err, STATUS_USAGE, "condition '%s': expected a value at '%s'", text, at);
        if ((status = parse_value(word, metric->field, &out->condition[out->n].value, err)))
            return err_prefix(err, status, "condition '%s': ", text);
        out->n++;
        at = skip_space(at);
        if (*at == ',') {
            at = skip_space(at + 1);
        } else if (strncmp(at, "and", 3) == 0 && isspace((unsigned char)at[3])) {
            at = skip_space(at + 3);
        } else if (*at) {
            return err_set(err, STATUS_USAGE,
                           "condition '%s': expected 'and' or ',' at '%s' (there is no 'or')", text,
                           at);
        } else {
            break;
        }
        if (!*at)
            return err_set(err, STATUS_USAGE, "condition '%s' ends where another should follow",
                           text);
    }
    return STATUS_OK;
}

bool comparison_holds(double x, enum comparison comparison, double y)
{
    switch (comparison) {
    case IS_LESS:
        return x < y;
    case IS_LESS_EQUAL:
        return x <= y;
    case IS_GREATER:
        return x > y;
    case IS_GREATER_EQUAL:
        return x >= y;
    case IS_EQUAL:
        return x == y;
    case IS_NOT_EQUAL:
        return x != y;
    }
    assert(!"no such comparison");
    return false;
}

bool filter_passes(const struct filter *filter, const struct candidate *candidate)
{
    for (int i = 0; i < filter->n; i++)
        if (!comparison_holds(metric_value(&filter->condition[i].metric, candidate),
                              filter->condition[i].comparison, filter->condition[i].value))
            return false;
    return true;
}

static bool is_of_loss(const struct field *field)
{
    const size_t first = offsetof(struct candidate_row, loss);
    return field->offset >= first && field->offset < first + sizeof(struct loss);
}

bool metric_is_of_loss(const struct metric *metric)
{
    return is_of_loss(metric->field);
}

enum status objectives_add(struct objectives *objectives, const char *text, struct err *err)
{
    double sign = 1;
    const char *name = text;
    if (strncmp(text, "min:", 4) == 0)
        name = text + 4;
    else if (strncmp(text, "max:", 4) == 0)
        name = text + 4, sign = -1;
    if (objectives->n == MAX_OBJECTIVES)
        return err_set(err, STATUS_USAGE, "more than %d objectives", MAX_OBJECTIVES);
    enum status status = metric_parse(name, &objectives->metric[objectives->n], err);
    if (status)
        return status;
    objectives->compare_losses |= is_of_loss(objectives->metric[objectives->n].field);
    objectives->sign[objectives->n++] = sign;
    return STATUS_OK;
}

double objective_score(const struct objectives *objectives, int i,
                       const struct candidate *candidate)
{
    double value = objectives->sign[i] * metric_value(&objectives->metric[i], candidate);
    return isnan(value) ? (double)INFINITY : value;
}

void objectives_default(struct objectives *out)
{
    *out = (struct objectives){0};
    enum status status = objectives_add(out, "decode_ns", NULL);
    assert(status == STATUS_OK);
    status = objectives_add(out, "loss_delta_nats", NULL);
    assert(status == STATUS_OK);
    (void)status;
}
