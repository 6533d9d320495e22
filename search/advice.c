#include "search/advice.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"

enum status advice_table_init(struct advice_table *table, size_t n, int n_devices, struct err *err)
{
    assert(n_devices >= 1 && n_devices <= MAX_ADVICE_DEVICES);
    *table = (struct advice_table){.n = n, .n_devices = n_devices};
    table->option = memory_new(n, sizeof *table->option);
    bool failed = table->option == NULL;
    for (int d = 0; d < n_devices; d++) {
        table->decode_ns[d] = memory_new(n, sizeof **table->decode_ns);
        failed = failed || table->decode_ns[d] == NULL;
    }
    return failed ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
}

void advice_table_release(struct advice_table *table)
{
    memory_free(table->option);
    for (int d = 0; d < table->n_devices; d++)
        memory_free(table->decode_ns[d]);
    *table = (struct advice_table){0};
}

static enum status parse_most(const char *text, double *out, struct err *err)
{
    char *end;
    int64_t count;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(*out))
        return STATUS_OK;
    if (parse_count(text, &count, NULL) != STATUS_OK)
        return err_set(err, STATUS_USAGE, "'%s' is no number", text);
    *out = (double)count;
    return STATUS_OK;
}

enum status advice_limit_add(const char *text, struct advice_limits *limits, struct err *err)
{
    const char *equals = strchr(text, '=');
    size_t length = equals == NULL ? 0 : (size_t)(equals - text);
    struct metric metric;
    double most;
    if (limits->n == MAX_CONDITIONS)
        return err_set(err, STATUS_USAGE, "more than %d limits", MAX_CONDITIONS);
    char *name = limits->limit[limits->n].name;
    if (length == 0 || length >= sizeof limits->limit[0].name || equals[1] == '\0')
        return err_set(err, STATUS_USAGE, "'%s': expected a metric and its most, like decode_ms=8",
                       text);
    snprintf(name, sizeof limits->limit[0].name, "%.*s", (int)length, text);
    enum status status = metric_parse(name, &metric, err);
    if (status == STATUS_OK && metric.kind == METRIC_CHOICE)
        status = err_set(err, STATUS_USAGE, "%s is no amount", name);
    if (status == STATUS_OK)
        status = parse_most(equals + 1, &most, err);
    if (status != STATUS_OK)
        return err_prefix(err, status, "'%s': ", text);
    limits->limit[limits->n].metric = metric;
    limits->limit[limits->n++].most = most;
    return STATUS_OK;
}

bool advice_limits_decode(const struct advice_limits *limits)
{
    for (int i = 0; i < limits->n; i++)
        if (strcmp(limits->limit[i].metric.field->name, "decode_ns") == 0)
            return true;
    return false;
}

void advice_taker_init(struct advice_taker *taker, struct advice_table *table, int device,
                       const struct advice_limits *limits)
{
    *taker = (struct advice_taker){
        .table = table, .device = device, .limits = limits, .least_excess = (double)INFINITY};
}

/* By what share of a limit the worst of them is missed; 0 or less: none is, NaN: unknown. */
static double excess(const struct advice_limits *limits, const struct candidate *candidate)
{
    double worst = -(double)INFINITY;
    for (int i = 0; i < limits->n; i++) {
        double limit = limits->limit[i].most;
        double over = metric_value(&limits->limit[i].metric, candidate) - limit;
        if (isnan(over))
            return over;
        worst = fmax(worst, over / (limit != 0 ? fabs(limit) : 1));
    }
    return worst;
}

