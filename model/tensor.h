/* A tensor of a network: what it is for, its type and shape, and lists of them; model/tensors.h makes
 * the lists of a network. */
#ifndef LATHE_MODEL_TENSOR_H
#define LATHE_MODEL_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/dtype.h"

struct transformer;

/* clang-format off */
/* R(role, name in a GGUF file, part, group, bias) in the order in which a pass meets
 * them: enum tensor_role and its traits follow. Names: llama.cpp, src/llama-arch.cpp; where a family
 * has others, gguf_tensors.c. */
#define TENSOR_ROLES(R) \
    R(TENSOR_EMBEDDING,           "token_embd",          PART_EMBEDDING,  EDGE_TABLE, 0) /* the token table: [vocab_size, d_embed] */ \
    R(TENSOR_POSITION,            "position_embd",       PART_POSITION,   EDGE_TABLE, 0) \
    R(TENSOR_EMBED_PROJECT,       NULL,                  PART_EMBEDDING,  EDGE_FINAL, 0) \
    R(TENSOR_EMBED_NORM,          "token_embd_norm",     PART_EMBEDDING,  EDGE_FINAL, 0) \
    R(TENSOR_ATTENTION_NORM,      "attn_norm",           PART_NORMS,      GROUP_OWN,  0) \
    R(TENSOR_TIME_SHIFT,          NULL,                  PART_MIXER,      GROUP_OWN,  0) /* RWKV: how k, v and r mix with the token before */ \
    R(TENSOR_R,                   NULL,                  PART_MIXER,      GROUP_OWN,  0) \
    R(TENSOR_Q,                   "attn_q",              PART_MIXER,      GROUP_OWN,  BIAS_QKV) \
    R(TENSOR_K,                   "attn_k",              PART_MIXER,      GROUP_OWN,  BIAS_QKV) \
    R(TENSOR_V,                   "attn_v",              PART_MIXER,      GROUP_OWN,  BIAS_QKV) \
    R(TENSOR_Q_NORM,              "attn_q_norm",         PART_MIXER,      GROUP_OWN,  0) \
    R(TENSOR_K_NORM,              "attn_k_norm",         PART_MIXER,      GROUP_OWN,  0) \
    R(TENSOR_TIME_DECAY,          NULL,                  PART_MIXER,      GROUP_OWN,  0) /* RWKV: decay, and the bonus of the first token */ \
    R(TENSOR_SINKS,               NULL,                  PART_MIXER,      GROUP_OWN,  0) /* gpt-oss: a score a head that takes part in the softmax alone */ \
    R(TENSOR_O,                   "attn_output",         PART_MIXER,      GROUP_OWN,  BIAS_O) \
    R(TENSOR_ATTENTION_POST_NORM, "post_attention_norm", PART_NORMS,      GROUP_OWN,  0) \
    R(TENSOR_FFN_NORM,            "ffn_norm",            PART_NORMS,      GROUP_OWN,  0) \
    R(TENSOR_FFN_SHIFT,           NULL,                  PART_FFN,        GROUP_FFN,  0) /* RWKV: how k and r mix with the token before */ \
    R(TENSOR_GATE,                "ffn_gate",            PART_FFN,        GROUP_FFN,  BIAS_FFN) /* RWKV: receptance */ \
    R(TENSOR_UP,                  "ffn_up",              PART_FFN,        GROUP_FFN,  BIAS_FFN) \
    R(TENSOR_ACTIVATION,          NULL,                  PART_FFN,        GROUP_FFN,  0) /* xIELU: two scalars */ \
    R(TENSOR_DOWN,                "ffn_down",            PART_FFN,        GROUP_FFN,  BIAS_FFN) \
    R(TENSOR_ROUTER,              NULL,                  PART_FFN,        GROUP_FFN,  BIAS_ROUTER) /* [n_experts, d_model] */ \
    R(TENSOR_ROUTER_OFFSET,       NULL,                  PART_FFN,        GROUP_FFN,  0) /* ERNIE: added to the scores to choose by */ \
    R(TENSOR_SHARED_GATE,         NULL,                  PART_FFN,        GROUP_FFN,  BIAS_FFN) /* the FFN beside the experts */ \
    R(TENSOR_SHARED_UP,           NULL,                  PART_FFN,        GROUP_FFN,  BIAS_FFN) \
    R(TENSOR_SHARED_DOWN,         NULL,                  PART_FFN,        GROUP_FFN,  BIAS_FFN) \
    R(TENSOR_SHARED_SHARE,        NULL,                  PART_FFN,        GROUP_FFN,  0) /* Qwen2: how much of it is added, [1, d_model] */ \
    R(TENSOR_EXPERT_GATE,         NULL,                  PART_FFN,        GROUP_EXPERTS, BIAS_FFN) /* each of the experts has one */ \
    R(TENSOR_EXPERT_UP,           NULL,                  PART_FFN,        GROUP_EXPERTS, BIAS_FFN) \
    R(TENSOR_EXPERT_DOWN,         NULL,                  PART_FFN,        GROUP_EXPERTS, BIAS_FFN) \
    R(TENSOR_FFN_POST_NORM,       "post_ffw_norm",       PART_NORMS,      GROUP_OWN,  0) \
    R(TENSOR_FINAL_NORM,          "output_norm",         PART_FINAL_NORM, EDGE_FINAL, 0) \
    R(TENSOR_HEAD_PROJECT,        NULL,                  PART_EMBEDDING,  EDGE_FINAL, 0) \
    R(TENSOR_HEAD,                "output",              PART_HEAD,       EDGE_HEAD,  BIAS_HEAD)
