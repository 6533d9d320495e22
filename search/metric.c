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

enum kind { INT64, DOUBLE, BOOL, ENUM, EXECUTIONS, TOKENS_PER_S };
enum unit { NONE, NS, BYTES, PJ };

static const struct field {
    const char *name;
    enum kind kind;
    size_t offset;
    enum unit unit;
} fields[] = {
#define FIELD(name, kind, unit) \
    { \
#name, kind, offsetof(struct candidate, name), unit \
    }
#define PRICE(name, kind, unit) \
    { \
#name, kind, offsetof(struct candidate, price.name), unit \
    }
    FIELD(id, INT64, NONE),
    {"n_layers", INT64, offsetof(struct candidate, schedule.n_layers), NONE},
    {"n_layers_effective", EXECUTIONS, 0, NONE},
    {"sharing", ENUM, offsetof(struct candidate, schedule.sharing), NONE},
    {"repeats", INT64, offsetof(struct candidate, schedule.repeats), NONE},
    {"share_ffn", BOOL, offsetof(struct candidate, schedule.share_ffn), NONE},
    FIELD(d_model, INT64, NONE),
    FIELD(n_heads, INT64, NONE),
    FIELD(n_kv_heads, INT64, NONE),
    FIELD(d_head, INT64, NONE),
    FIELD(d_ff, INT64, NONE),
    FIELD(vocab_size, INT64, NONE),
    FIELD(tie_embeddings, BOOL, NONE),
    FIELD(dtype, ENUM, NONE),
    FIELD(kv_dtype, ENUM, NONE),
    {"ffn_kind", ENUM, offsetof(struct candidate, ffn), NONE},
    FIELD(params, INT64, NONE),
    FIELD(params_embedding, INT64, NONE),
    FIELD(params_blocks, INT64, NONE),
    FIELD(weight_bytes, INT64, BYTES),
    FIELD(kv_bytes_per_token, INT64, BYTES),
    FIELD(flop_per_token, INT64, NONE),
    PRICE(load_ns, DOUBLE, NS),
    PRICE(init_ns, DOUBLE, NS),
    PRICE(prefill_ns, DOUBLE, NS),
    PRICE(ttft_cold_ns, DOUBLE, NS),
    PRICE(decode_ns, DOUBLE, NS),
    {"decode_tok_s", TOKENS_PER_S, offsetof(struct candidate, price.decode_ns), NONE},
    PRICE(energy_pj_per_token, DOUBLE, PJ),
    PRICE(peak_bytes, INT64, BYTES),
    PRICE(fits_app_share, BOOL, NONE),
#undef FIELD
#undef PRICE
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const struct {
    enum unit unit;
    const char *stored, *asked;
    double scale;
} units[] = {
    {NS, "ns", "us", 1e-3},
    {NS, "ns", "ms", 1e-6},
    {NS, "ns", "s", 1e-9},
    {BYTES, "bytes", "kb", 1e-3},
    {BYTES, "bytes", "mb", 1e-6},
    {BYTES, "bytes", "gb", 1e-9},
    {BYTES, "bytes", "kib", 0x1p-10},
    {BYTES, "bytes", "mib", 0x1p-20},
    {BYTES, "bytes", "gib", 0x1p-30},
    {PJ, "pj", "nj", 1e-3},
    {PJ, "pj", "uj", 1e-6},
    {PJ, "pj", "mj", 1e-9},
    {PJ, "pj", "j", 1e-12},
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

enum status metric_parse(const char *name, struct metric *out, struct err *err)
{
    const char *names[N_FIELDS];
    for (int i = 0; i < N_FIELDS; i++) {
        names[i] = fields[i].name;
        if (strcmp(name, fields[i].name) == 0) {
            *out = (struct metric){i, 1};
            return STATUS_OK;
        }
        for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
            if (units[u].unit == fields[i].unit &&
                is_in_unit(name, fields[i].name, units[u].stored, units[u].asked)) {
                *out = (struct metric){i, units[u].scale};
                return STATUS_OK;
            }
        }
    }
    const char *near = text_nearest(name, names, N_FIELDS);
    return err_set(err, STATUS_USAGE,
                   "unknown metric '%s'%s%s%s (metrics are the columns of the store, such as "
                   "decode_ms, params_blocks, peak_mb)",
                   name, near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

double metric_value(const struct metric *metric, const struct candidate *candidate)
{
    const struct field *field = &fields[metric->field];
    const void *at = (const char *)candidate + field->offset;
    switch (field->kind) {
    case INT64:
        return (double)*(const int64_t *)at * metric->scale;
    case DOUBLE:
        return *(const double *)at * metric->scale;
    case BOOL:
        return *(const bool *)at;
    case ENUM:
        return *(const unsigned *)at;
    case EXECUTIONS:
        return (double)schedule_executions(&candidate->schedule);
    case TOKENS_PER_S:
        return 1e9 / *(const double *)at;
    }
    assert(!"no such kind of field");
    return 0;
}

static const struct {
    const char *text;
    enum comparison comparison;
} comparisons[] = {
    {"<=", LESS_EQUAL}, {">=", GREATER_EQUAL}, {"!=", NOT_EQUAL}, {"==", EQUAL},
    {"<", LESS},        {">", GREATER},        {"=", EQUAL},
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
    enum sharing sharing;
    enum dtype dtype;
    enum status status;
    if (field->kind == ENUM && strcmp(field->name, "sharing") == 0) {
        if (!(status = sharing_parse(word, &sharing, err)))
            *out = sharing;
        return status;
    }
    if (field->kind == ENUM && strcmp(field->name, "ffn_kind") == 0) {
        enum ffn_kind ffn;
        if (!(status = ffn_kind_parse(word, &ffn, err)))
            *out = ffn;
        return status;
    }
    if (field->kind == ENUM) {
        if (!(status = dtype_parse(word, &dtype, err)))
            *out = dtype;
        return status;
    }
    if (field->kind == BOOL && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)) {
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
        if ((status =
                 parse_value(word, &fields[metric->field], &out->condition[out->n].value, err)))
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

bool filter_passes(const struct filter *filter, const struct candidate *candidate)
{
    for (int i = 0; i < filter->n; i++) {
        double x = metric_value(&filter->condition[i].metric, candidate);
        double y = filter->condition[i].value;
        bool passes = false;
        switch (filter->condition[i].comparison) {
        case LESS:
            passes = x < y;
            break;
        case LESS_EQUAL:
            passes = x <= y;
            break;
        case GREATER:
            passes = x > y;
            break;
        case GREATER_EQUAL:
            passes = x >= y;
            break;
        case EQUAL:
            passes = x == y;
            break;
        case NOT_EQUAL:
            passes = x != y;
            break;
        }
        if (!passes)
            return false;
    }
    return true;
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
    if (!status)
        objectives->sign[objectives->n++] = sign;
    return status;
}

void objectives_default(struct objectives *out)
{
    out->n = 0;
    enum status status = objectives_add(out, "decode_ns", NULL);
    assert(status == STATUS_OK);
    status = objectives_add(out, "max:params_blocks", NULL);
    assert(status == STATUS_OK);
    (void)status;
}
