#include "search/space_layers.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { MAX_MIN_FULL = 256 };

static enum status add_ratio(const struct json *at, struct layer_axis *axis, struct err *err)
{
    static const char *const keys[] = {"ratio", NULL};
    double ratio;
    enum status status = STATUS_OK;
    if ((status = json_only_keys(at, keys, err)) ||
        (status = json_get_number(at, "ratio", 0.001, 1000, &ratio, err)))
        return status;
    int i = axis->n_ratios;
    while (i > 0 && axis->ratio[i - 1] > ratio)
        i--;
    if (i > 0 && axis->ratio[i - 1] == ratio)
        return STATUS_OK;
    if (axis->n_ratios == MAX_LAYER_RATIOS)
        return json_error(at, err, "more than %d ratios", MAX_LAYER_RATIOS);
    memmove(&axis->ratio[i + 1], &axis->ratio[i],
            (size_t)(axis->n_ratios - i) * sizeof axis->ratio[0]);
    axis->ratio[i] = ratio;
    axis->n_ratios++;
    return STATUS_OK;
}

static enum status read_item(const struct json *at, int64_t max, struct layer_axis *axis,
                             struct err *err)
{
    int64_t value;
    if (json_is_object(at))
        return add_ratio(at, axis, err);
    enum status status = json_int(at, 1, max, &value, err);
    return status ? status : axis_add_checked(at, &axis->values, value, err);
}

enum status layer_axis_read(const struct json *at, int64_t max, const char *rule,
                            struct layer_axis *axis, struct err *err)
{
    const char *text;
    enum status status = STATUS_OK;
    if (json_is_null(at))
        return STATUS_OK;
    axis->is_listed = true;
    if (json_is_string(at) && rule) {
        if ((status = json_string(at, &text, err)) || strcmp(text, rule) == 0)
            return status;
        return json_error(at, err, "'%s' is no rule here; expected \"%s\" or numbers", text, rule);
    }
    if (!json_is_array(at))
        return read_item(at, max, axis, err);
    if (json_length(at) == 0)
        return json_error(at, err, "an axis needs at least one value");
    for (struct json item = json_first(at); item.item && !status; item = json_next(&item))
        status = read_item(&item, max, axis, err);
    return status;
}

static enum status read_attention(const struct json *at, struct space_layers *out, struct err *err)
{
    static const char *const keys[] = {"window", NULL};
    const char *text;
    int64_t window;
    enum status status = STATUS_OK;
    if (json_is_object(at)) {
        if ((status = json_only_keys(at, keys, err)) ||
            (status = json_get_int(at, "window", 1, INT32_MAX, &window, err)))
            return status;
        return axis_add_checked(at, &out->windows, window, err);
    }
    if ((status = json_string(at, &text, err)))
        return status;
    bool *kind = strcmp(text, "full") == 0    ? &out->full
                 : strcmp(text, "none") == 0  ? &out->none
                 : strcmp(text, "empty") == 0 ? &out->empty
                                              : NULL;
    if (!kind)
        return json_error(at, err,
                          "'%s' is no kind of layer: expected \"full\", {\"window\": tokens}, "
                          "\"none\" (an FFN alone) or \"empty\" (no block)",
                          text);
    *kind = true;
    return STATUS_OK;
}

static enum status read_kinds(const struct json *at, struct space_layers *out, struct err *err)
{
    enum status status = STATUS_OK;
    if (json_is_null(at)) {
        out->full = true;
        return STATUS_OK;
    }
    if (!json_is_array(at) || json_length(at) == 0)
        return json_error(at, err, "expected a list of kinds of layers");
    for (struct json item = json_first(at); item.item && !status; item = json_next(&item))
        status = read_attention(&item, out, err);
    if (!status && !out->full && !out->none && out->windows.n == 0)
        status = json_error(at, err, "some layer must not be empty");
    return status;
}

static enum status read_pattern(const struct json *rules, struct stack_rules *out, struct err *err)
{
    const char *text;
    struct json at = json_member(rules, "pattern");
    enum status status = json_get_string_or(rules, "pattern", "", &text, err);
    if (status)
        return status;
    size_t length = strlen(text);
    if (length > MAX_PATTERN || strspn(text, "FWN.") != length)
        return json_error(&at, err,
                          "'%s' is no pattern: expected at most %d of F (full), W (windowed), N "
                          "(no attention) and . (any)",
                          text, MAX_PATTERN);
    memcpy(out->pattern, text, length + 1);
    return STATUS_OK;
}

static enum status read_rules(const struct json *at, struct stack_rules *out, struct err *err)
{
    static const char *const keys[] = {"first_full", "min_full",     "max_windowed_run",
                                       "pattern",    "equal_thirds", NULL};
    enum status status = STATUS_OK;
    if (json_is_null(at))
        return STATUS_OK;
    if ((status = json_only_keys(at, keys, err)) ||
        (status = json_get_bool_or(at, "first_full", false, &out->first_full, err)) ||
        (status = json_get_int_or(at, "min_full", 0, MAX_MIN_FULL, 0, &out->min_full, err)) ||
        (status = json_get_int_or(at, "max_windowed_run", 0, MAX_MIN_FULL, 0,
                                  &out->max_windowed_run, err)) ||
        (status = json_get_bool_or(at, "equal_thirds", false, &out->equal_thirds, err)))
        return status;
    return read_pattern(at, out, err);
}

