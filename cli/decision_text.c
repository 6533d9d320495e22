#include "cli/decision_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "search/contrast.h"

enum { LINE_WIDTH = 80, NAMED_DIMENSIONS = 2 };

/* Words of `text` in lines; the first begins where the caller has put `indent` blanks, the others one
 * step further in. */
static void add_wrapped(struct text *out, int indent, const struct text *text)
{
    int column = indent;
    text_addf(out, "%*s", indent, "");
    for (const char *at = text->data; at != NULL && *at != '\0';) {
        int length = (int)strcspn(at, " ");
        bool is_first = at == text->data;
        if (!is_first && column + 1 + length > LINE_WIDTH) {
            text_addf(out, "\n%*s", indent + 2, "");
            column = indent + 2;
        } else if (!is_first) {
            text_add(out, " ");
            column++;
        }
        text_addf(out, "%.*s", length, at);
        column += length;
        at += length + (at[length] == ' ');
    }
    text_add(out, "\n");
}

/* ---- values ---- */

/* A value of a metric in its stored unit, with the unit. */
static char *value_words(const struct metric *metric, double value, char *buffer, size_t size)
{
    switch (metric->field->unit) {
    case UNIT_NS:
        return format_time_ns(value, buffer, size);
    case UNIT_BYTES:
        return format_bytes(value, buffer, size);
    case UNIT_PJ:
        return format_energy_pj(value, buffer, size);
    case UNIT_PARAMS:
    case UNIT_FLOP:
        return format_count((int64_t)value, buffer, size);
    case UNIT_NATS:
        snprintf(buffer, size, "%.3f nats", value);
        return buffer;
    case UNIT_POINTS:
        snprintf(buffer, size, "%.2f points", value);
        return buffer;
    default:
        snprintf(buffer, size, "%.4g", value);
        return buffer;
    }
}

static double stored(const struct metric *metric, double value)
{
    return value / metric->scale;
}

static bool is_named(const struct metric *metric, const char *name)
{
    return strcmp(metric->field->name, name) == 0;
}

/* Compared by difference, since 0 is a value among others. */
static bool is_level(const struct metric *metric)
{
    return metric->field->unit == UNIT_NATS || metric->field->unit == UNIT_POINTS ||
           is_named(metric, "score");
}

static void add_level(const struct metric *metric, double difference, struct text *out)
{
    char amount[48];
    value_words(metric, fabs(difference), amount, sizeof amount);
    text_addf(out, "%s %s %s", metric->field->title, amount, difference < 0 ? "lower" : "higher");
}

/* "6 % faster", "memory 2.1 times as much" */
static void add_ratio(const struct metric *metric, double value, double other, struct text *out)
{
    char amount[48];
    bool is_decode = is_named(metric, "decode_ns");
    bool is_time = metric->field->unit == UNIT_NS;
    double ratio = value / other, percent = 100 * fabs(ratio - 1);
    const char *word = is_decode ? (ratio < 1 ? "faster" : "slower")
                       : is_time ? (ratio < 1 ? "shorter" : "longer")
                                 : (ratio < 1 ? "less" : "more");
    if (ratio >= 2)
        snprintf(amount, sizeof amount, "%.1f times as %s", ratio,
                 is_decode ? "slow"
                 : is_time ? "long"
                           : "much");
    else
        snprintf(amount, sizeof amount, percent < 9.95 ? "%.1f %% %s" : "%.0f %% %s", percent,
                 word);
    text_addf(out, "%s%s%s", is_decode ? "" : metric->field->title, is_decode ? "" : " ", amount);
}

