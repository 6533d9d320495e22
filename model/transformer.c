#include "model/transformer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char *const ffn_names[N_FFN_KINDS] = {
    [FFN_RELU] = "relu",
    [FFN_GELU] = "gelu",
    [FFN_SWIGLU] = "swiglu",
    [FFN_GEGLU] = "geglu",
    [FFN_RWKV_CHANNEL] = "rwkv_channel",
};

const char *ffn_kind_name(enum ffn_kind kind)
{
    assert(kind < N_FFN_KINDS);
    return ffn_names[kind];
}

enum status ffn_kind_parse(const char *name, enum ffn_kind *out, struct err *err)
{
    for (int i = 0; i < N_FFN_KINDS; i++) {
        if (strcmp(name, ffn_names[i]) == 0) {
            *out = (enum ffn_kind)i;
            return STATUS_OK;
        }
    }
    return err_set(err, STATUS_USAGE,
                   "unknown FFN kind '%s'; known: relu gelu swiglu geglu rwkv_channel", name);
}

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
}

enum status transformer_copy(const struct transformer *from, struct transformer *to,
                             struct err *err)
{
    struct stack stack;
    enum status status = stack_copy(&from->stack, from->schedule.n_layers, &stack, err);
    if (status)
        return status;
    *to = *from;
    to->stack = stack;
    return STATUS_OK;
}

const struct block *transformer_block(const struct transformer *net, int64_t i)
{
    assert(i >= 0 && i < net->schedule.n_layers);
    return stack_block(&net->stack, i);
}

void transformer_set_dtype(struct transformer *net, enum dtype dtype)
{
    net->block_dtype = net->embedding_dtype = net->head_dtype = dtype;
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
        a->qk_norm == b->qk_norm && a->biases == b->biases && a->norm_weight == b->norm_weight &&
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

/* Limits far above any network of this kind, and low enough that products of a few stay in 64 bits
 * once the estimate in transformer_check has passed. */
static enum status in_range(const char *field, int64_t value, int64_t min, int64_t max,
                            struct err *err)
{
    if (value >= min && value <= max)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE, "%s is %" PRId64 ", must be %" PRId64 " to %" PRId64, field,
                   value, min, max);
}

