/* What the ways to fill weights share; see weights.h. */
#ifndef LATHE_RUNTIME_WEIGHTS_PRIVATE_H
#define LATHE_RUNTIME_WEIGHTS_PRIVATE_H

#include "model/tensors.h"
#include "runtime/weights.h"

/* Allocates and points everything at its place; nothing is filled. Errors as weights_random. */
enum status weights_allocate(const struct transformer *net, struct weights *out, struct err *err);

/* Where tensor i of a list has its place in memory: one of the two is not NULL. */
struct weights_slot {
    const struct tensor_list *list;
    int i;
    int64_t layer; /* -1: of the edges */
    struct matrix *matrix;
    struct norm_weights *vector;
};

/* Calls `visit` for every tensor that is stored, in a fixed order, until it fails. */
enum status weights_each(const struct transformer *net, struct weights *weights,
                         enum status (*visit)(void *context, const struct weights_slot *slot),
                         void *context);

#endif
