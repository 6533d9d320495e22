#include "model/transformer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void transformer_init(struct transformer *net, int64_t d_model, int64_t n_layers, int64_t n_heads,
                      int64_t n_kv_heads, int64_t d_head, int64_t d_ff, int64_t vocab_size)
{
    *net = (struct transformer){
        .family = "llama",
        .d_model = d_model,
        .vocab_size = vocab_size,
        .d_embed = d_model,
        .max_context = 2048,
        .stack.first = {.mixer = MIXER_ATTENTION,
                        .n_heads = n_heads,
                        .n_kv_heads = n_kv_heads,
                        .d_head = d_head,
                        .d_ff = d_ff},
        .schedule = {.sharing = SHARING_NONE, .n_layers = n_layers, .repeats = 1},
        .ffn = FFN_SWIGLU,
        .norm = NORM_RMS,
        .norm_placement = NORM_PRE,
        .position = POSITION_ROPE,
        .norm_weight = true,
        .final_norm = true,
        .tie_embeddings = true,
        .norm_eps = 1e-5,
        .rope_theta = 10000,
        .rope_frac = 1,
    };
    transformer_set_dtype(net, DTYPE_F16);
    net->kv_dtype = DTYPE_F16;
}

void transformer_release(struct transformer *net)
{
    stack_release(&net->stack);
    layer_types_release(&net->layer_types);
}

const struct block *transformer_block(const struct transformer *net, int64_t i)
{
    assert(i >= 0 && i < net->schedule.n_layers);
    return stack_block(&net->stack, i);
}

int64_t transformer_runs(const struct transformer *net, const struct block *block)
{
    return net->schedule.sharing == SHARING_BY_BLOCK ? 1 + block->reruns : net->schedule.repeats;
}

int64_t transformer_executions(const struct transformer *net)
{
    const struct stack *stack = &net->stack;
    int64_t n = net->schedule.n_layers, sum = 0;
    if (net->schedule.sharing != SHARING_BY_BLOCK)
        return schedule_executions(&net->schedule);
    for (int64_t i = 0; i < n; i++)
        sum += transformer_runs(net, stack_block(stack, i));
    return sum;
}

int64_t transformer_block_of(const struct transformer *net, int64_t i)
{
    int64_t block = 0;
    if (net->schedule.sharing != SHARING_BY_BLOCK)
        return schedule_block(&net->schedule, i);
    while ((i -= transformer_runs(net, transformer_block(net, block))) >= 0)
        block++;
    return block;
}

static struct block *class_at(struct stack *stack, int class)
{
    return class == 0 ? &stack->first : &stack->others[class - 1];
}

enum status transformer_settle(struct transformer *net, struct err *err)
{
    struct schedule *s = &net->schedule;
    struct stack *stack = &net->stack;
    int64_t least = stack->first.reruns, most = least;
    for (int c = 1; c < stack_n_classes(stack); c++) {
        int64_t reruns = stack_class(stack, c)->reruns;
        least = reruns < least ? reruns : least;
        most = reruns > most ? reruns : most;
    }
    if (s->sharing != SHARING_NONE && s->sharing != SHARING_BY_BLOCK)
        return most == 0 ? STATUS_OK
                         : err_set(err, STATUS_RANGE,
                                   "blocks that say their repeats, and sharing '%s': one of them "
                                   "says how often blocks run",
                                   sharing_name(s->sharing));
    if (most == 0 && s->sharing == SHARING_NONE)
        return STATUS_OK;
    if (s->repeats != 1)
        return err_set(err, STATUS_RANGE, "blocks that say their repeats, and repeats %" PRId64,
                       s->repeats);
    s->sharing = least < most ? SHARING_BY_BLOCK : most > 0 ? SHARING_IMMEDIATE : SHARING_NONE;
    s->repeats = least < most ? 1 : 1 + most;
    for (int c = 0; least == most && most > 0 && c < stack_n_classes(stack); c++)
        class_at(stack, c)->reruns = 0;
    return STATUS_OK;
}