static enum status check_block(const struct transformer *net, const struct block *block,
                               struct err *err)
{
    enum status status = STATUS_OK;
    if ((status = in_range("d_ff", block->d_ff, 1, 1 << 24, err)))
        return status;
    if ((net->ffn == FFN_RWKV_CHANNEL) != (block->mixer == MIXER_RWKV))
        return err_set(err, STATUS_RANGE, "RWKV time mixing and channel mixing go together");
    if (block->mixer != MIXER_ATTENTION) {
        if (block->n_heads || block->n_kv_heads || block->d_head || block->window)
            return err_set(err, STATUS_RANGE, "a block without attention has no heads or window");
        return STATUS_OK;
    }
    if ((status = in_range("n_heads", block->n_heads, 1, 1 << 14, err)) ||
        (status = in_range("n_kv_heads", block->n_kv_heads, 1, block->n_heads, err)) ||
        (status = in_range("d_head", block->d_head, 1, 1 << 14, err)) ||
        (status = in_range("window", block->window, 0, INT32_MAX, err)))
        return status;
    if (block->n_heads % block->n_kv_heads != 0)
        return err_set(err, STATUS_RANGE,
                       "n_heads %" PRId64 " is not a multiple of n_kv_heads %" PRId64,
                       block->n_heads, block->n_kv_heads);
    if (net->position == POSITION_ROPE && block->d_head % 2 != 0)
        return err_set(err, STATUS_RANGE, "d_head is %" PRId64 ", rotary positions need it even",
                       block->d_head);
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

enum status transformer_check(const struct transformer *net, struct err *err)
{
    const struct schedule *s = &net->schedule;
    enum status status = STATUS_OK;
    if ((status = in_range("d_model", net->d_model, 1, 1 << 20, err)) ||
        (status = in_range("n_layers", s->n_layers, 1, 1 << 16, err)) ||
        (status = in_range("vocab_size", net->vocab_size, 1, 1 << 28, err)) ||
        (status = in_range("d_embed", net->d_embed, 1, 1 << 20, err)) ||
        (status = in_range("max_context", net->max_context, 1, 1 << 24, err)) ||
        (status = in_range("position_rows", net->position_rows, 0, 1 << 25, err)) ||
        (status = in_range("repeats", s->repeats, 1, 64, err)))
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

static int64_t n_block_norms(const struct transformer *net, const struct block *block)
{
    if (net->parallel_shared_norm)
        return 1;
    int64_t branches = block->mixer == MIXER_NONE ? 1 : 2;
    return net->norm_placement == NORM_SANDWICH ? 2 * branches : branches;
}

/* What a matrix is made of, so that parameters and bytes are two readings of one list. */
struct tally {
    int64_t params, bytes;
};

static void add_matrix(struct tally *tally, enum dtype dtype, int64_t rows, int64_t columns,
                       bool bias)
{
    tally->params += rows * columns + (bias ? rows : 0);
    tally->bytes +=
        rows * dtype_row_bytes(dtype, columns) + (bias ? dtype_vector_bytes(dtype, rows) : 0);
}

static void add_vector(struct tally *tally, enum dtype dtype, int64_t n)
{
    tally->params += n;
    tally->bytes += dtype_vector_bytes(dtype, n);
}

static void add_norms(const struct transformer *net, struct tally *tally, int64_t count, int64_t n)
{
    int64_t vectors = (net->norm_weight ? 1 : 0) + (net->norm_bias ? 1 : 0);
    add_vector(tally, net->block_dtype, count * vectors * n);
}

static void add_attention(const struct transformer *net, const struct block *block,
                          struct tally *tally)
{
    enum dtype type = net->block_dtype;
    int64_t d = net->d_model;
    if (block->mixer == MIXER_RWKV) {
        for (int i = 0; i < 4; i++) /* r k v o */
            add_matrix(tally, type, d, d, false);
        add_vector(tally, type, 5 * d); /* decay, first, mix of k v r */
    } else if (block->mixer == MIXER_ATTENTION) {
        int64_t q = block->n_heads * block->d_head, kv = block->n_kv_heads * block->d_head;
        bool bias = net->biases & BIAS_QKV;
        add_matrix(tally, type, q, d, bias);
        add_matrix(tally, type, kv, d, bias);
        add_matrix(tally, type, kv, d, bias);
        add_matrix(tally, type, d, q, net->biases & BIAS_O);
        if (net->qk_norm == QK_NORM_WEIGHTED)
            add_vector(tally, type, 2 * block->d_head);
    }
}

static void add_ffn(const struct transformer *net, const struct block *block, struct tally *tally)
{
    enum dtype type = net->block_dtype;
    int64_t d = net->d_model, f = block->d_ff;
    bool bias = net->biases & BIAS_FFN;
    add_matrix(tally, type, f, d, bias);
    add_matrix(tally, type, d, f, bias);
    if (net->ffn == FFN_SWIGLU || net->ffn == FFN_GEGLU)
        add_matrix(tally, type, f, d, bias);
    if (net->ffn == FFN_RWKV_CHANNEL) {
        add_matrix(tally, type, d, d, false);
        add_vector(tally, type, 2 * d); /* mix of k r */
    }
}

struct tallies {
    struct tally embedding, position, attention, ffn, norms, final_norm, head;
};

static void take_tallies(const struct transformer *net, struct tallies *t)
{
    *t = (struct tallies){0};
    int64_t d = net->d_model;
    const int64_t n = net->schedule.n_layers;
    add_matrix(&t->embedding, net->embedding_dtype, net->vocab_size, net->d_embed, false);
    if (net->d_embed != d) {
        add_matrix(&t->embedding, net->block_dtype, d, net->d_embed, false);
        add_matrix(&t->embedding, net->block_dtype, net->d_embed, d, false);
    }
    if (net->embed_norm)
        add_norms(net, &t->embedding, 1, d);
    add_matrix(&t->position, net->embedding_dtype, net->position_rows, d, false);
    if (net->final_norm)
        add_norms(net, &t->final_norm, 1, d);
    if (!net->tie_embeddings)
        add_matrix(&t->head, net->head_dtype, net->vocab_size, net->d_embed, false);
    if (net->biases & BIAS_HEAD)
        add_vector(&t->head, net->head_dtype, net->vocab_size);

    for (int64_t i = 0; i < n; i++) {
        const struct block *block = transformer_block(net, i);
        add_attention(net, block, &t->attention);
        if (i == 0 || !net->schedule.share_ffn)
            add_ffn(net, block, &t->ffn);
        add_norms(net, &t->norms, n_block_norms(net, block), d);
        if (stack_is_uniform(&net->stack)) {
            t->attention.params *= n, t->attention.bytes *= n;
            t->norms.params *= n, t->norms.bytes *= n;
            if (!net->schedule.share_ffn)
                t->ffn.params *= n, t->ffn.bytes *= n;
            break;
        }
    }
}

void transformer_count(const struct transformer *net, struct param_count *out)
{
    struct tallies t;
    take_tallies(net, &t);
    *out = (struct param_count){
        .embedding = t.embedding.params,
        .position = t.position.params,
        .attention = t.attention.params,
        .ffn = t.ffn.params,
        .norms = t.norms.params,
        .final_norm = t.final_norm.params,
        .head = t.head.params,
    };
    out->blocks = out->attention + out->ffn + out->norms;
    out->total = out->embedding + out->position + out->blocks + out->final_norm + out->head;
}

void transformer_weight_bytes(const struct transformer *net, struct weight_bytes *out)
{
    struct tallies t;
    take_tallies(net, &t);
    *out = (struct weight_bytes){
        .embedding = t.embedding.bytes,
        .head = t.head.bytes,
        .blocks = t.attention.bytes + t.ffn.bytes + t.norms.bytes,
        .other = t.position.bytes + t.final_norm.bytes,
    };
    out->total = out->embedding + out->head + out->blocks + out->other;
}

/* Sum over the executions of `per_block` (a function of the block it runs). */
static int64_t over_executions(const struct transformer *net, int64_t context,
                               int64_t (*per_block)(const struct transformer *,
                                                    const struct block *, int64_t))
{
    if (stack_is_uniform(&net->stack))
        return per_block(net, &net->stack.first, context) * schedule_executions(&net->schedule);
    int64_t sum = 0;
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        sum += per_block(net, stack_block(&net->stack, i), context) * net->schedule.repeats;
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
    if (block->mixer == MIXER_RWKV)
        return 5 * net->d_model * 4; /* two shifted inputs, numerator, denominator, maximum; f32 */
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
