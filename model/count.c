#include "model/count.h"

#include <stdbool.h>

#include "model/tensors.h"

/* Parameters and bytes by part, so that both are readings of one walk. */
struct tally {
    int64_t params[N_TENSOR_PARTS], bytes[N_TENSOR_PARTS];
    int64_t unpicked; /* parameters */
};

static void add(const struct tensor *tensor, int64_t times, struct tally *tally)
{
    tally->params[tensor->part] += times * tensor_params(tensor);
    tally->bytes[tensor->part] += times * tensor_bytes(tensor);
}

static void add_edges(const struct transformer *net, struct tally *tally)
{
    struct tensor_list list;
    tensors_before(net, &list);
    for (int i = 0; i < list.n; i++)
        add(&list.tensors[i], 1, tally);
    tensors_after(net, &list);
    for (int i = 0; i < list.n; i++)
        add(&list.tensors[i], 1, tally);
}

/* Block i, and `more` like it. */
static void add_block(const struct transformer *net, int64_t i, int64_t more, struct tally *tally)
{
    struct tensor_list list;
    const struct block *block = transformer_block(net, i);
    tensors_of_layer(net, i, &list);
    for (int t = 0; t < list.n; t++) {
        const struct tensor *tensor = &list.tensors[t];
        if (tensor_is_stored(net, tensor, i))
            add(tensor, tensor_is_stored(net, tensor, i + 1) ? 1 + more : 1, tally);
        if (group_is_picked(tensor->group))
            tally->unpicked += (1 + more) * (block->n_experts - block->n_experts_used) *
                               (tensor_params(tensor) / tensor->copies);
    }
}

static void take(const struct transformer *net, struct tally *tally)
{
    *tally = (struct tally){.unpicked = 0};
    add_edges(net, tally);
    bool is_uniform = stack_is_uniform(&net->stack) && !net->layer_types.set_of_layer;
    if (is_uniform)
        add_block(net, 0, net->schedule.n_layers - 1, tally);
    for (int64_t i = 0; !is_uniform && i < net->schedule.n_layers; i++)
        add_block(net, i, 0, tally);
}

void transformer_stored(const struct transformer *net, struct param_count *count,
                        struct weight_bytes *weights)
{
    struct tally tally;
    take(net, &tally);
    const int64_t *params = tally.params, *bytes = tally.bytes;
    *count = (struct param_count){
        .embedding = params[PART_EMBEDDING],
        .position = params[PART_POSITION],
        .attention = params[PART_MIXER],
        .ffn = params[PART_FFN],
        .norms = params[PART_NORMS],
        .final_norm = params[PART_FINAL_NORM],
        .head = params[PART_HEAD],
    };
    count->blocks = count->attention + count->ffn + count->norms;
    count->total =
        count->embedding + count->position + count->blocks + count->final_norm + count->head;
    count->active = count->total - tally.unpicked;
    *weights = (struct weight_bytes){
        .embedding = bytes[PART_EMBEDDING],
        .head = bytes[PART_HEAD],
        .blocks = bytes[PART_MIXER] + bytes[PART_FFN] + bytes[PART_NORMS],
        .other = bytes[PART_POSITION] + bytes[PART_FINAL_NORM],
    };
    weights->total = weights->embedding + weights->head + weights->blocks + weights->other;
}

void transformer_count(const struct transformer *net, struct param_count *out)
{
    struct weight_bytes unused;
    transformer_stored(net, out, &unused);
}

void transformer_weight_bytes(const struct transformer *net, struct weight_bytes *out)
{
    struct param_count unused;
    transformer_stored(net, &unused, out);
}

/* Sum over the executions of `per_block` (a function of the block it runs). */
static int64_t over_executions(const struct transformer *net, int64_t context,
                               int64_t (*per_block)(const struct transformer *,
                                                    const struct block *, int64_t))
{
    if (stack_is_uniform(&net->stack))
        return per_block(net, &net->stack.first, context) * transformer_executions(net);
    int64_t sum = 0;
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        sum += per_block(net, stack_block(&net->stack, i), context) *
               transformer_runs(net, stack_block(&net->stack, i));
    return sum;
}

static int64_t kv_row_bytes(const struct transformer *net, const struct block *block,
                            int64_t unused)
{
    (void)unused;
    return 2 * dtype_row_bytes(net->kv_dtype, block->n_kv_heads * block->d_head);
}

static int64_t kv_held_bytes(const struct transformer *net, const struct block *block,
                             int64_t context)
{
    const struct mixer_traits *mixer = mixer_traits(block->mixer);
    if (mixer->state_bytes)
        return mixer->state_bytes(net, block);
    int64_t rows = block->window > 0 && block->window < context ? block->window : context;
    return rows * kv_row_bytes(net, block, 0);
}

int64_t transformer_kv_bytes_per_token(const struct transformer *net)
{
    return over_executions(net, 0, kv_row_bytes);
}

int64_t transformer_kv_bytes(const struct transformer *net, int64_t context)
{
    return over_executions(net, context, kv_held_bytes);
}