enum status space_layers_read(const struct json *layers, const struct json *rules,
                              struct space_layers *out, struct err *err)
{
    static const char *const keys[] = {"attention", "n_heads", "n_kv_heads",
                                       "d_ff",      "repeats", NULL};
    enum status status = STATUS_OK;
    *out = (struct space_layers){.is_given = !json_is_null(layers)};
    if (!out->is_given)
        return json_is_null(rules)
                   ? STATUS_OK
                   : json_error(rules, err, "rules are about layers that differ: list \"layers\"");
    if ((status = json_only_keys(layers, keys, err)))
        return status;
    struct json at = json_member(layers, "attention");
    if ((status = read_kinds(&at, out, err)))
        return status;
    if ((at = json_member(layers, "n_heads"),
         status = layer_axis_read(&at, 1 << 14, NULL, &out->n_heads, err)) ||
        (at = json_member(layers, "n_kv_heads"),
         status = layer_axis_read(&at, 1 << 14, "divisors", &out->n_kv_heads, err)) ||
        (at = json_member(layers, "d_ff"),
         status = layer_axis_read(&at, 1 << 24, NULL, &out->d_ff, err)))
        return status;
    at = json_member(layers, "repeats");
    if (!json_is_null(&at) && (status = axis_read(&at, 1, 1 + MAX_RERUNS, &out->repeats, err)))
        return status;
    if (out->n_heads.is_listed && !out->n_kv_heads.is_listed)
        return json_error(layers, err,
                          "where n_heads differ from layer to layer, list n_kv_heads too");
    return read_rules(rules, &out->rules, err);
}

void layer_axis_print(struct json_node *root, const char *key, const struct layer_axis *axis)
{
    if (!axis->is_listed)
        return;
    if (axis->values.n == 0 && axis->n_ratios == 0) {
        json_add_string(root, key, "divisors");
        return;
    }
    struct json_node *list = json_add_array(root, key);
    for (int i = 0; i < axis->values.n; i++)
        json_add_int(list, NULL, axis->values.value[i]);
    for (int i = 0; i < axis->n_ratios; i++)
        json_add_number(json_add_object(list, NULL), "ratio", axis->ratio[i]);
}

static void print_rules(struct json_node *root, const struct stack_rules *rules)
{
    struct json_node *object = json_add_object(root, "rules");
    json_add_bool(object, "first_full", rules->first_full);
    json_add_int(object, "min_full", rules->min_full);
    json_add_int(object, "max_windowed_run", rules->max_windowed_run);
    json_add_string(object, "pattern", rules->pattern);
    json_add_bool(object, "equal_thirds", rules->equal_thirds);
}

void space_layers_print(struct json_node *root, const struct space_layers *layers)
{
    if (!layers->is_given)
        return;
    struct json_node *object = json_add_object(root, "layers");
    struct json_node *kinds = json_add_array(object, "attention");
    if (layers->full)
        json_add_string(kinds, NULL, "full");
    for (int i = 0; i < layers->windows.n; i++)
        json_add_int(json_add_object(kinds, NULL), "window", layers->windows.value[i]);
    if (layers->none)
        json_add_string(kinds, NULL, "none");
    if (layers->empty)
        json_add_string(kinds, NULL, "empty");
    layer_axis_print(object, "n_heads", &layers->n_heads);
    layer_axis_print(object, "n_kv_heads", &layers->n_kv_heads);
    layer_axis_print(object, "d_ff", &layers->d_ff);
    const struct layer_axis repeats = {.is_listed = layers->repeats.n > 0,
                                       .values = layers->repeats};
    layer_axis_print(object, "repeats", &repeats);
    print_rules(root, &layers->rules);
}

/* Rules see kinds only, so that one choice a kind speaks for all. */
enum status space_layers_check(const struct space_layers *layers, int64_t min_layers,
                               int64_t max_layers, struct err *err)
{
    enum layer_kind kinds[4];
    struct rule_automaton automaton = {.rules = layers->rules, .kind = kinds};
    const bool offered[4] = {[LAYER_FULL] = layers->full,
                             [LAYER_WINDOWED] = layers->windows.n > 0,
                             [LAYER_NONE] = layers->none,
                             [LAYER_SKIP] = layers->empty};
    for (int kind = 0; kind < 4; kind++)
        if (offered[kind])
            kinds[automaton.n_choices++] = (enum layer_kind)kind;
    struct err first = {""};
    enum status status = STATUS_INPUT;
    for (int64_t depth = max_layers; depth >= min_layers && status == STATUS_INPUT; depth--) {
        automaton.n_places = depth;
        status = rules_check(&automaton, depth == max_layers ? &first : NULL);
    }
    return status == STATUS_OK ? status : err_set(err, status, "%s", first.message);
}

void layer_axis_values(const struct layer_axis *axis, int64_t of, int64_t multiple,
                       struct axis *out)
{
    *out = axis->values;
    for (int i = 0; i < axis->n_ratios && out->n < MAX_AXIS_VALUES; i++) {
        int64_t value = llround(axis->ratio[i] * (double)of);
        value = value < 1 ? 1 : value;
        axis_add(out, (value + multiple - 1) / multiple * multiple);
    }
}

void layer_axis_divisors(const struct layer_axis *axis, int64_t of, struct axis *out)
{
    struct axis all;
    bool every = axis->values.n == 0 && axis->n_ratios == 0;
    out->n = 0;
    if (every)
        all = (struct axis){.n = 0};
    else
        layer_axis_values(axis, of, 1, &all);
    for (int64_t n = 1; every && n <= of && out->n < MAX_AXIS_VALUES; n++)
        if (of % n == 0)
            out->value[out->n++] = n;
    for (int i = 0; i < all.n; i++)
        if (of % all.value[i] == 0)
            out->value[out->n++] = all.value[i];
}
