/* One operator of a pass: what it reads, writes and computes.
 *
 * FLOPs count an FMA as 2 and leave out what is not a multiply-add or a per-element pass;
 * activations are f32. */
#ifndef LATHE_MODEL_OP_H
#define LATHE_MODEL_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/tensor.h"

enum op_kind {
    OP_MATMUL,    /* y[m, n] = x[m, k] W[n, k]^T; m tokens. m == 1 is a matvec */
    OP_ATTENTION, /* scores, softmax and weighted sum over the cache */
    OP_NORM,
    OP_ROPE,
    OP_ACTIVATION, /* relu/gelu, silu(gate) * up, the products of RWKV */
    OP_ADD,        /* residual */
    OP_EMBED,      /* token (and position) rows gathered */
    OP_TIME_MIX,   /* RWKV: token shift, exponential-decay state update */
    OP_KV_STORE,   /* new k and v written to the cache */
    OP_SAMPLE,     /* greedy argmax over the logits; excluded from decode_ns by the contract */
    N_OP_KINDS,
};
const char *op_kind_name(enum op_kind kind);

/* clang-format off */
/* R(role, name, section) in the order of enum op_role. */
#define OP_ROLES(R) \
    R(ROLE_EMBED,                "embed",               SECTION_REST) \
    R(ROLE_EMBED_PROJECT,        "embed_project",       SECTION_REST) \
    R(ROLE_EMBED_NORM,           "embed_norm",          SECTION_REST) \
    R(ROLE_ATTENTION_NORM,       "attention_norm",      SECTION_REST) \
    R(ROLE_Q,                    "q",                   SECTION_MIXER) \
    R(ROLE_K,                    "k",                   SECTION_MIXER) \
    R(ROLE_V,                    "v",                   SECTION_MIXER) \
    R(ROLE_QK_NORM,              "qk_norm",             SECTION_REST) \
    R(ROLE_ROPE,                 "rope",                SECTION_REST) \
    R(ROLE_KV_STORE,             "kv_store",            SECTION_REST) \
    R(ROLE_ATTENTION,            "attention",           SECTION_CACHE) \
    R(ROLE_SINKS,                "sinks",               SECTION_REST) \
    R(ROLE_O,                    "o",                   SECTION_MIXER) \
    R(ROLE_ATTENTION_POST_NORM,  "attention_post_norm", SECTION_REST) \
    R(ROLE_ATTENTION_ADD,        "attention_add",       SECTION_REST) \
    R(ROLE_TIME_SHIFT,           "time_shift",          SECTION_REST) \
    R(ROLE_R,                    "r",                   SECTION_MIXER) \
    R(ROLE_TIME_MIX,             "time_mix",            SECTION_MIXER) \
    R(ROLE_FFN_NORM,             "ffn_norm",            SECTION_REST) \
    R(ROLE_GATE,                 "gate",                SECTION_FFN) \
    R(ROLE_UP,                   "up",                  SECTION_FFN) \
    R(ROLE_ACTIVATION,           "activation",          SECTION_REST) \
    R(ROLE_DOWN,                 "down",                SECTION_FFN) \
    R(ROLE_ROUTER,               "router",              SECTION_FFN) \
    R(ROLE_PICK,                 "pick",                SECTION_REST) \
    R(ROLE_SHARED_GATE,          "shared_gate",         SECTION_FFN) \
    R(ROLE_SHARED_UP,            "shared_up",           SECTION_FFN) \
    R(ROLE_SHARED_ACTIVATION,    "shared_activation",   SECTION_REST) \
    R(ROLE_SHARED_DOWN,          "shared_down",         SECTION_FFN) \
    R(ROLE_SHARED_SHARE,         "shared_share",        SECTION_FFN) \
    R(ROLE_EXPERT_GATE,          "expert_gate",         SECTION_FFN) \
    R(ROLE_EXPERT_UP,            "expert_up",           SECTION_FFN) \
    R(ROLE_EXPERT_ACTIVATION,    "expert_activation",   SECTION_REST) \
    R(ROLE_EXPERT_DOWN,          "expert_down",         SECTION_FFN) \
    R(ROLE_EXPERT_ADD,           "expert_add",          SECTION_REST) \
    R(ROLE_FFN_POST_NORM,        "ffn_post_norm",       SECTION_REST) \
    R(ROLE_FFN_ADD,              "ffn_add",             SECTION_REST) \
    R(ROLE_FINAL_NORM,           "final_norm",          SECTION_REST) \
    R(ROLE_HEAD_PROJECT,         "head_project",        SECTION_REST) \
    R(ROLE_HEAD,                 "head",                SECTION_HEAD) \
    R(ROLE_SAMPLE,               "sample",              SECTION_REST)
