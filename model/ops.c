#include "model/ops.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"

static const char *const kind_names[N_OP_KINDS] = {
    [OP_MATMUL] = "matmul", [OP_ATTENTION] = "attention",   [OP_NORM] = "norm",
    [OP_ROPE] = "rope",     [OP_ACTIVATION] = "activation", [OP_ADD] = "add",
    [OP_EMBED] = "embed",   [OP_TIME_MIX] = "time_mix",     [OP_KV_STORE] = "kv_store",
    [OP_SAMPLE] = "sample",
};

static const char *const role_names[N_OP_ROLES] = {
    [ROLE_EMBED] = "embed",
    [ROLE_EMBED_PROJECT] = "embed_project",
    [ROLE_EMBED_NORM] = "embed_norm",
    [ROLE_ATTENTION_NORM] = "attention_norm",
    [ROLE_Q] = "q",
    [ROLE_K] = "k",
    [ROLE_V] = "v",
    [ROLE_QK_NORM] = "qk_norm",
    [ROLE_ROPE] = "rope",
    [ROLE_KV_STORE] = "kv_store",
    [ROLE_ATTENTION] = "attention",
    [ROLE_O] = "o",
    [ROLE_ATTENTION_POST_NORM] = "attention_post_norm",
    [ROLE_ATTENTION_ADD] = "attention_add",
    [ROLE_TIME_SHIFT] = "time_shift",
    [ROLE_R] = "r",
    [ROLE_TIME_MIX] = "time_mix",
    [ROLE_FFN_NORM] = "ffn_norm",
    [ROLE_GATE] = "gate",
    [ROLE_UP] = "up",
    [ROLE_ACTIVATION] = "activation",
    [ROLE_DOWN] = "down",
    [ROLE_FFN_POST_NORM] = "ffn_post_norm",
    [ROLE_FFN_ADD] = "ffn_add",
    [ROLE_FINAL_NORM] = "final_norm",
    [ROLE_HEAD_PROJECT] = "head_project",
    [ROLE_HEAD] = "head",
    [ROLE_SAMPLE] = "sample",
};

const char *op_kind_name(enum op_kind kind)
{
    assert(kind < N_OP_KINDS);
    return kind_names[kind];
}

const char *op_role_name(enum op_role role)
{
    assert(role < N_OP_ROLES);
    return role_names[role];
}

enum { F32_BYTES = 4 };

/* Nominal FLOPs an element of the per-element passes: the order of magnitude is all that matters,
 * their time is their bytes. */
enum { NORM_FLOP = 4, ROPE_FLOP = 3, ACTIVATION_FLOP = 4, TIME_MIX_FLOP = 20 };

static struct op matmul(enum op_role role, enum weight_group group, enum dtype dtype, int64_t m,
                        int64_t n, int64_t k, bool bias)
{
    return (struct op){
        .kind = OP_MATMUL,
        .role = role,
        .group = group,
        .dtype = dtype,
        .m = m,
        .n = n,
        .k = k,
        .weight_bytes = n * dtype_row_bytes(dtype, k) + (bias ? dtype_vector_bytes(dtype, n) : 0),
        .activation_bytes = m * (n + k) * F32_BYTES,
        .flop = 2 * m * n * k,
    };
}

/* A pass over m tokens of n elements that reads `reads` such arrays and writes one. */
static struct op elementwise(enum op_kind kind, enum op_role role, int64_t m, int64_t n, int reads,
                             int flop)
{
    return (struct op){
        .kind = kind,
        .role = role,
        .group = GROUP_NONE,
        .dtype = DTYPE_F32,
        .m = m,
        .n = n,
        .k = 1,
        .activation_bytes = m * n * (reads + 1) * F32_BYTES,
        .flop = m * n * flop,
    };
}

static struct op norm(const struct transformer *net, enum op_role role, enum weight_group group,
                      int64_t m)
{
    struct op op = elementwise(OP_NORM, role, m, net->d_model, 1, NORM_FLOP);
    int64_t vectors = (net->norm_weight ? 1 : 0) + (net->norm_bias ? 1 : 0);
    op.group = vectors ? group : GROUP_NONE;
    op.dtype = net->block_dtype;
    op.weight_bytes = dtype_vector_bytes(net->block_dtype, vectors * net->d_model);
    return op;
}

