#include "search/space_scaling.h"

#include <string.h>

#include "base/memory.h"
#include "model/layer_scaling.h"

static enum status add_multiplier(const struct json *at, struct multiplier_axis *axis,
                                  struct err *err)
{
    double value;
    int i = axis->n;
    enum status status = json_number(at, 0.01, 1000, &value, err);
    if (status)
        return status;
    while (i > 0 && axis->value[i - 1] > value)
        i--;
    if (i > 0 && axis->value[i - 1] == value)
        return STATUS_OK;
    if (axis->n == MAX_MULTIPLIERS)
        return json_error(at, err, "more than %d values on one axis", MAX_MULTIPLIERS);
    memmove(&axis->value[i + 1], &axis->value[i], (size_t)(axis->n - i) * sizeof axis->value[0]);
    axis->value[i] = value;
    axis->n++;
    return STATUS_OK;
}

/* A number or a list of them. */
static enum status read_multipliers(const struct json *scaling, const char *key,
                                    struct multiplier_axis *out, struct err *err)
{
    struct json at = json_member(scaling, key);
    enum status status = STATUS_OK;
    if (json_is_null(&at))
        return json_error(scaling, err,
                          "'%s' is missing: alpha_min, alpha_max, beta_min and beta_max are needed",
                          key);
    if (!json_is_array(&at))
        return add_multiplier(&at, out, err);
    if (json_length(&at) == 0)
        return json_error(&at, err, "an axis needs at least one value");
    for (struct json item = json_first(&at); item.item && !status; item = json_next(&item))
        status = add_multiplier(&item, out, err);
    return status;
}

enum status space_scaling_read(const struct json *at, struct space_scaling *out, struct err *err)
{
    static const char *const keys[] = {"alpha_min", "alpha_max", "beta_min",
                                       "beta_max",  "groups",    NULL};
    enum status status = STATUS_OK;
    *out = (struct space_scaling){.is_given = !json_is_null(at)};
    if (!out->is_given)
        return STATUS_OK;
    if ((status = json_only_keys(at, keys, err)) ||
        (status = read_multipliers(at, "alpha_min", &out->alpha_min, err)) ||
        (status = read_multipliers(at, "alpha_max", &out->alpha_max, err)) ||
        (status = read_multipliers(at, "beta_min", &out->beta_min, err)) ||
        (status = read_multipliers(at, "beta_max", &out->beta_max, err)))
        return status;
    struct json groups = json_member(at, "groups");
    axis_add(&out->groups, 1);
    return json_is_null(&groups) ? STATUS_OK : axis_read(&groups, 1, 1 << 14, &out->groups, err);
}

static void print_multipliers(struct json_node *at, const char *key,
                              const struct multiplier_axis *axis)
{
    struct json_node *list = json_add_array(at, key);
    for (int i = 0; i < axis->n; i++)
        json_add_number(list, NULL, axis->value[i]);
}

void space_scaling_print(struct json_node *root, const struct space_scaling *scaling)
{
    if (!scaling->is_given)
        return;
    struct json_node *object = json_add_object(root, "scaling");
    print_multipliers(object, "alpha_min", &scaling->alpha_min);
    print_multipliers(object, "alpha_max", &scaling->alpha_max);
    print_multipliers(object, "beta_min", &scaling->beta_min);
    print_multipliers(object, "beta_max", &scaling->beta_max);
    axis_print(object, "groups", &scaling->groups, NULL);
}

static enum status lines_start(const struct multiplier_axis *first,
                               const struct multiplier_axis *last, int64_t n_layers,
                               struct layer_lines *out, struct err *err)
{
    size_t most = (size_t)first->n * (size_t)last->n;
    *out = (struct layer_lines){.n_layers = n_layers};
    out->value = memory_new(most * (size_t)n_layers, sizeof *out->value);
    return out->value ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}

/* Keeps the line that was written behind the last one, unless it is there already. */
static void lines_keep(struct layer_lines *lines)
{
    size_t size = (size_t)lines->n_layers * sizeof *lines->value;
    const int64_t *added = lines->value + lines->n * lines->n_layers;
    for (int i = 0; i < lines->n; i++)
        if (memcmp(lines->value + i * lines->n_layers, added, size) == 0)
            return;
    lines->n++;
}

enum status layer_lines_of_heads(const struct space_scaling *scaling, int64_t d_model,
                                 int64_t d_head, int64_t n_groups, int64_t n_layers,
                                 struct layer_lines *out, struct err *err)
{
    const struct multiplier_axis *first = &scaling->alpha_min, *last = &scaling->alpha_max;
    enum status status = lines_start(first, last, n_layers, out, err);
    for (int at = 0; at < first->n * last->n && !status; at++) {
        int64_t *line = out->value + out->n * n_layers;
        double from = first->value[at / last->n], to = last->value[at % last->n];
        for (int64_t i = 0; i < n_layers; i++)
            line[i] =
                scaled_heads(d_model, d_head, n_groups, layer_multiplier(from, to, i, n_layers));
        lines_keep(out);
    }
    return status;
}

enum status layer_lines_of_d_ff(const struct space_scaling *scaling, int64_t d_model,
                                int64_t multiple, int64_t n_layers, struct layer_lines *out,
                                struct err *err)
{
    const struct multiplier_axis *first = &scaling->beta_min, *last = &scaling->beta_max;
    enum status status = lines_start(first, last, n_layers, out, err);
    for (int at = 0; at < first->n * last->n && !status; at++) {
        int64_t *line = out->value + out->n * n_layers;
        double from = first->value[at / last->n], to = last->value[at % last->n];
        for (int64_t i = 0; i < n_layers; i++)
            line[i] = scaled_d_ff(d_model, multiple, layer_multiplier(from, to, i, n_layers));
        lines_keep(out);
    }
    return status;
}

void layer_lines_release(struct layer_lines *lines)
{
    memory_free(lines->value);
    *lines = (struct layer_lines){0};
}
