#include "model/ops.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

#include "base/memory.h"
#include "model/tensors.h"

static void push_norm(const struct tensor_list *tensors, enum tensor_role tensor, enum op_role role,
                      int64_t m, struct block_ops *out)
{
    const struct tensor *norm = tensor_find(tensors, tensor);
    if (norm)
        ops_push(out, op_norm(norm, role, m));
}

void ops_block_mixer(const struct transformer *net, const struct block *block,
                     const struct tensor_list *tensors, const struct operator_list *pass,
                     struct block_ops *out)
{
    int64_t m = pass->n_tokens;
    if (block->mixer == MIXER_NONE)
        return;
    push_norm(tensors, TENSOR_ATTENTION_NORM, ROLE_ATTENTION_NORM, m, out);
    mixer_traits(block->mixer)->ops(net, block, tensors, pass, out);
    push_norm(tensors, TENSOR_ATTENTION_POST_NORM, ROLE_ATTENTION_POST_NORM, m, out);
    ops_push(out, op_elementwise(OP_ADD, ROLE_ATTENTION_ADD, m, net->d_model, 2));
}

void ops_block_ffn(const struct transformer *net, const struct block *block,
                   const struct tensor_list *tensors, const struct operator_list *pass,
                   struct block_ops *out)
{
    int64_t m = pass->n_tokens;
    push_norm(tensors, TENSOR_FFN_NORM, ROLE_FFN_NORM, m, out);
    ffn_ops(net, block, tensors, pass, out);
    push_norm(tensors, TENSOR_FFN_POST_NORM, ROLE_FFN_POST_NORM, m, out);
    ops_push(out, op_elementwise(OP_ADD, ROLE_FFN_ADD, m, net->d_model, 2));
}

static void list_block(const struct transformer *net, const struct block *block,
                       const struct tensor_list *tensors, const struct operator_list *list,
                       struct block_ops *out)
{
    block_ops_clear(out);
    out->reruns = block->reruns;
    ops_block_mixer(net, block, tensors, list, out);
    ops_block_ffn(net, block, tensors, list, out);
}

/* Rows of the token table, and of the positions if there are any. */
static struct op embed(const struct tensor_list *tensors, int64_t m)
{
    const struct tensor *table = tensor_find(tensors, TENSOR_EMBEDDING);
    const struct tensor *positions = tensor_find(tensors, TENSOR_POSITION);
    struct op op = op_elementwise(OP_EMBED, ROLE_EMBED, m, table->columns, 0);
    op.group = table->group;
    op.part = table->part;
    op.dtype = table->dtype;
    op.weight_bytes = m * dtype_row_bytes(table->dtype, table->columns);
    if (positions)
        op.weight_bytes += m * dtype_row_bytes(positions->dtype, positions->columns);
    return op;
}

static void list_edges(const struct transformer *net, struct operator_list *list)
{
    int64_t m = list->n_tokens;
    struct tensor_list before, after;
    const struct tensor *tensor;
    tensors_before(net, &before);
    tensors_after(net, &after);
    list->prologue[list->n_prologue++] = embed(&before, m);
    if ((tensor = tensor_find(&before, TENSOR_EMBED_PROJECT)))
        list->prologue[list->n_prologue++] = op_matmul(tensor, ROLE_EMBED_PROJECT, m);
    if ((tensor = tensor_find(&before, TENSOR_EMBED_NORM)))
        list->prologue[list->n_prologue++] = op_norm(tensor, ROLE_EMBED_NORM, m);

    if ((tensor = tensor_find(&after, TENSOR_FINAL_NORM)))
        list->epilogue[list->n_epilogue++] = op_norm(tensor, ROLE_FINAL_NORM, 1);
    if ((tensor = tensor_find(&after, TENSOR_HEAD_PROJECT)))
        list->epilogue[list->n_epilogue++] = op_matmul(tensor, ROLE_HEAD_PROJECT, 1);
    list->epilogue[list->n_epilogue++] = op_matmul(tensor_find(&after, TENSOR_HEAD), ROLE_HEAD, 1);
    list->epilogue[list->n_epilogue++] =
        op_elementwise(OP_SAMPLE, ROLE_SAMPLE, 1, net->vocab_size, 0);
}

/* class_of_block: NULL where there is one class. */
static void count_blocks(const struct transformer *net, const int *class_of_block,
                         struct operator_list *list)
{
    ops_set_schedule(list, &net->schedule);
    list->class_of_block = class_of_block;
    if (!class_of_block)
        return;
    for (int c = 0; c < list->n_classes; c++)
        list->classes[c].n_blocks = 0;
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        list->classes[class_of_block[i]].n_blocks++;
}

static enum status allocate_classes(struct operator_list *list, int n, struct err *err)
{
    list->classes = n == 1 ? &list->uniform : memory_new((size_t)n, sizeof *list->classes);
    if (!list->classes)
        return err_set(err, STATUS_NOMEM, "out of memory for the operators of %d block classes", n);
    list->n_classes = n;
    return STATUS_OK;
}