/* `value` beside `other`, both in the metric's unit. False: nobody could tell them apart in print. */
static bool add_difference(const struct metric *metric, double value, double other,
                           const char *before, struct text *out)
{
    char amount[48];
    double x = stored(metric, value), y = stored(metric, other);
    bool is_seen = fabs(x - y) >= (is_level(metric) ? 0.0005 : 0.0005 * fabs(y));
    if (!isfinite(x) || !isfinite(y) || x == y || !is_seen)
        return false;
    text_add(out, before);
    if (is_level(metric))
        add_level(metric, x - y, out);
    else if (x == 0)
        text_addf(out, "no %s", metric->field->title);
    else if (y == 0)
        text_addf(out, "%s %s for none", metric->field->title,
                  value_words(metric, x, amount, sizeof amount));
    else
        add_ratio(metric, x, y, out);
    return true;
}

/* ---- sentences ---- */

static void add_reference(struct text *out, const struct candidate *c)
{
    text_addf(out, "%lld:%lld", (long long)c->row.run_id, (long long)c->row.id);
}

/* "half", "3 times"; NULL: no such ratio. */
static const char *ratio_words(double ratio)
{
    static const struct {
        double ratio;
        const char *words;
    } simple[] = {{0.5, "half the"}, {1.0 / 3, "a third of the"}, {0.25, "a quarter of the"},
                  {2, "twice the"},  {3, "3 times the"},          {4, "4 times the"}};
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
        if (fabs(ratio / simple[i].ratio - 1) < 0.005)
            return simple[i].words;
    return NULL;
}

static bool is_width(enum contrast_dimension dimension)
{
    return dimension == CONTRAST_WIDTH || dimension == CONTRAST_FFN ||
           dimension == CONTRAST_VOCAB || dimension == CONTRAST_FFN_SUM;
}

static void add_dimension(struct text *out, const struct contrast *contrast,
                          const struct candidate *c, const struct candidate *other)
{
    const char *words = contrast_words(contrast->dimension);
    const char *ratio = ratio_words(contrast->value / contrast->other);
    switch (contrast->dimension) {
    case CONTRAST_TYING:
        text_add(out, contrast->value > 0 ? "one table for both ends" : "a head of its own");
        return;
    case CONTRAST_SHARED_FFN:
        text_add(out, contrast->value > 0 ? "one FFN for all layers" : "an FFN for each layer");
        return;
    case CONTRAST_SHARING:
        text_addf(out, "sharing %s for %s", c->row.sharing, other->row.sharing);
        return;
    case CONTRAST_TYPE:
        text_addf(out, "%s for %s", c->row.dtype, other->row.dtype);
        return;
    default:
        break;
    }
    if (ratio != NULL)
        text_addf(out, "%s %s", ratio, words);
    else if (is_width(contrast->dimension))
        text_addf(out, "%s %.0f for %.0f", words, contrast->value, contrast->other);
    else
        text_addf(out, "%.0f %s for %.0f", contrast->value, words, contrast->other);
}

static bool cache_counts(const struct objectives *objectives)
{
    bool counts = false;
    for (int o = 0; o < objectives->n; o++)
        counts |= strncmp(objectives->metric[o].field->name, "kv_bytes", 8) == 0;
    return counts;
}

void decision_why(const struct objectives *objectives, const struct candidate *candidate,
                  const struct candidate *other, struct text *out)
{
    struct contrast contrast[N_CONTRASTS];
    size_t n = contrast_of(candidate, other, cache_counts(objectives), contrast);
    bool differs = false;
    text_add(out, "against ");
    add_reference(out, other);
    text_add(out, ": ");
    for (size_t i = 0; i < n && i < NAMED_DIMENSIONS; i++) {
        text_add(out, i > 0 ? ", " : "");
        add_dimension(out, &contrast[i], candidate, other);
    }
    text_add(out, n > 0 ? ": " : "other places of its layers: ");
    for (int o = 0; o < objectives->n; o++) {
        const struct metric *metric = &objectives->metric[o];
        differs |= add_difference(metric, metric_value(metric, candidate),
                                  metric_value(metric, other), differs ? ", " : "", out);
    }
    text_add(out, differs ? "" : "no difference that shows");
}

