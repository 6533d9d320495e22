/* Spaces of stacks that are scaled layer by layer: four numbers say the heads and d_ff of every layer
 * (model/layer_scaling.h), and each may be an axis. */
#ifndef LATHE_SEARCH_SPACE_SCALING_H
#define LATHE_SEARCH_SPACE_SCALING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "search/axis.h"

enum { MAX_MULTIPLIERS = 32 };

struct multiplier_axis {
    int n;
    double value[MAX_MULTIPLIERS]; /* ascending, distinct */
};

struct space_scaling {
    bool is_given; /* else nothing else of it is read */
    struct multiplier_axis alpha_min, alpha_max, beta_min, beta_max;
    struct axis groups; /* query heads to a KV head */
};

/* `scaling` of a space file; absent: not given. Errors: STATUS_INPUT. */
enum status space_scaling_read(const struct json *at, struct space_scaling *out, struct err *err);
/* Adds it to a printed space; nothing where it is not given. */
void space_scaling_print(struct json_node *root, const struct space_scaling *scaling);

/* The heads, or the d_ff, of all layers of a stack. */
struct layer_lines {
    int n;
    int64_t n_layers;
    int64_t *value; /* [n][n_layers], distinct, by the first multiplier, then the last; owned */
};
/* Release with layer_lines_release, after errors too. Errors: STATUS_NOMEM. */
enum status layer_lines_of_heads(const struct space_scaling *scaling, int64_t d_model,
                                 int64_t d_head, int64_t n_groups, int64_t n_layers,
                                 struct layer_lines *out, struct err *err);
enum status layer_lines_of_d_ff(const struct space_scaling *scaling, int64_t d_model,
                                int64_t multiple, int64_t n_layers, struct layer_lines *out,
                                struct err *err);
void layer_lines_release(struct layer_lines *lines);

#endif
