/* Types of the matrices of blocks that have one each: what a file says tensor by tensor, or a type
 * of files by its rules (model/file_type.h). Layers with the same types share a set. */
#ifndef LATHE_MODEL_LAYER_TYPES_H
#define LATHE_MODEL_LAYER_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/tensor.h"

/* A layer's, by role; of what is no matrix of a block it says nothing. */
struct type_set {
    uint8_t of_role[N_TENSOR_ROLES]; /* enum dtype */
};

/* All zero: every matrix has the network's block_dtype. Owned. */
struct layer_types {
    int n_sets;
    struct type_set *sets;   /* [n_sets], in order of first appearance */
    const int *set_of_layer; /* [n_layers]; NULL: none */
};

/* What was there before is released. layers: [n_layers], n_layers >= 1. Errors: STATUS_NOMEM,
 * nothing changed. */
enum status layer_types_set(struct layer_types *types, const struct type_set *layers,
                            int64_t n_layers, struct err *err);
void layer_types_release(struct layer_types *types);

/* NULL: there are none. */
static inline const struct type_set *layer_types_at(const struct layer_types *types, int64_t layer)
{
    return types->set_of_layer ? &types->sets[types->set_of_layer[layer]] : NULL;
}

#endif
