#include "model/stack.h"

#include <assert.h>
#include <inttypes.h>

#include "base/memory.h"

bool block_equal(const struct block *a, const struct block *b)
{
    return a->mixer == b->mixer && a->n_heads == b->n_heads && a->n_kv_heads == b->n_kv_heads &&
           a->d_head == b->d_head && a->window == b->window && a->is_unturned == b->is_unturned &&
           a->d_ff == b->d_ff && a->reruns == b->reruns && a->n_experts == b->n_experts &&
           a->n_experts_used == b->n_experts_used && a->d_shared == b->d_shared;
}

/* Block i of the n that a stack is made of: one of `blocks`, by its id where there are ids. */
static const struct block *block_at(const struct block *blocks, const int *ids, int64_t i)
{
    return &blocks[ids ? ids[i] : i];
}

static enum status no_memory(int64_t n, struct err *err)
{
    return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", n);
}

/* The class of each block, in order of first appearance, and where each class appears first.
 * Returns the number of classes. */
static int sort_out(const struct block *blocks, const int *ids, int64_t n, int *class_of_block,
                    int64_t *first_of_class)
{
    int n_classes = 0;
    for (int64_t i = 0; i < n; i++) {
        const struct block *block = block_at(blocks, ids, i);
        int class = 0;
        while (class < n_classes &&
               !block_equal(block_at(blocks, ids, first_of_class[class]), block))
            class ++;
        if (class == n_classes)
            first_of_class[n_classes++] = i;
        class_of_block[i] = class;
    }
    return n_classes;
}

static enum status set(struct stack *stack, const struct block *blocks, const int *ids, int64_t n,
                       struct err *err)
{
    assert(n >= 1);
    int *class_of_block = memory_new((size_t)n, sizeof *class_of_block);
    int64_t *first_of_class = memory_new((size_t)n, sizeof *first_of_class);
    struct stack made = {.first = *block_at(blocks, ids, 0)};
    enum status status = STATUS_OK;
    if (!class_of_block || !first_of_class) {
        status = no_memory(n, err);
        goto done;
    }
    int n_classes = sort_out(blocks, ids, n, class_of_block, first_of_class);
    if (n_classes > 1) {
        made.n_others = n_classes - 1;
        made.others = memory_new((size_t)made.n_others, sizeof *made.others);
        if (!made.others) {
            status = no_memory(n, err);
            goto done;
        }
        for (int c = 1; c < n_classes; c++)
            made.others[c - 1] = *block_at(blocks, ids, first_of_class[c]);
        made.class_of_block = class_of_block;
        class_of_block = NULL;
    }
    stack_release(stack);
    *stack = made;
done:
    memory_free(class_of_block);
    memory_free(first_of_class);
    return status;
}

enum status stack_set(struct stack *stack, const struct block *blocks, int64_t n, struct err *err)
{
    return set(stack, blocks, NULL, n, err);
}

enum status stack_set_classes(struct stack *stack, const struct block *classes, const int *ids,
                              int64_t n, struct err *err)
{
    return set(stack, classes, ids, n, err);
}

enum status stack_copy(const struct stack *from, int64_t n_layers, struct stack *to,
                       struct err *err)
{
    if (stack_is_uniform(from) && from->n_others == 0) {
        *to = *from;
        return STATUS_OK;
    }
    struct block *others = memory_new((size_t)from->n_others, sizeof *others);
    int *class_of_block = memory_new((size_t)n_layers, sizeof *class_of_block);
    if (!others || !class_of_block) {
        memory_free(others);
        memory_free(class_of_block);
        return no_memory(n_layers, err);
    }
    memory_copy(others, from->others, (size_t)from->n_others, sizeof *others);
    for (int64_t i = 0; i < n_layers; i++)
        class_of_block[i] = stack_class_of(from, i);
    *to = (struct stack){from->first, from->n_others, others, class_of_block};
    return STATUS_OK;
}

void stack_release(struct stack *stack)
{
    memory_free(stack->others);
    memory_free((void *)stack->class_of_block);
    *stack = (struct stack){.first = stack->first};
}

int64_t stack_run(const struct stack *stack, int64_t n_layers, int64_t i)
{
    int64_t end = i + 1;
    if (stack_is_uniform(stack))
        return n_layers - i;
    while (end < n_layers && stack_class_of(stack, end) == stack_class_of(stack, i))
        end++;
    return end - i;
}

static uint64_t add_to_hash(uint64_t hash, int64_t value)
{
    for (int shift = 0; shift < 64; shift += 8)
        hash = (hash ^ ((uint64_t)value >> shift & 0xff)) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t stack_hash(const struct stack *stack, int64_t n_layers)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < n_layers; i++) {
        const struct block *block = stack_block(stack, i);
        const int64_t fields[] = {block->mixer,  block->n_heads, block->n_kv_heads,
                                  block->d_head, block->window,  block->d_ff};
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
            hash = add_to_hash(hash, fields[f]);
        if (block->is_unturned)
            hash = add_to_hash(hash, 1);
        if (block->reruns > 0)
            hash = add_to_hash(hash, -block->reruns); /* no field is negative */
        if (block->n_experts > 0) {
            hash = add_to_hash(hash, block->n_experts);
            hash = add_to_hash(hash, block->n_experts_used);
            hash = add_to_hash(hash, block->d_shared);
        }
    }
    return hash;
}