static void push(struct block_ops *block, struct op op)
{
    assert(block->n_ops < MAX_BLOCK_OPS);
    block->ops[block->n_ops++] = op;
    if (op.group == GROUP_ATTENTION)
        block->attention_bytes += op.weight_bytes;
    else if (op.group == GROUP_FFN)
        block->ffn_bytes += op.weight_bytes;
}

/* Sum over the pass's tokens of the positions each one attends to, itself included. */
static int64_t attended(const struct operator_list *list, int64_t window)
{
    if (list->phase == PHASE_DECODE) {
        int64_t span = list->context + 1;
        return window > 0 && window < span ? window : span;
    }
    int64_t n = list->n_tokens, w = window > 0 && window < n ? window : n;
    return w * (w + 1) / 2 + (n - w) * w;
}

/* Rows of the cache read: decode reads the past, its own row is still at hand; a tiled prefill
 * reads each row once. */
static int64_t kv_rows_read(const struct operator_list *list, int64_t window)
{
    if (list->phase == PHASE_DECODE)
        return attended(list, window) - 1;
    return list->n_tokens;
}

static void push_attention(const struct transformer *net, const struct block *shape,
                           const struct operator_list *list, struct block_ops *out)
{
    int64_t m = list->n_tokens, d = net->d_model;
    int64_t width = shape->n_heads * shape->d_head, kv = shape->n_kv_heads * shape->d_head;
    enum dtype type = net->block_dtype;
    bool bias = net->biases & BIAS_QKV;
    push(out, matmul(ROLE_Q, GROUP_ATTENTION, type, m, width, d, bias));
    push(out, matmul(ROLE_K, GROUP_ATTENTION, type, m, kv, d, bias));
    push(out, matmul(ROLE_V, GROUP_ATTENTION, type, m, kv, d, bias));
    if (net->qk_norm != QK_NORM_NONE) {
        struct op op = elementwise(OP_NORM, ROLE_QK_NORM, m, width + kv, 1, NORM_FLOP);
        if (net->qk_norm == QK_NORM_WEIGHTED) {
            op.group = GROUP_ATTENTION;
            op.dtype = type;
            op.weight_bytes = dtype_vector_bytes(type, 2 * shape->d_head);
        }
        push(out, op);
    }
    if (net->position == POSITION_ROPE)
        push(out, elementwise(OP_ROPE, ROLE_ROPE, m, width + kv, 1, ROPE_FLOP));

    int64_t row = 2 * dtype_row_bytes(net->kv_dtype, kv);
    struct op store = elementwise(OP_KV_STORE, ROLE_KV_STORE, m, 2 * kv, 0, 0);
    store.dtype = net->kv_dtype;
    store.kv_write_bytes = m * row;
    push(out, store);

    push(out, (struct op){
                  .kind = OP_ATTENTION,
                  .role = ROLE_ATTENTION,
                  .group = GROUP_NONE,
                  .dtype = net->kv_dtype,
                  .m = m,
                  .n = shape->n_heads,
                  .k = shape->d_head,
                  .n_kv = shape->n_kv_heads,
                  .activation_bytes = 2 * m * width * F32_BYTES,
                  .kv_read_bytes = kv_rows_read(list, shape->window) * row,
                  .flop = 4 * width * attended(list, shape->window),
              });
    push(out, matmul(ROLE_O, GROUP_ATTENTION, type, m, d, width, net->biases & BIAS_O));
}

static void push_time_mixing(const struct transformer *net, int64_t m, struct block_ops *out)
{
    int64_t d = net->d_model;
    enum dtype type = net->block_dtype;
    struct op shift = elementwise(OP_ACTIVATION, ROLE_TIME_SHIFT, m, 3 * d, 1, ACTIVATION_FLOP);
    shift.group = GROUP_ATTENTION;
    shift.dtype = type;
    shift.weight_bytes = dtype_vector_bytes(type, 3 * d);
    push(out, shift);
    push(out, matmul(ROLE_R, GROUP_ATTENTION, type, m, d, d, false));
    push(out, matmul(ROLE_K, GROUP_ATTENTION, type, m, d, d, false));
    push(out, matmul(ROLE_V, GROUP_ATTENTION, type, m, d, d, false));
    struct op mix = elementwise(OP_TIME_MIX, ROLE_TIME_MIX, m, d, 3, TIME_MIX_FLOP);
    mix.group = GROUP_ATTENTION;
    mix.dtype = type;
    mix.weight_bytes = dtype_vector_bytes(type, 2 * d);
    mix.kv_read_bytes = 5 * d * F32_BYTES; /* the state, once a pass */
    mix.kv_write_bytes = 5 * d * F32_BYTES;
    push(out, mix);
    push(out, matmul(ROLE_O, GROUP_ATTENTION, type, m, d, d, false));
}

