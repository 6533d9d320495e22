/* An axis of a design space: a sorted list of numbers, from a JSON file and back. */
#ifndef LATHE_SEARCH_AXIS_H
#define LATHE_SEARCH_AXIS_H

#include <stdint.h>

#include "base/json.h"
#include "base/status.h"

enum { MAX_AXIS_VALUES = 512 };

struct axis {
    int n;
    int64_t value[MAX_AXIS_VALUES]; /* ascending, distinct */
};

/* There is room for one more. */
void axis_add(struct axis *axis, int64_t value);
void axis_add_range(struct axis *axis, int64_t from, int64_t to, int64_t step);
/* The same, for the value at a place in a file. Errors: STATUS_INPUT, the axis is full. */
enum status axis_add_checked(const struct json *at, struct axis *axis, int64_t value,
                             struct err *err);

/* A number, a list of numbers, or {"from": a, "to": b, "step": c}, each in min .. max. */
enum status axis_read(const struct json *at, int64_t min, int64_t max, struct axis *axis,
                      struct err *err);
/* As axis_read from 1 on, or the named rule, which empties the axis. */
enum status axis_read_or_rule(const struct json *at, const char *rule, int64_t max,
                              struct axis *axis, struct err *err);
/* rule: what an empty axis stands for. */
void axis_print(struct json_node *root, const char *key, const struct axis *axis, const char *rule);

#endif