/* "30 layers of 576", or the runs of layers that differ. */
static void add_shape(struct text *out, const struct candidate *c)
{
    const struct candidate_row *row = &c->row;
    text_addf(out, "%lld layers of %lld", (long long)row->n_layers, (long long)row->d_model);
    if (row->repeats > 1)
        text_addf(out, " run %lld times", (long long)row->repeats);
    if (c->schedule.sharing == SHARING_BY_BLOCK)
        text_addf(out, " with %lld executions", (long long)row->n_layers_effective);
    if (c->stack != NULL)
        text_addf(out, ", %lld windowed, %lld without attention", (long long)row->n_windowed,
                  (long long)row->n_without_attention);
    else
        text_addf(out, ", %lld KV head%s, FFN %lld", (long long)row->n_kv_heads,
                  row->n_kv_heads == 1 ? "" : "s", (long long)row->d_ff);
}

static void add_values(struct text *out, const struct decision *decision, const struct candidate *c)
{
    char value[48];
    for (int o = 0; o < decision->objectives.n; o++) {
        const struct metric *metric = &decision->objectives.metric[o];
        value_words(metric, stored(metric, metric_value(metric, c)), value, sizeof value);
        text_addf(out, "%s%s %s", o > 0 ? ", " : "", metric->field->title, value);
    }
}

/* What a candidate is held against: the next that stands for the front, or of the last the one
 * before; NULL: there is no other. */
static const struct candidate *neighbour_of(const struct decision *decision, size_t i)
{
    for (size_t p = 0; p < decision->n_picked; p++)
        if (decision->picked[p] > i)
            return &decision->front[decision->picked[p]];
    for (size_t p = decision->n_picked; p-- > 0;)
        if (decision->picked[p] < i)
            return &decision->front[decision->picked[p]];
    return NULL;
}

static void add_candidate(struct text *out, const struct decision *decision, size_t i)
{
    struct text line = {0}, why = {0};
    const struct candidate *c = &decision->front[i], *other = neighbour_of(decision, i);
    add_reference(&line, c);
    text_add(&line, i == decision->knee ? " (knee): " : ": ");
    add_shape(&line, c);
    text_add(&line, "; ");
    add_values(&line, decision, c);
    add_wrapped(out, 2, &line);
    if (other != NULL) {
        decision_why(&decision->objectives, c, other, &why);
        add_wrapped(out, 4, &why);
    }
    out->failed |= line.failed || why.failed;
    text_release(&line);
    text_release(&why);
}

/* ---- bounds ---- */

static void add_bound(struct text *out, const struct decision *decision, int b, double value)
{
    const struct binding *binding = &decision->binding[b];
    char amount[48];
    switch (binding->kind) {
    case BOUND_MOST_PARAMS:
    case BOUND_LEAST_PARAMS:
        text_addf(out, "at %s %s parameters", binding->kind == BOUND_MOST_PARAMS ? "most" : "least",
                  format_count((int64_t)value, amount, sizeof amount));
        return;
    case BOUND_CONDITION: {
        const struct metric *metric =
            &decision->bounds->filter.condition[binding->condition].metric;
        enum comparison comparison =
            decision->bounds->filter.condition[binding->condition].comparison;
        bool is_upper = comparison == IS_LESS || comparison == IS_LESS_EQUAL;
        text_addf(out, "%s at %s %s", metric->field->title, is_upper ? "most" : "least",
                  value_words(metric, stored(metric, value), amount, sizeof amount));
        return;
    }
    case BOUND_MOST_LAYERS:
        text_addf(out, "at most %.0f layers", value);
        return;
    case BOUND_LEAST_LAYERS:
        text_addf(out, "at least %.0f layer%s", value, value == 1 ? "" : "s");
        return;
    case BOUND_WIDEST:
        text_addf(out, "width at most %.0f", value);
        return;
    case BOUND_NARROWEST:
        text_addf(out, "width at least %.0f", value);
        return;
    }
}

