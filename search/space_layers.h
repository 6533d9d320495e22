/* Spaces whose layers differ: what each place of a stack may choose from.
 *
 * What `layers` of a space file lists may differ from place to place; what it does not list is the
 * same for all blocks of a stack and comes from the axes of the space. docs/spaces.md has the
 * keys. */
#ifndef LATHE_SEARCH_SPACE_LAYERS_H
#define LATHE_SEARCH_SPACE_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "exact/stack_rules.h"
#include "search/axis.h"

enum { MAX_LAYER_RATIOS = 16 };

/* Numbers, and ratios to another dimension. */
struct layer_axis {
    bool is_listed;
    struct axis values;
    int n_ratios;
    double ratio[MAX_LAYER_RATIOS]; /* ascending, distinct */
};

struct space_layers {
    bool is_given;                /* else all blocks of a stack are equal */
    bool full, none, empty;       /* attention to all, none, no block at all */
    struct axis windows;          /* tokens */
    struct layer_axis n_heads;    /* ratios: of d_model / d_head */
    struct layer_axis n_kv_heads; /* ratios: of n_heads, used where it gives a divisor; listed
                                     without any value: every divisor */
    struct layer_axis d_ff;       /* ratios: of d_model, up to a multiple of d_ff_multiple */
    struct axis repeats; /* executions of a block in a row; none: once, or as the space shares */
    struct stack_rules rules;
};

/* `layers` and `rules` of a space file; absent: not given. Errors: STATUS_INPUT. */
enum status space_layers_read(const struct json *layers, const struct json *rules,
                              struct space_layers *out, struct err *err);
/* Adds both to a printed space; nothing where layers are not given. */
void space_layers_print(struct json_node *root, const struct space_layers *layers);

/* Some depth of min .. max has a stack that keeps the rules. Errors: STATUS_INPUT, with the fewest
 * rules that contradict; STATUS_NOMEM. */
enum status space_layers_check(const struct space_layers *layers, int64_t min_layers,
                               int64_t max_layers, struct err *err);

/* The values for a dimension that ratios refer to, ascending and distinct; those of ratios rounded
 * up to a multiple. */
void layer_axis_values(const struct layer_axis *axis, int64_t of, int64_t multiple,
                       struct axis *out);
/* Those that divide the dimension; without any value or ratio: every divisor. */
void layer_axis_divisors(const struct layer_axis *axis, int64_t of, struct axis *out);

/* A number of 1 .. max, {"ratio": r}, a list of both, or the rule if there is one, which leaves the
 * axis without values. Absent: not listed. Errors: STATUS_INPUT. */
enum status layer_axis_read(const struct json *at, int64_t max, const char *rule,
                            struct layer_axis *axis, struct err *err);
/* Nothing where it is not listed. */
void layer_axis_print(struct json_node *root, const char *key, const struct layer_axis *axis);

#endif