enum status advice_take(const struct candidate *candidates, int64_t n, void *user, struct err *err)
{
    struct advice_taker *taker = user;
    struct advice_table *table = taker->table;
    (void)err;
    for (int64_t i = 0; i < n; i++) {
        const struct candidate *c = &candidates[i];
        struct advice_option *option = &table->option[c->row.id];
        double over = excess(taker->limits, c);
        assert(c->row.id >= 0 && (size_t)c->row.id < table->n);
        option->n_layers = (int32_t)c->schedule.n_layers;
        option->repeats = (int32_t)c->schedule.repeats;
        option->share_ffn = c->schedule.share_ffn;
        option->loss_nats = c->row.loss.loss_delta_nats;
        table->decode_ns[taker->device][c->row.id] = c->row.price.decode_ns;
        if (over <= 0)
            option->allowed |= (uint16_t)(1U << taker->device);
        if (over < taker->least_excess) {
            taker->least_excess = over;
            taker->nearest = *c;
        }
    }
    return STATUS_OK;
}

/* The least number of four digits that is not below `value`. */
static double round_up(double value)
{
    if (value == 0)
        return 0;
    double unit = pow(10, floor(log10(fabs(value))) - 3);
    return ceil(value / unit) * unit;
}

enum status advice_taken(const struct advice_taker *taker, const char *device, struct err *err)
{
    const struct advice_limits *limits = taker->limits;
    struct text asked = {0}, reached = {0};
    if (taker->least_excess <= 0)
        return STATUS_OK;
    for (int i = 0; i < limits->n; i++) {
        const char *name = limits->limit[i].name, *between = i > 0 ? " and " : "";
        double value = metric_value(&limits->limit[i].metric, &taker->nearest);
        text_addf(&asked, "%s%s of at most %.6g", between, name, limits->limit[i].most);
        text_addf(&reached, "%s%s %.6g", between, name, round_up(value));
    }
    enum status status =
        isinf(taker->least_excess)
            ? err_set(err, STATUS_RANGE, "a limit is on what the profile of %s does not tell: %s",
                      device, asked.failed ? "-" : asked.data)
            : err_set(err, STATUS_RANGE,
                      "no network of the budget has %s on %s: the nearest has %s",
                      asked.failed ? "-" : asked.data, device, reached.failed ? "-" : reached.data);
    text_release(&asked);
    text_release(&reached);
    return status;
}

/* Which options are looked at. */
struct among {
    unsigned allowed;                    /* by all of these devices */
    const struct advice_option *another; /* of another kind than this; NULL: any */
    const struct advice_option *wide;    /* at most half as deep as this; NULL: any */
    double faster_ns, lower_nats; /* time at most the one, or loss below the other; INFINITY: any */
};

static bool another_kind(const struct advice_option *a, const struct advice_option *b)
{
    double ratio = (double)a->n_layers / b->n_layers;
    return a->repeats != b->repeats || a->share_ffn != b->share_ffn || ratio > ADVICE_DEPTH_RATIO ||
           ratio < 1 / ADVICE_DEPTH_RATIO;
}

static bool half_as_deep(const struct advice_option *a, const struct advice_option *b)
{
    return a->repeats == b->repeats && a->share_ffn == b->share_ffn &&
           2 * a->n_layers <= b->n_layers;
}

static bool is_among(const struct among *among, const struct advice_option *option,
                     double decode_ns)
{
    return (option->allowed & among->allowed) == among->allowed &&
           (decode_ns <= among->faster_ns || option->loss_nats < among->lower_nats) &&
           (among->another == NULL || another_kind(option, among->another)) &&
           (among->wide == NULL || half_as_deep(option, among->wide));
}

/* What options are held against: devices first .. end - 1 and an option on each (ADVICE_NONE: with
 * one device nothing needs to be subtracted). */
struct against {
    int first, end;
    size_t option[MAX_ADVICE_DEVICES];
};

/* ln of its time over that of the device's answer. */
static double slowdown(const struct advice_table *table, const struct against *against, int device,
                       size_t i)
{
    size_t answer = against->option[device];
    double own = answer == ADVICE_NONE ? 1 : table->decode_ns[device][answer];
    return log(table->decode_ns[device][i] / own);
}

