/* The operator list: what a network does for a pass, operator by operator. Everything downstream
 * (closed form, simulator, the kinds of operator in measured times) reads this list and nothing
 * else; the runtime goes its own way through the same network.
 *
 * A pass is: prologue (token lookup), the schedule's executions of blocks, epilogue (final norm,
 * head, sampling). The operators of a block are stored once per block *class* (blocks of equal
 * shape), since every execution of the class does the same work and differs only in the weights it
 * reads; execution i of the schedule runs block schedule_block(i), whose class is ops_class(i).
 *
 * Identity of weights: attention weights of block b have id 2b, its FFN weights 2b + 1 (2*0 + 1 for
 * all with share_ffn); the token table and the head have ids of their own. Reuse follows from
 * identity.
 *
 * Phases: decode is one token after `context` tokens; prefill is `prompt` tokens from an empty
 * cache with the head on the last one only. FLOPs count an FMA as 2 and leave out what is not a
 * multiply-add or a per-element pass; activations are f32. */
#ifndef LATHE_MODEL_OPS_H
#define LATHE_MODEL_OPS_H

#include <stdint.h>

#include "base/status.h"
#include "model/transformer.h"

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

/* Which matrix or vector: for reports, per-operator timings and the runtime. */
enum op_role {
    ROLE_EMBED,
    ROLE_EMBED_PROJECT,
    ROLE_EMBED_NORM,
    ROLE_ATTENTION_NORM,
    ROLE_Q,
    ROLE_K,
    ROLE_V,
    ROLE_QK_NORM,
    ROLE_ROPE,
    ROLE_KV_STORE,
    ROLE_ATTENTION,
    ROLE_O,
    ROLE_ATTENTION_POST_NORM,
    ROLE_ATTENTION_ADD,
    ROLE_TIME_SHIFT,
    ROLE_R,
    ROLE_TIME_MIX,
    ROLE_FFN_NORM,
    ROLE_GATE,
    ROLE_UP,
    ROLE_ACTIVATION,
    ROLE_DOWN,
    ROLE_FFN_POST_NORM,
    ROLE_FFN_ADD,
    ROLE_FINAL_NORM,
    ROLE_HEAD_PROJECT,
    ROLE_HEAD,
    ROLE_SAMPLE,
    N_OP_ROLES,
};
const char *op_role_name(enum op_role role);

/* Which group of weights an operator reads; with the block it gives the identity. */
enum weight_group {
    GROUP_NONE,
    GROUP_ATTENTION, /* a block's own: q k v o with biases, and all its norms */
    GROUP_FFN,       /* the FFN matrices with biases: what share_ffn shares */
    GROUP_EMBEDDING, /* the token table (and position table) */
    GROUP_HEAD,      /* == the token table when tied */
    GROUP_FINAL,     /* final norm, projections */
    N_WEIGHT_GROUPS,
};

struct op {
    enum op_kind kind;
    enum op_role role;
    enum weight_group group;
    enum dtype dtype;     /* of the weights, or of the cache for attention; f32 where neither */
    int64_t m, n, k;      /* matmul: tokens, d_out, d_in. attention: query tokens, n_heads, d_head.
                             others: tokens, elements a token, 1 */
    int64_t n_kv;         /* attention: key-value heads; others: 0 */
    int64_t weight_bytes; /* read once for all m tokens, as stored */
    int64_t activation_bytes; /* read + written */
    int64_t kv_read_bytes, kv_write_bytes;
    int64_t flop;
};

enum { MAX_BLOCK_OPS = 28, MAX_EDGE_OPS = 6 };

struct block_ops {
    int n_ops;
    struct op ops[MAX_BLOCK_OPS];
    int64_t attention_bytes, ffn_bytes; /* weight bytes by group */
    int64_t n_blocks;                   /* distinct blocks of this class */
};

enum phase {
    PHASE_PREFILL,
    PHASE_DECODE,
};

struct operator_list {
    enum phase phase;
    int64_t n_tokens; /* m of the blocks: 1 for decode, `prompt` for prefill */
    int64_t context;  /* tokens in the cache before the pass */
    struct schedule schedule;
    int n_prologue, n_epilogue;
    struct op prologue[MAX_EDGE_OPS], epilogue[MAX_EDGE_OPS];
    int n_classes;
    struct block_ops *classes; /* [n_classes]; points at `uniform` for a uniform stack */
    const int *class_of_block; /* [n_layers], the network's; NULL for a uniform stack */
    struct block_ops uniform;
};

/* `net` passed transformer_check; 0 <= context; 1 <= prompt. A uniform network needs no allocation
 * and cannot fail. The struct must not be copied while classes points inside it, and borrows the
 * sequence of `net`. */
enum status ops_decode(const struct transformer *net, int64_t context, struct operator_list *out,
                       struct err *err);
enum status ops_prefill(const struct transformer *net, int64_t prompt, struct operator_list *out,
                        struct err *err);
void ops_release(struct operator_list *list);

/* The same classes in another stack: `schedule` over schedule->n_layers blocks of these classes.
 * class_of_block is borrowed; NULL: all are of class 0. */
void ops_set_stack(struct operator_list *list, const struct schedule *schedule,
                   const int *class_of_block);

/* The class of the block that execution i runs. */
const struct block_ops *ops_class(const struct operator_list *list, int64_t i);

/* Sums over the whole pass, every execution counted. */
struct op_totals {
    int64_t n_ops, flop, weight_read_bytes, distinct_weight_bytes, activation_bytes, kv_read_bytes,
        kv_write_bytes;
};
void ops_totals(const struct operator_list *list, struct op_totals *out);

#endif