/* Layers of one shape and the same types are of one class, numbered by first appearance, where
 * first_of_class says. Returns how many there are. */
static int sort_out_layers(const struct transformer *net, int *class_of_layer,
                           int64_t *first_of_class)
{
    const int *types = net->layer_types.set_of_layer;
    int n = 0;
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        int class = 0;
        while (class < n && (types[first_of_class[class]] != types[i] ||
                             stack_class_of(&net->stack, first_of_class[class]) !=
                                 stack_class_of(&net->stack, i)))
            class ++;
        if (class == n)
            first_of_class[n++] = i;
        class_of_layer[i] = class;
    }
    return n;
}

/* Where types differ by layer, or one layer has several. */
static enum status list_typed_classes(const struct transformer *net, struct operator_list *list,
                                      struct err *err)
{
    const size_t n_layers = (size_t)net->schedule.n_layers;
    struct tensor_list tensors;
    int64_t *first_of_class = memory_new(n_layers, sizeof *first_of_class);
    list->typed_classes = memory_new(n_layers, sizeof *list->typed_classes);
    enum status status = STATUS_NOMEM;
    if (first_of_class && list->typed_classes)
        status =
            allocate_classes(list, sort_out_layers(net, list->typed_classes, first_of_class), err);
    else
        err_set(err, STATUS_NOMEM, "out of memory for the operators of %zu layers", n_layers);
    for (int c = 0; c < list->n_classes && !status; c++) {
        tensors_of_layer(net, first_of_class[c], &tensors);
        list_block(net, transformer_block(net, first_of_class[c]), &tensors, list,
                   &list->classes[c]);
    }
    if (!status)
        count_blocks(net, list->n_classes > 1 ? list->typed_classes : NULL, list);
    else
        ops_release(list);
    memory_free(first_of_class);
    return status;
}

static enum status list_classes(const struct transformer *net, struct operator_list *list,
                                struct err *err)
{
    const struct stack *stack = &net->stack;
    struct tensor_list tensors;
    if (net->layer_types.set_of_layer)
        return list_typed_classes(net, list, err);
    enum status status = allocate_classes(list, stack_n_classes(stack), err);
    if (status)
        return status;
    for (int c = 0; c < list->n_classes; c++) {
        tensors_of_block(net, stack_class(stack, c), &tensors);
        list_block(net, stack_class(stack, c), &tensors, list, &list->classes[c]);
    }
    count_blocks(net, stack->class_of_block, list);
    return STATUS_OK;
}

void ops_set_schedule(struct operator_list *list, const struct schedule *schedule)
{
    list->schedule = *schedule;
    list->classes[0].n_blocks = schedule->n_layers;
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
    list->typed_classes = NULL;
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
    memory_free(list->typed_classes);
    list->classes = NULL;
    list->typed_classes = NULL;
    list->class_of_block = NULL;
    list->n_classes = 0;
}

int64_t ops_runs(const struct operator_list *list, const struct block_ops *class)
{
    return list->schedule.sharing == SHARING_BY_BLOCK ? 1 + class->reruns : list->schedule.repeats;
}

int64_t ops_executions(const struct operator_list *list)
{
    int64_t sum = 0;
    if (list->schedule.sharing != SHARING_BY_BLOCK)
        return schedule_executions(&list->schedule);
    for (int c = 0; c < list->n_classes; c++)
        sum += list->classes[c].n_blocks * ops_runs(list, &list->classes[c]);
    return sum;
}

const struct block_ops *ops_class_of_block(const struct operator_list *list, int64_t i)
{
    return &list->classes[list->class_of_block ? list->class_of_block[i] : 0];
}

int64_t ops_block(const struct operator_list *list, int64_t i)
{
    int64_t block = 0;
    if (list->schedule.sharing != SHARING_BY_BLOCK)
        return schedule_block(&list->schedule, i);
    while ((i -= ops_runs(list, ops_class_of_block(list, block))) >= 0)
        block++;
    return block;
}

const struct block_ops *ops_class(const struct operator_list *list, int64_t i)
{
    if (!list->class_of_block)
        return &list->classes[0];
    return ops_class_of_block(list, ops_block(list, i));
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
        add_ops(out, class->ops, class->n_ops, class->n_blocks * ops_runs(list, class));
        for (int g = 0; g < class->n_groups; g++) {
            bool is_shared = list->schedule.share_ffn && class->groups[g].is_shareable;
            out->distinct_weight_bytes += is_shared ? 0 : class->groups[g].bytes * class->n_blocks;
        }
    }
    const struct block_ops *first = ops_class(list, 0);
    for (int g = 0; g < first->n_groups && list->schedule.share_ffn; g++)
        out->distinct_weight_bytes += first->groups[g].is_shareable ? first->groups[g].bytes : 0;
}