static void push_ffn(const struct transformer *net, const struct block *shape, int64_t m,
                     struct block_ops *out)
{
    int64_t d = net->d_model, f = shape->d_ff;
    enum dtype type = net->block_dtype;
    bool bias = net->biases & BIAS_FFN;
    bool gated = net->ffn == FFN_SWIGLU || net->ffn == FFN_GEGLU;
    if (net->ffn == FFN_RWKV_CHANNEL) {
        struct op shift = elementwise(OP_ACTIVATION, ROLE_TIME_SHIFT, m, 2 * d, 1, ACTIVATION_FLOP);
        shift.group = GROUP_FFN;
        shift.dtype = type;
        shift.weight_bytes = dtype_vector_bytes(type, 2 * d);
        push(out, shift);
        push(out, matmul(ROLE_GATE, GROUP_FFN, type, m, d, d, false)); /* receptance */
    } else if (gated) {
        push(out, matmul(ROLE_GATE, GROUP_FFN, type, m, f, d, bias));
    }
    push(out, matmul(ROLE_UP, GROUP_FFN, type, m, f, d, bias));
    push(out, elementwise(OP_ACTIVATION, ROLE_ACTIVATION, m, f, gated ? 2 : 1, ACTIVATION_FLOP));
    push(out, matmul(ROLE_DOWN, GROUP_FFN, type, m, d, f, bias));
}

static void list_block(const struct transformer *net, const struct block *shape,
                       const struct operator_list *list, struct block_ops *out)
{
    int64_t m = list->n_tokens;
    bool before = net->norm_placement != NORM_POST, after = net->norm_placement != NORM_PRE;
    memset(out, 0, sizeof *out);
    if (shape->mixer != MIXER_NONE) {
        if (before)
            push(out, norm(net, ROLE_ATTENTION_NORM, GROUP_ATTENTION, m));
        if (shape->mixer == MIXER_ATTENTION)
            push_attention(net, shape, list, out);
        else
            push_time_mixing(net, m, out);
        if (after)
            push(out, norm(net, ROLE_ATTENTION_POST_NORM, GROUP_ATTENTION, m));
        push(out, elementwise(OP_ADD, ROLE_ATTENTION_ADD, m, net->d_model, 2, 1));
    }
    if (before && !(net->parallel_shared_norm && shape->mixer != MIXER_NONE))
        push(out, norm(net, ROLE_FFN_NORM, GROUP_ATTENTION, m));
    push_ffn(net, shape, m, out);
    if (after)
        push(out, norm(net, ROLE_FFN_POST_NORM, GROUP_ATTENTION, m));
    push(out, elementwise(OP_ADD, ROLE_FFN_ADD, m, net->d_model, 2, 1));
}

static void list_edges(const struct transformer *net, struct operator_list *list)
{
    int64_t m = list->n_tokens, d = net->d_model, e = net->d_embed;
    struct op embed = elementwise(OP_EMBED, ROLE_EMBED, m, e, 0, 0);
    embed.group = GROUP_EMBEDDING;
    embed.dtype = net->embedding_dtype;
    embed.weight_bytes = m * dtype_row_bytes(net->embedding_dtype, e);
    if (net->position_rows > 0)
        embed.weight_bytes += m * dtype_row_bytes(net->embedding_dtype, d);
    list->prologue[list->n_prologue++] = embed;
    if (e != d)
        list->prologue[list->n_prologue++] =
            matmul(ROLE_EMBED_PROJECT, GROUP_FINAL, net->block_dtype, m, d, e, false);
    if (net->embed_norm)
        list->prologue[list->n_prologue++] = norm(net, ROLE_EMBED_NORM, GROUP_FINAL, m);

    if (net->final_norm)
        list->epilogue[list->n_epilogue++] = norm(net, ROLE_FINAL_NORM, GROUP_FINAL, 1);
    if (e != d)
        list->epilogue[list->n_epilogue++] =
            matmul(ROLE_HEAD_PROJECT, GROUP_FINAL, net->block_dtype, 1, e, d, false);
    list->epilogue[list->n_epilogue++] = matmul(ROLE_HEAD, GROUP_HEAD, net->head_dtype, 1,
                                                net->vocab_size, e, net->biases & BIAS_HEAD);
    list->epilogue[list->n_epilogue++] =
        elementwise(OP_SAMPLE, ROLE_SAMPLE, 1, net->vocab_size, 0, 1);
}

