#include "search/axis.h"

#include <assert.h>
#include <string.h>

void axis_add(struct axis *axis, int64_t value)
{
    int at = 0;
    while (at < axis->n && axis->value[at] < value)
        at++;
    if (at < axis->n && axis->value[at] == value)
        return;
    assert(axis->n < MAX_AXIS_VALUES);
    memmove(&axis->value[at + 1], &axis->value[at], (size_t)(axis->n - at) * sizeof axis->value[0]);
    axis->value[at] = value;
    axis->n++;
}

void axis_add_range(struct axis *axis, int64_t from, int64_t to, int64_t step)
{
    for (int64_t value = from; value <= to; value += step)
        axis_add(axis, value);
}

enum status axis_add_checked(const struct json *at, struct axis *axis, int64_t value,
                             struct err *err)
{
    if (axis->n == MAX_AXIS_VALUES)
        return json_error(at, err, "more than %d values on one axis", MAX_AXIS_VALUES);
    axis_add(axis, value);
    return STATUS_OK;
}

static const char *const range_keys[] = {"from", "to", "step", NULL};

enum status axis_read(const struct json *at, int64_t min, int64_t max, struct axis *axis,
                      struct err *err)
{
    enum status status = STATUS_OK;
    int64_t value;
    axis->n = 0;
    if (json_is_array(at)) {
        for (struct json item = json_first(at); item.item && !status; item = json_next(&item)) {
            if (!(status = json_int(&item, min, max, &value, err)))
                status = axis_add_checked(&item, axis, value, err);
        }
    } else if (json_is_object(at)) {
        int64_t from, to, step;
        if ((status = json_only_keys(at, range_keys, err)) ||
            (status = json_get_int(at, "from", min, max, &from, err)) ||
            (status = json_get_int(at, "to", from, max, &to, err)) ||
            (status = json_get_int_or(at, "step", 1, max, 1, &step, err)))
            return status;
        for (value = from; value <= to && !status; value += step)
            status = axis_add_checked(at, axis, value, err);
    } else if (!(status = json_int(at, min, max, &value, err))) {
        axis_add(axis, value);
    }
    if (!status && axis->n == 0)
        status = json_error(at, err, "an axis needs at least one value");
    return status;
}

/* As read_axis, or the named rule, which empties the axis. */
enum status axis_read_or_rule(const struct json *at, const char *rule, int64_t max,
                              struct axis *axis, struct err *err)
{
    const char *text;
    if (!json_is_string(at))
        return axis_read(at, 1, max, axis, err);
    enum status status = json_string(at, &text, err);
    if (status)
        return status;
    if (strcmp(text, rule) != 0)
        return json_error(at, err, "'%s' is no rule here; expected numbers or \"%s\"", text, rule);
    axis->n = 0;
    return STATUS_OK;
}

void axis_print(struct json_node *root, const char *key, const struct axis *axis, const char *rule)
{
    if (axis->n == 0) {
        json_add_string(root, key, rule);
        return;
    }
    struct json_node *list = json_add_array(root, key);
    for (int i = 0; i < axis->n; i++)
        json_add_int(list, NULL, axis->value[i]);
}