/* clang-format on */
#define TENSOR_ROLE_MEMBER(role, gguf, part, group, bias) role,

/* Which tensor of a block or of the edges, in the order of a pass. */
enum tensor_role {
    TENSOR_ROLES(TENSOR_ROLE_MEMBER) N_TENSOR_ROLES,
};

/* Weights that are read together. A group of a block is used again when that block runs again, or
 * when any block does if the schedule shares the group: with the block it gives the identity of
 * weights, from which reuse follows. */
enum {
    GROUP_NONE = -1, /* no weights */
    MAX_BLOCK_GROUPS = 16,
};
/* Of a block, in the order in which an execution reads them; a KV cache is read after the first. */
enum block_group {
    GROUP_OWN, /* a block's own: mixer and all norms; never shared */
    GROUP_FFN, /* the FFN matrices with biases: what share_ffn shares; with experts, what is read
                  whichever are picked */
    GROUP_EXPERTS, /* a pass reads those that its tokens pick */
};
/* Of what stands before and after the blocks. */
enum edge_group {
    EDGE_FINAL, /* norms, projections */
    EDGE_HEAD,  /* == the token table when tied */
    EDGE_TABLE, /* the token table (and position table): rows are gathered */
    N_EDGE_GROUPS,
};

/* The part of the network that a tensor counts for. */
enum tensor_part {
    PART_EMBEDDING,
    PART_POSITION,
    PART_MIXER,
    PART_FFN,
    PART_NORMS, /* of blocks */
    PART_FINAL_NORM,
    PART_HEAD,
    N_TENSOR_PARTS,
};

/* What is the same for every tensor of a role. */
struct tensor_traits {
    const char *gguf; /* name in a GGUF file without "blk.N." and ".weight"; NULL: in none */
    enum tensor_part part;
    int group;     /* a block_group or edge_group */
    unsigned bias; /* the BIAS_* of model/transformer.h that gives it a bias; 0: none does */
};
const struct tensor_traits *tensor_traits(enum tensor_role role);

struct tensor {
    enum tensor_role role;
    enum tensor_part part;
    int group;        /* a block_group or edge_group */
    enum dtype dtype; /* a matrix's own; of the matrices beside a vector */
    int64_t rows;     /* 0: a vector of `columns` elements */
    int64_t columns;
    int64_t copies;   /* of such a matrix: n_experts for an expert's, else 1 */
    bool has_weight;  /* false: a norm without weights, a head that reads the token table */
    bool has_bias;    /* of `rows` elements beside a matrix, of `columns` beside a vector */
    bool f32_vectors; /* its vectors are f32 whatever its type: net->f32_vectors */
};

enum { MAX_TENSORS = 24 };

struct tensor_list {
    int n;
    struct tensor tensors[MAX_TENSORS];
};

/* True: share_ffn makes this group one for all blocks. */
static inline bool group_is_shareable(int block_group)
{
    return block_group == GROUP_FFN;
}

/* True: which of this group's weights a pass reads is chosen anew by every token. */
static inline bool group_is_picked(int block_group)
{
    return block_group == GROUP_EXPERTS;
}

/* False: block i uses this tensor of block 0 (share_ffn). */
bool tensor_is_stored(const struct transformer *net, const struct tensor *tensor, int64_t i);

/* NULL: not in the list. */
const struct tensor *tensor_find(const struct tensor_list *list, enum tensor_role role);

/* Of one copy. 0: it has none. */
static inline int64_t tensor_bias_elements(const struct tensor *tensor)
{
    int64_t n = tensor->rows > 0 ? tensor->rows : tensor->columns;
    return tensor->has_bias ? n : 0;
}

/* Of weight and bias, of all copies. */
static inline int64_t tensor_params(const struct tensor *tensor)
{
    int64_t rows = tensor->rows > 0 ? tensor->rows : 1;
    int64_t one = (tensor->has_weight ? rows * tensor->columns : 0) + tensor_bias_elements(tensor);
    return tensor->copies * one;
}

/* Of one copy, as stored: a matrix row by row in its type, vectors as dtype_vector_bytes says. */
int64_t tensor_copy_bytes(const struct tensor *tensor);
/* Of all copies. */
int64_t tensor_bytes(const struct tensor *tensor);
int64_t tensor_bias_bytes(const struct tensor *tensor); /* the bias alone */

/* For the functions that list a block's mixer or FFN. A matrix has a bias if its role's BIAS_* is in
 * net->biases, and the type that its rows can have (dtype_for_row). */
void tensors_add_matrix(const struct transformer *net, enum tensor_role role, enum dtype dtype,
                        int64_t rows, int64_t columns, struct tensor_list *out);
/* ...of which there are `copies`. */
void tensors_add_copies(const struct transformer *net, enum tensor_role role, enum dtype dtype,
                        int64_t copies, int64_t rows, int64_t columns, struct tensor_list *out);
void tensors_add_vector(enum tensor_role role, enum dtype dtype, int64_t columns,
                        struct tensor_list *out);

/* Over d_model elements, with what the network's norms have: perhaps nothing. */
void tensors_add_norm(const struct transformer *net, enum tensor_role role,
                      struct tensor_list *out);

#endif