/* Those of the block that each execution runs. */
static enum status expand_types(const struct transformer *net, int64_t n, struct layer_types *out,
                                struct err *err)
{
    *out = (struct layer_types){0};
    if (net->layer_types.set_of_layer == NULL)
        return STATUS_OK;
    struct type_set *types = memory_new((size_t)n, sizeof *types);
    if (types == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for the types of %" PRId64 " blocks", n);
    for (int64_t i = 0; i < n; i++)
        types[i] = *layer_types_at(&net->layer_types, transformer_block_of(net, i));
    enum status status = layer_types_set(out, types, n, err);
    memory_free(types);
    return status;
}

enum status transformer_expand(const struct transformer *net, struct transformer *out,
                               struct err *err)
{
    int64_t n = transformer_executions(net);
    struct stack stack = {.first = net->stack.first};
    struct layer_types types;
    enum status status = STATUS_OK;
    if (!stack_is_uniform(&net->stack)) {
        struct block *blocks = memory_new((size_t)n, sizeof *blocks);
        if (blocks == NULL)
            return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", n);
        for (int64_t i = 0; i < n; i++) {
            blocks[i] = *transformer_block(net, transformer_block_of(net, i));
            blocks[i].reruns = 0;
        }
        status = stack_set(&stack, blocks, n, err);
        memory_free(blocks);
        if (status != STATUS_OK)
            return status;
    }
    if ((status = expand_types(net, n, &types, err))) {
        stack_release(&stack);
        return status;
    }
    *out = *net;
    out->stack = stack;
    out->layer_types = types;
    out->schedule = (struct schedule){.sharing = SHARING_NONE, .n_layers = n, .repeats = 1};
    return STATUS_OK;
}

void transformer_set_dtype(struct transformer *net, enum dtype dtype)
{
    assert(!is_file_type(dtype));
    layer_types_release(&net->layer_types);
    net->block_dtype = net->embedding_dtype = net->head_dtype = net->position_dtype = dtype;
    net->file_type = dtype;
    net->f32_vectors = false;
}

const char *transformer_dtype_name(const struct transformer *net)
{
    return dtype_name(is_file_type(net->file_type) ? net->file_type : net->block_dtype);
}

bool transformer_same_shape(const struct transformer *a, const struct transformer *b)
{
    const struct schedule *s = &a->schedule, *t = &b->schedule;
    bool same =
        a->d_model == b->d_model && a->vocab_size == b->vocab_size && a->d_embed == b->d_embed &&
        a->max_context == b->max_context && a->position_rows == b->position_rows &&
        s->sharing == t->sharing && s->n_layers == t->n_layers && s->repeats == t->repeats &&
        s->share_ffn == t->share_ffn && a->ffn == b->ffn && a->norm == b->norm &&
        a->norm_placement == b->norm_placement && a->position == b->position &&
        a->qk_norm == b->qk_norm && a->qk_norm_after_rope == b->qk_norm_after_rope &&
        a->biases == b->biases && a->attention_sinks == b->attention_sinks &&
        a->router_offset == b->router_offset && a->shared_share == b->shared_share &&
        a->norm_weight == b->norm_weight && a->norm_bias == b->norm_bias &&
        a->parallel_block == b->parallel_block &&
        a->parallel_shared_norm == b->parallel_shared_norm && a->embed_norm == b->embed_norm &&
        a->final_norm == b->final_norm && a->tie_embeddings == b->tie_embeddings;
    for (int64_t i = 0; same && i < s->n_layers; i++) {
        same = block_equal(transformer_block(a, i), transformer_block(b, i));
        if (stack_is_uniform(&a->stack) && stack_is_uniform(&b->stack))
            break;
    }
    return same;
}

static enum status check_experts(const struct transformer *net, const struct block *block,
                                 struct err *err)
{
    const struct schedule *s = &net->schedule;
    int64_t n = block->n_experts, most = n > 0 ? n : 0;
    enum status status = STATUS_OK;
    if ((status = err_unless_between(err, "n_experts", n, 0, MOST_EXPERTS)) ||
        (status = err_unless_between(err, "n_experts_used", block->n_experts_used, n > 0, most)) ||
        (status = err_unless_between(err, "d_shared", block->d_shared, 0, n > 0 ? 1 << 24 : 0)))
        return status;
    if (n > 0 && (s->sharing != SHARING_NONE || s->share_ffn))
        return err_set(err, STATUS_RANGE, "blocks with experts are not shared");
    if (n > 0 && (net->ffn == FFN_RWKV_CHANNEL || net->ffn == FFN_XIELU))
        return err_set(err, STATUS_RANGE, "experts with %s are not known", ffn_kind_name(net->ffn));
    return STATUS_OK;
}

static enum status check_block(const struct transformer *net, const struct block *block,
                               struct err *err)
{
    const struct mixer_traits *mixer = mixer_traits(block->mixer);
    int64_t most_reruns = net->schedule.sharing == SHARING_BY_BLOCK ? MAX_RERUNS : 0;
    enum status status = STATUS_OK;
    if ((status = err_unless_between(err, "d_ff", block->d_ff, 1, 1 << 24)) ||
        (status = err_unless_between(err, "reruns", block->reruns, 0, most_reruns)))
        return status;
    if ((net->ffn == FFN_RWKV_CHANNEL) != (block->mixer == MIXER_RWKV))
        return err_set(err, STATUS_RANGE, "RWKV time mixing and channel mixing go together");
    if ((status = check_experts(net, block, err)))
        return status;
    if (mixer->check)
        return mixer->check(net, block, err);
    if (block->n_heads || block->n_kv_heads || block->d_head || block->window)
        return err_set(err, STATUS_RANGE, "a block without attention has no heads or window");
    return STATUS_OK;
}

/* An upper estimate in floating point of the largest counts made of this network: parameters, bytes
 * of the cache, and FLOPs of a prefill as long as the context. */
static double largest_count(const struct transformer *net)
{
    double d = (double)net->d_model, per_block = 0, attention = 0;
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        const struct block *b = transformer_block(net, i);
        double width = (double)b->n_heads * (double)b->d_head;
        double ffns = fmax(1, (double)b->n_experts) * (double)b->d_ff + (double)b->d_shared;
        double one = 4 * d * fmax(width, d) + 4 * d * ffns + d * (double)b->n_experts + d * d +
                     64 * (d + width);
        double quadratic = width * (double)net->max_context;
        if (stack_is_uniform(&net->stack)) {
            per_block += one * (double)net->schedule.n_layers;
            attention += quadratic * (double)net->schedule.n_layers;
            break;
        }
        per_block += one * (double)(1 + b->reruns);
        attention += quadratic * (double)(1 + b->reruns);
    }
    double edges =
        2 * (double)net->d_embed * ((double)net->vocab_size + d) + (double)net->position_rows * d;
    double blocks = (per_block + attention) * (double)net->schedule.repeats;
    return (blocks + edges) * 8 * (double)net->max_context;
}

