/* The operator list: what a network does for a pass, operator by operator. Everything downstream
 * (closed form, simulator, the kinds of operator in measured times) reads this list and nothing
 * else; the runtime goes its own way through the same network.
 *
 * A pass is: prologue (token lookup), the schedule's executions of blocks, epilogue (final norm,
 * head, sampling). The operators of a block are stored once per block *class* (blocks of equal
 * shape), since every execution of the class does the same work and differs only in the weights it
 * reads; execution i runs block ops_block(i), whose class is ops_class(i).
 *
 * Identity of weights: a block owns one or more groups of them, each its own unless the schedule
 * makes it one for all blocks; the token table and the head have identities of their own. Reuse
 * follows from identity.
 *
 * Phases: decode is one token after `context` tokens; prefill is `prompt` tokens from an empty
 * cache with the head on the last one only. */
#ifndef LATHE_MODEL_OPS_H
#define LATHE_MODEL_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/op.h"
#include "model/transformer.h"

enum { MAX_EDGE_OPS = 6 };

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
    const int *class_of_block; /* [n_layers], the network's or the next; NULL: one class */
    int *typed_classes;        /* [n_layers], owned; NULL unless the network has layer_types */
    struct block_ops uniform;
};

/* `net` passed transformer_check; 0 <= context; 1 <= prompt. A uniform network of one type needs no
 * allocation and cannot fail. The struct must not be copied while classes points inside it, and borrows the
 * sequence of `net`. */
enum status ops_decode(const struct transformer *net, int64_t context, struct operator_list *out,
                       struct err *err);
enum status ops_prefill(const struct transformer *net, int64_t prompt, struct operator_list *out,
                        struct err *err);
/* The operators of a block in two parts, of which a search keeps tables: its mixer, and its FFN.
 * tensors: the block's. pass: phase, n_tokens and context are read. Appended to `out`. */
void ops_block_mixer(const struct transformer *net, const struct block *block,
                     const struct tensor_list *tensors, const struct operator_list *pass,
                     struct block_ops *out);
void ops_block_ffn(const struct transformer *net, const struct block *block,
                   const struct tensor_list *tensors, const struct operator_list *pass,
                   struct block_ops *out);

void ops_release(struct operator_list *list);

/* The block of a uniform list in another stack. */
void ops_set_schedule(struct operator_list *list, const struct schedule *schedule);

/* As transformer_runs, _executions and _block_of of the network. */
int64_t ops_runs(const struct operator_list *list, const struct block_ops *class);
int64_t ops_executions(const struct operator_list *list);
int64_t ops_block(const struct operator_list *list, int64_t i);

/* The class of distinct block i, and of the block that execution i runs. */
const struct block_ops *ops_class_of_block(const struct operator_list *list, int64_t i);
const struct block_ops *ops_class(const struct operator_list *list, int64_t i);

/* Sums over the whole pass, every execution counted. */
struct op_totals {
    int64_t n_ops, flop, weight_read_bytes, distinct_weight_bytes, activation_bytes, kv_read_bytes,
        kv_write_bytes;
};
void ops_totals(const struct operator_list *list, struct op_totals *out);

#endif
