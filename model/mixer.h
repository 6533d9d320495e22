/* How a block mixes tokens: one row of traits a kind. A new kind is a name here, a row in mixer.c
 * and a file with its functions. */
#ifndef LATHE_MODEL_MIXER_H
#define LATHE_MODEL_MIXER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct transformer;
struct block;
struct tensor_list;
struct operator_list;
struct block_ops;

enum mixer {
    MIXER_ATTENTION,
    MIXER_RWKV, /* RWKV-4 time mixing: r, k, v, o [d_model, d_model], no KV cache, a state per layer
                 */
    MIXER_NONE, /* this layer has only an FFN */
    N_MIXERS,
};

struct mixer_traits {
    const char *name;  /* "attention", as lathe's own files spell it */
    const char *owner; /* a network that has such blocks: "an RWKV network" */
    /* What a block of this kind needs beyond a valid d_ff. NULL: it has no heads and no window. */
    enum status (*check)(const struct transformer *net, const struct block *block, struct err *err);
    /* Adds its tensors and operators, without the norms and the residual around it, which every kind
     * has. NULL, both: there is no such branch in the block. */
    void (*tensors)(const struct transformer *net, const struct block *block,
                    struct tensor_list *out);
    void (*ops)(const struct transformer *net, const struct block *block,
                const struct tensor_list *tensors, const struct operator_list *pass,
                struct block_ops *out);
    /* Bytes of a state that does not grow with the context. NULL: there is none. */
    int64_t (*state_bytes)(const struct transformer *net, const struct block *block);
};
const struct mixer_traits *mixer_traits(enum mixer mixer);

/* False: no kind is called so. */
bool mixer_parse(const char *name, enum mixer *out);
/* "attention, rwkv, none"; returns buffer. */
const char *mixer_names(char buffer[128]);

/* The rows of mixer_attention.c and mixer_rwkv.c. */
extern const struct mixer_traits mixer_attention, mixer_rwkv;

#endif