static double regret(const struct advice_table *table, const struct against *against, int device,
                     size_t i)
{
    size_t answer = against->option[device];
    double own = answer == ADVICE_NONE ? 0 : table->option[answer].loss_nats;
    return table->option[i].loss_nats - own +
           table->time_nats * slowdown(table, against, device, i);
}

static double worst(const struct advice_table *table, const struct against *against, size_t i,
                    double (*of)(const struct advice_table *table, const struct against *against,
                                 int device, size_t i))
{
    double most = -(double)INFINITY;
    for (int d = against->first; d < against->end; d++)
        most = fmax(most, of(table, against, d, i));
    return most;
}

/* The rule; ADVICE_NONE of none. */
static size_t choose(const struct advice_table *table, const struct against *against,
                     const struct among *among)
{
    const double *decode_ns = table->decode_ns[against->first];
    size_t best = ADVICE_NONE, found = ADVICE_NONE;
    double least = (double)INFINITY, fastest = (double)INFINITY;
    for (size_t i = 0; i < table->n; i++) {
        if (!is_among(among, &table->option[i], decode_ns[i]))
            continue;
        double score = worst(table, against, i, regret);
        if (score < least) {
            least = score;
            best = i;
        }
    }
    for (size_t i = 0; best != ADVICE_NONE && i < table->n; i++) {
        if (table->option[i].loss_nats > table->option[best].loss_nats + ADVICE_NEAR_NATS ||
            !is_among(among, &table->option[i], decode_ns[i]))
            continue;
        double time = worst(table, against, i, slowdown);
        if (time < fastest) {
            fastest = time;
            found = i;
        }
    }
    return found;
}

void advice_choose(const struct advice_table *table, int device, struct advice *out)
{
    struct against alone = {.first = device, .end = device + 1};
    alone.option[device] = ADVICE_NONE;
    struct among among = {
        .allowed = 1U << device, .faster_ns = (double)INFINITY, .lower_nats = (double)INFINITY};
    out->answer = choose(table, &alone, &among);
    assert(out->answer != ADVICE_NONE);
    const struct advice_option *answer = &table->option[out->answer];
    among.wide = answer;
    out->wide = choose(table, &alone, &among);
    among.wide = NULL;
    among.another = answer;
    among.faster_ns = ADVICE_FASTER_FRAC * table->decode_ns[device][out->answer];
    among.lower_nats = answer->loss_nats - 2 * ADVICE_NEAR_NATS;
    out->runner_up = choose(table, &alone, &among);
    among.faster_ns = (double)INFINITY;
    if (out->runner_up == ADVICE_NONE)
        out->runner_up = choose(table, &alone, &among);
}

static bool all_agree(const struct advice_table *table, const struct advice *advice)
{
    for (int d = 1; d < table->n_devices; d++)
        if (advice[d].answer != advice[0].answer)
            return false;
    return true;
}

void advice_compromise(const struct advice_table *table, const struct advice *advice,
                       struct advice_compromise *out)
{
    struct against answers = {.end = table->n_devices};
    const struct among everywhere = {.allowed = (1U << table->n_devices) - 1,
                                     .faster_ns = (double)INFINITY,
                                     .lower_nats = (double)INFINITY};
    for (int d = 0; d < table->n_devices; d++)
        answers.option[d] = advice[d].answer;
    *out = (struct advice_compromise){.option = all_agree(table, advice)
                                                    ? advice[0].answer
                                                    : choose(table, &answers, &everywhere)};
    if (out->option == ADVICE_NONE)
        return;
    out->worst_regret_nats = worst(table, &answers, out->option, regret);
    for (int d = 0; d < table->n_devices; d++) {
        out->regret_nats[d] = regret(table, &answers, d, out->option);
        out->slower_frac[d] = expm1(slowdown(table, &answers, d, out->option));
        out->loss_nats[d] =
            table->option[out->option].loss_nats - table->option[advice[d].answer].loss_nats;
    }
}
