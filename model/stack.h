/* A stack of blocks: a list of block classes and a sequence over them.
 *
 * A class is a shape; blocks of one class do the same work on every token and differ only in their
 * weights. The sequence says for each distinct block (0 .. n_layers - 1, in the order in which they
 * first run) which class it has. A uniform stack is the case with one class: it needs no sequence
 * and no memory of its own, and can be copied and dropped like a number. The schedule
 * (model/schedule.h) says how often and in which order the blocks run. */
#ifndef LATHE_MODEL_STACK_H
#define LATHE_MODEL_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/mixer.h"

enum { MAX_RERUNS = 63, MOST_EXPERTS = 1 << 16 };

/* The shape of a block. */
struct block {
    enum mixer mixer;
    int64_t n_heads;    /* query heads; 0 unless mixer is attention */
    int64_t n_kv_heads; /* divides n_heads; 0 unless mixer is attention */
    int64_t d_head;     /* even with rotary positions; 0 unless mixer is attention */
    int64_t window;     /* attention sees the last `window` tokens; 0 = all */
    bool is_unturned;   /* no rotary positions here although the network has them (SmolLM3) */
    int64_t d_ff;       /* width of the FFN; with experts, of each of them */
    int64_t
        n_experts; /* FFNs of which a router picks some for each token; 0: there is one, used by all */
    int64_t n_experts_used; /* picked for a token: 1 .. n_experts; 0 without experts */
    int64_t d_shared;       /* width of an FFN beside the experts that every token uses; 0: none */
    int64_t reruns;         /* times it runs again at once, where sharing is by-block; else 0 */
};

/* The same work on every token: all fields agree. */
bool block_equal(const struct block *a, const struct block *b);

/* All zero but `first`: a uniform stack. */
struct stack {
    struct block first;        /* class 0: block 0's; every block's in a uniform stack */
    int n_others;              /* classes beside it */
    struct block *others;      /* [n_others], class 1 + i; owned */
    const int *class_of_block; /* [n_layers]; owned; NULL: all blocks are of class 0 */
};

/* The stack of these blocks, n >= 1: classes numbered by first appearance, uniform when all are
 * equal. What the stack held before is released. Errors: STATUS_NOMEM, nothing changed. */
enum status stack_set(struct stack *stack, const struct block *blocks, int64_t n, struct err *err);
/* The stack of `n` blocks whose classes are ids into `classes`, as a search keeps them. */
enum status stack_set_classes(struct stack *stack, const struct block *classes, const int *ids,
                              int64_t n, struct err *err);
/* `to` is written, not released. Errors: STATUS_NOMEM, `to` is not written. */
enum status stack_copy(const struct stack *from, int64_t n_layers, struct stack *to,
                       struct err *err);
/* Leaves the uniform stack of `first`. */
void stack_release(struct stack *stack);

static inline bool stack_is_uniform(const struct stack *stack)
{
    return stack->class_of_block == NULL;
}

static inline int stack_n_classes(const struct stack *stack)
{
    return 1 + stack->n_others;
}

/* class: 0 .. stack_n_classes - 1 */
static inline const struct block *stack_class(const struct stack *stack, int class)
{
    return class == 0 ? &stack->first : &stack->others[class - 1];
}

/* i: 0 .. n_layers - 1 */
static inline int stack_class_of(const struct stack *stack, int64_t i)
{
    return stack->class_of_block ? stack->class_of_block[i] : 0;
}

static inline const struct block *stack_block(const struct stack *stack, int64_t i)
{
    return stack_class(stack, stack_class_of(stack, i));
}

/* Of block i and those after it, how many are of its class without a break: to walk a stack as
 * runs. */
int64_t stack_run(const struct stack *stack, int64_t n_layers, int64_t i);

/* A number that stacks of the same blocks share and others do not (FNV-1a, 64 bits): for names. */
uint64_t stack_hash(const struct stack *stack, int64_t n_layers);

#endif