/* clang-format on */
#define OP_ROLE_MEMBER(role, name, section) role,

/* Which matrix or vector: for reports, per-operator timings and the runtime. */
enum op_role {
    OP_ROLES(OP_ROLE_MEMBER) N_OP_ROLES,
};
const char *op_role_name(enum op_role role);

/* Roles as a reader thinks of them. */
enum op_section {
    SECTION_MIXER, /* matrices of attention, or of what stands in its place */
    SECTION_CACHE,
    SECTION_FFN,
    SECTION_HEAD,
    SECTION_REST,
    N_OP_SECTIONS,
};
enum op_section op_role_section(enum op_role role);

struct op {
    enum op_kind kind;
    enum op_role role;
    int group;             /* of its weights: a block_group or edge_group, GROUP_NONE */
    enum tensor_part part; /* what its weights count for, if it has some */
    enum dtype dtype;      /* of the weights, or of the cache for attention; f32 where neither */
    int64_t m, n, k;       /* matmul: tokens, d_out, d_in. attention: query tokens, n_heads, d_head.
                             others: tokens, elements a token, 1 */
    int64_t n_kv;          /* attention: key-value heads; others: 0 */
    int64_t weight_bytes;  /* read once for all m tokens, as stored */
    int64_t unread_bytes;  /* of experts: of those that no token of the pass picks */
    int64_t activation_bytes; /* read + written */
    int64_t kv_read_bytes, kv_write_bytes;
    int64_t flop;
};

enum { ACTIVATION_BYTES = 4 }; /* of an element, f32 */

/* y = W x for m tokens, with the bias if there is one. The weight is read even where another tensor
 * stores it (a tied head). */
struct op op_matmul(const struct tensor *tensor, enum op_role role, int64_t m);
/* How many of n experts the m tokens of a pass pick between them when each picks k at random: the
 * expectation n (1 - (1 - k/n)^m). */
double experts_met(int64_t n, int64_t k, int64_t m);
/* The matmuls of m tokens with the k copies of a matrix that each picks. op.m, op.n: of the experts
 * met together, tokens of each and rows of all; counts are of m k products and of the bytes met. */
struct op op_experts(const struct tensor *tensor, enum op_role role, int64_t m, int64_t k);
/* A pass over m tokens of n elements that reads `reads` such arrays and writes one. */
struct op op_elementwise(enum op_kind kind, enum op_role role, int64_t m, int64_t n, int reads);
/* A norm with its weight and bias. */
struct op op_norm(const struct tensor *tensor, enum op_role role, int64_t m);
/* `op` also reads these weights. NULL: there are none. */
void op_reads(struct op *op, const struct tensor *tensor);

enum { MAX_BLOCK_OPS = 36 };

struct weight_group {
    int64_t bytes;        /* that an execution reads */
    int64_t unread_bytes; /* of experts: of those that it does not pick */
    bool is_shareable;    /* with share_ffn: block 0's for all */
};

/* The operators of one execution of a block. */
struct block_ops {
    int n_ops, n_groups;
    struct op ops[MAX_BLOCK_OPS]; /* op.group: an index into groups */
    struct weight_group groups[MAX_BLOCK_GROUPS];
    int64_t kv_read_bytes; /* of all operators */
    int64_t n_blocks;      /* distinct blocks of this class */
    int64_t reruns;        /* as struct block */
};

/* No operators yet; ops[] is left as it is. */
void block_ops_clear(struct block_ops *block);
/* Appends, and counts the weights to their group and the cache that is read. */
void ops_push(struct block_ops *block, struct op op);
int64_t block_weight_bytes(const struct block_ops *block);

#endif