static enum status list_classes(const struct transformer *net, struct operator_list *list,
                                struct err *err)
{
    const struct stack *stack = &net->stack;
    const int n = stack_n_classes(stack);
    list->classes = n == 1 ? &list->uniform : memory_new((size_t)n, sizeof *list->classes);
    if (!list->classes)
        return err_set(err, STATUS_NOMEM, "out of memory for the operators of %d block classes", n);
    list->n_classes = n;
    for (int c = 0; c < n; c++)
        list_block(net, stack_class(stack, c), list, &list->classes[c]);
    ops_set_stack(list, &net->schedule, stack->class_of_block);
    return STATUS_OK;
}

void ops_set_stack(struct operator_list *list, const struct schedule *schedule,
                   const int *class_of_block)
{
    list->schedule = *schedule;
    list->class_of_block = class_of_block;
    if (!class_of_block) {
        list->classes[0].n_blocks = schedule->n_layers;
        return;
    }
    for (int c = 0; c < list->n_classes; c++)
        list->classes[c].n_blocks = 0;
    for (int64_t i = 0; i < schedule->n_layers; i++)
        list->classes[class_of_block[i]].n_blocks++;
}

static enum status list_all(const struct transformer *net, struct operator_list *list,
                            struct err *err)
{
    list_edges(net, list);
    return list_classes(net, list, err);
}

/* The header fields only: the arrays are filled up to their counts, and a search builds millions.
 */
static void start(struct operator_list *list, enum phase phase, int64_t n_tokens, int64_t context)
{
    list->phase = phase;
    list->n_tokens = n_tokens;
    list->context = context;
    list->n_prologue = list->n_epilogue = list->n_classes = 0;
    list->classes = NULL;
    list->class_of_block = NULL;
}

enum status ops_decode(const struct transformer *net, int64_t context, struct operator_list *out,
                       struct err *err)
{
    assert(context >= 0);
    start(out, PHASE_DECODE, 1, context);
    return list_all(net, out, err);
}

enum status ops_prefill(const struct transformer *net, int64_t prompt, struct operator_list *out,
                        struct err *err)
{
    assert(prompt >= 1);
    start(out, PHASE_PREFILL, prompt, 0);
    return list_all(net, out, err);
}

void ops_release(struct operator_list *list)
{
    if (list->classes != &list->uniform)
        memory_free(list->classes);
    list->classes = NULL;
    list->class_of_block = NULL;
    list->n_classes = 0;
}

const struct block_ops *ops_class(const struct operator_list *list, int64_t i)
{
    if (!list->class_of_block)
        return &list->classes[0];
    return &list->classes[list->class_of_block[schedule_block(&list->schedule, i)]];
}

static void add_ops(struct op_totals *out, const struct op *ops, int n, int64_t times)
{
    for (int i = 0; i < n; i++) {
        out->n_ops += times;
        out->flop += ops[i].flop * times;
        out->weight_read_bytes += ops[i].weight_bytes * times;
        out->activation_bytes += ops[i].activation_bytes * times;
        out->kv_read_bytes += ops[i].kv_read_bytes * times;
        out->kv_write_bytes += ops[i].kv_write_bytes * times;
    }
}

void ops_totals(const struct operator_list *list, struct op_totals *out)
{
    *out = (struct op_totals){0};
    add_ops(out, list->prologue, list->n_prologue, 1);
    add_ops(out, list->epilogue, list->n_epilogue, 1);
    out->distinct_weight_bytes = out->weight_read_bytes;
    for (int c = 0; c < list->n_classes; c++) {
        const struct block_ops *class = &list->classes[c];
        add_ops(out, class->ops, class->n_ops, class->n_blocks * list->schedule.repeats);
        out->distinct_weight_bytes += class->attention_bytes * class->n_blocks;
        if (!list->schedule.share_ffn)
            out->distinct_weight_bytes += class->ffn_bytes * class->n_blocks;
    }
    if (list->schedule.share_ffn)
        out->distinct_weight_bytes +=
            list->classes[list->class_of_block ? list->class_of_block[0] : 0].ffn_bytes;
}
