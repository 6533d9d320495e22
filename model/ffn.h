/* The feed-forward half of a block: kinds, tensors and operators. A new kind is a name here and a
 * row in ffn.c. */
#ifndef LATHE_MODEL_FFN_H
#define LATHE_MODEL_FFN_H

#include <stdbool.h>

#include "base/status.h"

struct transformer;
struct block;
struct tensor_list;
struct operator_list;
struct block_ops;

enum ffn_kind {
    FFN_RELU,         /* down(relu(up x)): two matrices */
    FFN_GELU,         /* two matrices */
    FFN_RELU2,        /* down(relu(up x)^2): two matrices */
    FFN_XIELU,        /* two matrices, and two scalars of the activation (arXiv:2411.13010) */
    FFN_SWIGLU,       /* down(silu(gate x) * up x): three matrices */
    FFN_GEGLU,        /* three matrices */
    FFN_RWKV_CHANNEL, /* sigmoid(receptance x) * value(relu(key x)^2): key d_ff x d, value d x d_ff,
                         receptance d x d */
    N_FFN_KINDS,
};

const char *ffn_kind_name(enum ffn_kind kind); /* "relu" "gelu" "relu2" "xielu" "swiglu" ... */
enum status ffn_kind_parse(const char *name, enum ffn_kind *out, struct err *err);
bool ffn_is_gated(enum ffn_kind kind); /* three matrices: gate, up and down */

/* Adds a block's FFN, without the norms and the residual around it. */
void ffn_tensors(const struct transformer *net, const struct block *block, struct tensor_list *out);
void ffn_ops(const struct transformer *net, const struct block *block,
             const struct tensor_list *tensors, const struct operator_list *pass,
             struct block_ops *out);

#endif
