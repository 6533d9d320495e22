/* How a block mixes tokens: one row of traits a kind. docs/HACKING.md says what a new kind
 * takes. */
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

/* M(kind, its row): RWKV-4 time mixing has r, k, v and o [d_model, d_model], no KV cache and a state per
 * layer; a block without mixer has only an FFN. */
#define MIXERS(M) \
    M(MIXER_ATTENTION, mixer_attention) \
    M(MIXER_RWKV, mixer_rwkv) \
    M(MIXER_NONE, mixer_none)
#define MIXER_MEMBER(kind, row) kind,

enum mixer {
    MIXERS(MIXER_MEMBER) N_MIXERS,
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

/* The rows; each kind that mixes has a file with its functions. */
#define MIXER_DECLARE(kind, row) extern const struct mixer_traits row;
MIXERS(MIXER_DECLARE)

#endif
