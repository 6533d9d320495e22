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
        a->biases == b->biases && a->norm_weight == b->norm_weight &&
        a->norm_bias == b->norm_bias && a->parallel_block == b->parallel_block &&
        a->parallel_shared_norm == b->parallel_shared_norm && a->embed_norm == b->embed_norm &&
        a->final_norm == b->final_norm && a->tie_embeddings == b->tie_embeddings;
    for (int64_t i = 0; same && i < s->n_layers; i++) {
        same = block_equal(transformer_block(a, i), transformer_block(b, i));
        if (stack_is_uniform(&a->stack) && stack_is_uniform(&b->stack))
            break;
    }
    return same;
}

static enum status check_block(const struct transformer *net, const struct block *block,
                               struct err *err)
{
    const struct mixer_traits *mixer = mixer_traits(block->mixer);
    enum status status = err_unless_between(err, "d_ff", block->d_ff, 1, 1 << 24);
    if (status != STATUS_OK)
        return status;
    if ((net->ffn == FFN_RWKV_CHANNEL) != (block->mixer == MIXER_RWKV))
        return err_set(err, STATUS_RANGE, "RWKV time mixing and channel mixing go together");
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
        double one = 4 * d * fmax(width, d) + 4 * d * (double)b->d_ff + d * d + 64 * (d + width);
        double quadratic = width * (double)net->max_context;
        if (stack_is_uniform(&net->stack)) {
            per_block += one * (double)net->schedule.n_layers;
            attention += quadratic * (double)net->schedule.n_layers;
            break;
        }
        per_block += one;
        attention += quadratic;
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
    if ((s->sharing == SHARING_NONE) != (s->repeats == 1))
        return err_set(err, STATUS_RANGE, "sharing '%s' with repeats %" PRId64 ": %s",
                       sharing_name(s->sharing), s->repeats,
                       s->repeats == 1 ? "shared blocks run at least twice"
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