/* Scores that are better by gains[o] than `from`. False: by nothing that is seen. */
static bool add_gains(struct text *out, const struct objectives *objectives, const double *from,
                      const double *gains, const char *before, const char *between)
{
    bool any = false;
    for (int o = 0; o < objectives->n; o++) {
        const struct metric *metric = &objectives->metric[o];
        double old = objectives->sign[o] * from[o];
        double value = objectives->sign[o] * (from[o] - gains[o]);
        any |= gains[o] > 0 && add_difference(metric, value, old, any ? between : before, out);
    }
    return any;
}

static void add_loosening(struct text *out, const struct decision *decision, int b)
{
    const struct loosening *loosening = &decision->loosening[b];
    const struct objectives *objectives = &decision->objectives;
    struct text line = {0};
    if (loosening->not_searched[0] != '\0') {
        text_addf(&line, "not searched beyond: %s", loosening->not_searched);
    } else {
        add_bound(&line, decision, b, decision->binding[b].loosened);
        text_add(&line, " would give: ");
        bool at_knee =
            add_gains(&line, objectives, &decision->score[decision->knee * (size_t)objectives->n],
                      loosening->at_knee, "in place of the knee ", " or ");
        bool at_best = add_gains(&line, objectives, decision->best, loosening->at_best,
                                 at_knee ? "; at the ends " : "at the ends ", ", ");
        if (!at_knee && !at_best)
            text_add(&line, "nothing better in place of the knee, nor at the ends");
    }
    add_wrapped(out, 4, &line);
    out->failed |= line.failed;
    text_release(&line);
}

static void add_binding(struct text *out, const struct decision *decision, int b)
{
    const struct binding *binding = &decision->binding[b];
    struct text line = {0};
    bool has_knee = binding_holds(decision->bounds, binding, &decision->front[decision->knee]);
    add_bound(&line, decision, b, binding->value);
    text_addf(&line, ": %zu of %zu lie%s there%s", binding->n_on_it, decision->n,
              binding->n_on_it == 1 ? "s" : "", has_knee ? ", the knee too" : "");
    add_wrapped(out, 2, &line);
    out->failed |= line.failed;
    text_release(&line);
    add_loosening(out, decision, b);
}

static bool is_picked(const struct decision *decision, size_t i)
{
    for (size_t p = 0; p < decision->n_picked; p++)
        if (decision->picked[p] == i)
            return true;
    return false;
}

void decision_words(const struct decision *decision, struct text *out)
{
    if (decision->vocab_size != 0)
        text_addf(out, "of vocabulary %lld alone, whose losses are compared\n",
                  (long long)decision->vocab_size);
    bool is_apart = !is_picked(decision, decision->knee);
    text_addf(out, "%s%zu of %zu that stand for the front\n", is_apart ? "the knee, and " : "",
              decision->n_picked, decision->n);
    if (is_apart)
        add_candidate(out, decision, decision->knee);
    for (size_t p = 0; p < decision->n_picked; p++)
        add_candidate(out, decision, decision->picked[p]);
    if (decision->why_no_bounds[0] != '\0') {
        struct text line = {0};
        text_addf(&line, "bounds are unknown: %s", decision->why_no_bounds);
        add_wrapped(out, 0, &line);
        text_release(&line);
        return;
    }
    text_add(out, decision->n_bindings > 0 ? "bounds that the front lies on\n"
                                           : "the front lies on no bound of its search\n");
    for (int b = 0; b < decision->n_bindings; b++)
        add_binding(out, decision, b);
}

/* ---- JSON ---- */

