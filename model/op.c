#include "model/op.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* FLOPs an element are nominal: of a per-element pass the order of magnitude is all that matters,
 * its time is its bytes. */
/* clang-format off */
static const struct {
    const char *name;
    int flop; /* an element */
} kinds[N_OP_KINDS] = {
    [OP_MATMUL]     = {"matmul",     0}, /* 2 m n k */
    [OP_ATTENTION]  = {"attention",  0}, /* by the positions that are seen */
    [OP_NORM]       = {"norm",       4},
    [OP_ROPE]       = {"rope",       3},
    [OP_ACTIVATION] = {"activation", 4},
    [OP_ADD]        = {"add",        1},
    [OP_EMBED]      = {"embed",      0},
    [OP_TIME_MIX]   = {"time_mix",   20},
    [OP_KV_STORE]   = {"kv_store",   0},
    [OP_SAMPLE]     = {"sample",     1},
};
/* clang-format on */

#define ROLE_ROW(role, name, section) [role] = {name, section},
static const struct {
    const char *name;
    enum op_section section;
} roles[N_OP_ROLES] = {OP_ROLES(ROLE_ROW)};

const char *op_kind_name(enum op_kind kind)
{
    assert(kind < N_OP_KINDS);
    return kinds[kind].name;
}

const char *op_role_name(enum op_role role)
{
    assert(role < N_OP_ROLES);
    return roles[role].name;
}

enum op_section op_role_section(enum op_role role)
{
    assert(role < N_OP_ROLES);
    return roles[role].section;
}

struct op op_matmul(const struct tensor *tensor, enum op_role role, int64_t m)
{
    int64_t n = tensor->rows, k = tensor->columns;
    return (struct op){
        .kind = OP_MATMUL,
        .role = role,
        .group = tensor->group,
        .part = tensor->part,
        .dtype = tensor->dtype,
        .m = m,
        .n = n,
        .k = k,
        .weight_bytes = dtype_matrix_bytes(tensor->dtype, n, k) + tensor_bias_bytes(tensor),
        .activation_bytes = m * (n + k) * ACTIVATION_BYTES,
        .flop = 2 * m * n * k,
    };
}

double experts_met(int64_t n, int64_t k, int64_t m)
{
    double left = 1 - (double)k / (double)n;
    return (double)n * (1 - pow(left, (double)m));
}

struct op op_experts(const struct tensor *tensor, enum op_role role, int64_t m, int64_t k)
{
    int64_t rows = tensor->rows, columns = tensor->columns, products = m * k;
    double met = experts_met(tensor->copies, k, m);
    struct op op = op_matmul(tensor, role, 1);
    op.m = (int64_t)ceil((double)products / met);
    op.n = llround(met) * rows;
    op.weight_bytes = llround(met * (double)tensor_copy_bytes(tensor));
    op.unread_bytes = tensor_bytes(tensor) - op.weight_bytes;
    op.activation_bytes = products * (rows + columns) * ACTIVATION_BYTES;
    op.flop = 2 * products * rows * columns;
    return op;
}

struct op op_elementwise(enum op_kind kind, enum op_role role, int64_t m, int64_t n, int reads)
{
    return (struct op){
        .kind = kind,
        .role = role,
        .group = GROUP_NONE,
        .dtype = DTYPE_F32,
        .m = m,
        .n = n,
        .k = 1,
        .activation_bytes = m * n * (reads + 1) * ACTIVATION_BYTES,
        .flop = m * n * kinds[kind].flop,
    };
}

void op_reads(struct op *op, const struct tensor *tensor)
{
    if (!tensor)
        return;
    int64_t bytes = tensor_bytes(tensor);
    op->dtype = tensor->dtype;
    op->weight_bytes += bytes;
    op->part = tensor->part;
    if (bytes > 0)
        op->group = tensor->group;
}

struct op op_norm(const struct tensor *tensor, enum op_role role, int64_t m)
{
    struct op op = op_elementwise(OP_NORM, role, m, tensor->columns, 1);
    op_reads(&op, tensor);
    return op;
}

void block_ops_clear(struct block_ops *block)
{
    block->n_ops = block->n_groups = 0;
    block->kv_read_bytes = block->n_blocks = 0;
    memset(block->groups, 0, sizeof block->groups);
}

void ops_push(struct block_ops *block, struct op op)
{
    assert(block->n_ops < MAX_BLOCK_OPS);
    block->ops[block->n_ops++] = op;
    block->kv_read_bytes += op.kv_read_bytes;
    if (op.group == GROUP_NONE)
        return;
    assert(op.group >= 0 && op.group < MAX_BLOCK_GROUPS);
    struct weight_group *group = &block->groups[op.group];
    group->bytes += op.weight_bytes;
    group->unread_bytes += op.unread_bytes;
    group->is_shareable = group_is_shareable(op.group);
    if (block->n_groups <= op.group)
        block->n_groups = op.group + 1;
}

int64_t block_weight_bytes(const struct block_ops *block)
{
    int64_t sum = 0;
    for (int g = 0; g < block->n_groups; g++)
        sum += block->groups[g].bytes;
    return sum;
}