static int64_t first_block(const struct transformer *net, int class)
{
    int64_t i = 0;
    while (i < net->schedule.n_layers - 1 && stack_class_of(&net->stack, i) != class)
        i++;
    return i;
}

/* Classes are in order of first appearance, so the first with a fault is that of the first block
 * with one. */
static enum status check_blocks(const struct transformer *net, struct err *err)
{
    const struct stack *stack = &net->stack;
    bool differ = false;
    for (int c = 1; c < stack_n_classes(stack); c++)
        differ |= stack_class(stack, c)->reruns != stack->first.reruns;
    if (net->schedule.sharing == SHARING_BY_BLOCK && !differ)
        return err_set(err, STATUS_RANGE,
                       "sharing 'by-block' where all blocks run equally often: that is none or "
                       "immediate");
    for (int c = 0; c < stack_n_classes(stack); c++) {
        enum status status = check_block(net, stack_class(stack, c), err);
        if (status)
            return stack_is_uniform(stack)
                       ? status
                       : err_prefix(err, status, "block %" PRId64 ": ", first_block(net, c));
    }
    for (int c = 1; c < stack_n_classes(stack) && net->schedule.share_ffn; c++) {
        int64_t d_ff = stack_class(stack, c)->d_ff;
        if (d_ff != stack->first.d_ff)
            return err_set(err, STATUS_RANGE,
                           "one FFN for all blocks needs one d_ff: block %" PRId64 " has %" PRId64
                           ", block 0 has %" PRId64,
                           first_block(net, c), d_ff, stack->first.d_ff);
    }
    return STATUS_OK;
}

/* Limits are far above any network of this kind, and low enough that products of a few stay in 64
 * bits once the estimate above has passed. */
enum status transformer_check(const struct transformer *net, struct err *err)
{
    const struct schedule *s = &net->schedule;
    enum status status = STATUS_OK;
    if ((status = err_unless_between(err, "d_model", net->d_model, 1, 1 << 20)) ||
        (status = err_unless_between(err, "n_layers", s->n_layers, 1, 1 << 16)) ||
        (status = err_unless_between(err, "vocab_size", net->vocab_size, 1, 1 << 28)) ||
        (status = err_unless_between(err, "d_embed", net->d_embed, 1, 1 << 20)) ||
        (status = err_unless_between(err, "max_context", net->max_context, 1, 1 << 24)) ||
        (status = err_unless_between(err, "position_rows", net->position_rows, 0, 1 << 25)) ||
        (status = err_unless_between(err, "repeats", s->repeats, 1, 64)))
        return status;
    bool runs_once = s->sharing == SHARING_NONE || s->sharing == SHARING_BY_BLOCK;
    if (runs_once != (s->repeats == 1))
        return err_set(err, STATUS_RANGE, "sharing '%s' with repeats %" PRId64 ": %s",
                       sharing_name(s->sharing), s->repeats,
                       s->repeats == 1                  ? "shared blocks run at least twice"
                       : s->sharing == SHARING_BY_BLOCK ? "each block says how often it runs"
                                                        : "unshared blocks run once");
    if (net->tie_embeddings && net->head_dtype != net->embedding_dtype)
        return err_set(err, STATUS_RANGE, "a tied head has the type of the token table");
    if ((net->position == POSITION_LEARNED) != (net->position_rows > 0))
        return err_set(err, STATUS_RANGE, "learned positions and position_rows go together");
    if (net->parallel_shared_norm && !net->parallel_block)
        return err_set(err, STATUS_RANGE, "a norm shared by both branches needs a parallel block");
    if (net->parallel_block && net->norm_placement != NORM_PRE)
        return err_set(err, STATUS_RANGE, "parallel blocks are pre-norm");
    if ((status = check_blocks(net, err)))
        return status;
    if (largest_count(net) > 0x1p61)
        return err_set(err, STATUS_RANGE,
                       "the network is too large to count: d_model %" PRId64 ", n_layers %" PRId64
                       ", max_context %" PRId64,
                       net->d_model, s->n_layers, net->max_context);
    return STATUS_OK;
}