static void candidate_json(const struct decision *decision, size_t i, struct json_node *object)
{
    char reference[48];
    struct text why = {0};
    struct contrast contrast[N_CONTRASTS];
    const struct candidate *c = &decision->front[i], *other = neighbour_of(decision, i);
    snprintf(reference, sizeof reference, "%lld:%lld", (long long)c->row.run_id,
             (long long)c->row.id);
    json_add_string(object, "ref", reference);
    json_add_bool(object, "is_knee", i == decision->knee);
    struct json_node *values = json_add_object(object, "values");
    for (int o = 0; o < decision->objectives.n; o++) {
        const struct metric *metric = &decision->objectives.metric[o];
        json_add_number(values, metric->field->name, stored(metric, metric_value(metric, c)));
    }
    if (other == NULL) {
        json_add_null(object, "against");
        json_add_null(object, "why");
        json_add_array(object, "differs");
        return;
    }
    snprintf(reference, sizeof reference, "%lld:%lld", (long long)other->row.run_id,
             (long long)other->row.id);
    json_add_string(object, "against", reference);
    decision_why(&decision->objectives, c, other, &why);
    json_add_string(object, "why", why.data);
    text_release(&why);
    size_t n = contrast_of(c, other, cache_counts(&decision->objectives), contrast);
    struct json_node *differs = json_add_array(object, "differs");
    for (size_t d = 0; d < n; d++)
        json_add_string(differs, NULL, contrast_key(contrast[d].dimension));
}

static void gains_json(const struct decision *decision, const double *gains, bool is_known,
                       const char *key, struct json_node *object)
{
    struct json_node *values = json_add_object(object, key);
    for (int o = 0; o < decision->objectives.n; o++) {
        const struct metric *metric = &decision->objectives.metric[o];
        json_add_number(values, metric->field->name,
                        is_known ? stored(metric, gains[o]) : (double)NAN);
    }
}

static void binding_json(const struct decision *decision, int b, struct json_node *object)
{
    static const char *const kinds[] = {"budget_max", "budget_min",  "where",      "max_layers",
                                        "min_layers", "d_model_max", "d_model_min"};
    const struct binding *binding = &decision->binding[b];
    const struct loosening *loosening = &decision->loosening[b];
    bool is_known = loosening->not_searched[0] == '\0';
    const struct metric *metric =
        binding->kind == BOUND_CONDITION
            ? &decision->bounds->filter.condition[binding->condition].metric
            : NULL;
    double scale = metric != NULL ? metric->scale : 1;
    json_add_string(object, "bound", kinds[binding->kind]);
    if (metric != NULL)
        json_add_string(object, "metric", metric->field->name);
    else
        json_add_null(object, "metric");
    json_add_number(object, "value", binding->value / scale);
    json_add_number(object, "loosened", binding->loosened / scale);
    json_add_int(object, "n_on_it", (int64_t)binding->n_on_it);
    json_add_bool(object, "knee_is_on_it",
                  binding_holds(decision->bounds, binding, &decision->front[decision->knee]));
    gains_json(decision, loosening->at_knee, is_known, "gain_at_knee", object);
    gains_json(decision, loosening->at_best, is_known, "gain_at_best", object);
    if (is_known)
        json_add_null(object, "not_searched");
    else
        json_add_string(object, "not_searched", loosening->not_searched);
}

struct json_node *decision_json(const struct decision *decision)
{
    struct json_node *root = json_new_object();
    json_add_int(root, "run_id", decision->run_id);
    json_add_int(root, "n_front", (int64_t)decision->n);
    if (decision->vocab_size != 0)
        json_add_int(root, "vocab_size", decision->vocab_size);
    else
        json_add_null(root, "vocab_size");
    candidate_json(decision, decision->knee, json_add_object(root, "knee"));
    struct json_node *picks = json_add_array(root, "picks");
    for (size_t p = 0; p < decision->n_picked; p++)
        candidate_json(decision, decision->picked[p], json_add_object(picks, NULL));
    if (decision->why_no_bounds[0] != '\0')
        json_add_string(root, "bounds_unknown", decision->why_no_bounds);
    else
        json_add_null(root, "bounds_unknown");
    struct json_node *bounds = json_add_array(root, "bounds");
    for (int b = 0; b < decision->n_bindings; b++)
        binding_json(decision, b, json_add_object(bounds, NULL));
    return root;
}
