#include "model/gguf_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/gguf.h"
#include "model/quantize.h"

enum {
    ALIGNMENT = 32,
    N_SPECIAL = 3,
    N_BYTES = 256,
    SMALLEST_VOCABULARY = N_SPECIAL + N_BYTES,
    LAYERS_OF_A_RUNTIME = 512, /* llama.cpp's LLAMA_MAX_LAYERS */
};

enum part {
    PART_MATRIX,
    PART_ONES,
    PART_ZEROS,
};

struct tensor {
    char name[64];     /* after "blk.N." in a block */
    int64_t row, rows; /* rows 0: a vector */
    enum part part;
    enum dtype dtype;
    bool is_ffn; /* one for all blocks with share_ffn */
};

/* The tensors of a file in order: edges first, then the same list for every execution. Nothing here
 * grows with depth or width. */
struct plan {
    const struct transformer *net;
    const struct gguf_write_options *options;
    const char *architecture;
    int64_t n_layers; /* executions */
    int n_edges, n_per_layer;
    struct tensor edges[3], layer[20];
};

static struct tensor *matrix(struct tensor *out, const char *name, enum dtype dtype, int64_t row,
                             int64_t rows)
{
    *out = (struct tensor){.row = row, .rows = rows, .part = PART_MATRIX, .dtype = dtype};
    snprintf(out->name, sizeof out->name, "%s.weight", name);
    return out + 1;
}

static struct tensor *vector(struct tensor *out, const char *name, enum part part, int64_t n)
{
    *out = (struct tensor){.row = n, .part = part, .dtype = DTYPE_F32};
    snprintf(out->name, sizeof out->name, "%s", name);
    return out + 1;
}

static void make_plan(const struct transformer *net, const struct gguf_write_options *options,
                      struct plan *plan)
{
    const struct block *block = &net->stack.first;
    int64_t d = net->d_model, f = block->d_ff;
    int64_t q = block->n_heads * block->d_head, kv = block->n_kv_heads * block->d_head;
    enum dtype type = net->block_dtype;
    *plan = (struct plan){.net = net,
                          .options = options,
                          .architecture = net->qk_norm == QK_NORM_WEIGHTED ? "qwen3"
                                          : net->biases == BIAS_QKV        ? "qwen2"
                                                                           : "llama",
                          .n_layers = schedule_executions(&net->schedule)};
    struct tensor *t = plan->edges;
    t = matrix(t, "token_embd", net->embedding_dtype, d, net->vocab_size);
    t = vector(t, "output_norm.weight", PART_ONES, d);
    if (!net->tie_embeddings)
        t = matrix(t, "output", net->head_dtype, d, net->vocab_size);
    plan->n_edges = (int)(t - plan->edges);

    t = vector(plan->layer, "attn_norm.weight", PART_ONES, d);
    t = matrix(t, "attn_q", type, d, q);
    t = matrix(t, "attn_k", type, d, kv);
    t = matrix(t, "attn_v", type, d, kv);
    t = matrix(t, "attn_output", type, q, d);
    if (net->biases & BIAS_QKV) {
        t = vector(t, "attn_q.bias", PART_ZEROS, q);
        t = vector(t, "attn_k.bias", PART_ZEROS, kv);
        t = vector(t, "attn_v.bias", PART_ZEROS, kv);
    }
    if (net->biases & BIAS_O)
        t = vector(t, "attn_output.bias", PART_ZEROS, d);
    if (net->qk_norm == QK_NORM_WEIGHTED) {
        t = vector(t, "attn_q_norm.weight", PART_ONES, block->d_head);
        t = vector(t, "attn_k_norm.weight", PART_ONES, block->d_head);
    }
    t = vector(t, "ffn_norm.weight", PART_ONES, d);
    struct tensor *ffn = t;
    t = matrix(t, "ffn_gate", type, d, f);
    t = matrix(t, "ffn_up", type, d, f);
    t = matrix(t, "ffn_down", type, f, d);
    if (net->biases & BIAS_FFN) {
        t = vector(t, "ffn_gate.bias", PART_ZEROS, f);
        t = vector(t, "ffn_up.bias", PART_ZEROS, f);
        t = vector(t, "ffn_down.bias", PART_ZEROS, d);
    }
    for (; ffn < t; ffn++)
        ffn->is_ffn = true;
    plan->n_per_layer = (int)(t - plan->layer);
}

static int64_t n_tensors(const struct plan *plan)
{
    return plan->n_edges + plan->n_layers * plan->n_per_layer;
}

/* Tensor i; its name in the file and the name its random numbers come from. */
static const struct tensor *plan_tensor(const struct plan *plan, int64_t i, char name[96],
                                        char source[96])
{
    if (i < plan->n_edges) {
        snprintf(name, 96, "%s", plan->edges[i].name);
        snprintf(source, 96, "%s", plan->edges[i].name);
        return &plan->edges[i];
    }
    int64_t execution = (i - plan->n_edges) / plan->n_per_layer;
    const struct tensor *tensor = &plan->layer[(i - plan->n_edges) % plan->n_per_layer];
    int64_t block = schedule_block(&plan->net->schedule, execution);
    if (plan->net->schedule.share_ffn && tensor->is_ffn)
        block = 0;
    snprintf(name, 96, "blk.%" PRId64 ".%s", execution, tensor->name);
    snprintf(source, 96, "blk.%" PRId64 ".%s", block, tensor->name);
    return tensor;
}

static int64_t tensor_bytes(const struct tensor *tensor)
{
    int64_t rows = tensor->part == PART_MATRIX ? tensor->rows : 1;
    return rows * dtype_row_bytes(tensor->dtype, tensor->row);
}

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ggml's numbers of the types that can be written. */
static int64_t ggml_type(enum dtype dtype)
{
    switch (dtype) {
    case DTYPE_F32:
        return 0;
    case DTYPE_F16:
        return 1;
    case DTYPE_Q4_0:
        return 2;
    case DTYPE_Q8_0:
        return 8;
    case DTYPE_BF16:
        return 30;
    default:
        return -1;
    }
}

/* llama.cpp's "mostly" file types. */
static uint32_t file_type(enum dtype dtype)
{
    return dtype == DTYPE_F32    ? 0
           : dtype == DTYPE_F16  ? 1
           : dtype == DTYPE_Q4_0 ? 2
           : dtype == DTYPE_Q8_0 ? 7
                                 : 32;
}

static enum status refuse(struct err *err, const char *reason)
{
    return err_set(err, STATUS_UNSUPPORTED, "cannot write as GGUF: %s", reason);
}

static enum status check_kinds(const struct transformer *net, struct err *err)
{
    const struct block *block = &net->stack.first;
    if (!stack_is_uniform(&net->stack))
        return refuse(err, "the layers differ, runtimes load uniform stacks only");
    if (block->mixer != MIXER_ATTENTION)
        return refuse(err, "a layer without attention (or RWKV) is not in any llama-like family");
    if (block->window > 0)
        return refuse(err, "sliding windows are not in any llama-like family");
    if (net->ffn != FFN_SWIGLU)
        return refuse(err, "the FFN is not SwiGLU");
    if (net->norm != NORM_RMS || !net->norm_weight || net->norm_bias)
        return refuse(err, "norms other than RMS norm with weights");
    if (net->norm_placement != NORM_PRE || net->embed_norm || !net->final_norm)
        return refuse(err, "norms elsewhere than before attention, FFN and head");
    if (net->parallel_block)
        return refuse(err, "attention and FFN are parallel");
    if (net->position != POSITION_ROPE || net->rope_frac != 1)
        return refuse(err, "positions other than rotary over the whole head");
    if (net->d_embed != net->d_model)
        return refuse(err, "the token table is factored");
    if ((net->biases & BIAS_HEAD) || (net->qk_norm != QK_NORM_NONE && net->biases))
        return refuse(err, "a bias on the head, or biases beside norms of q and k");
    if ((net->biases & BIAS_QKV) && block->n_heads * block->d_head != net->d_model)
        return refuse(err, "biases on q need n_heads * d_head equal to d_model");
    double usual = 1 / sqrt((double)block->d_head);
    if (net->attention_scale != 0 && fabs(net->attention_scale - usual) > usual * 1e-6)
        return refuse(err, "the attention scale is not 1/sqrt(d_head)");
    if ((net->embed_scale != 0 && net->embed_scale != 1) || net->attention_softcap != 0 ||
        net->logit_softcap != 0)
        return refuse(err, "scaled embeddings or soft caps");
    return STATUS_OK;
}

static enum status check_types(const struct transformer *net, struct err *err)
{
    const struct block *block = &net->stack.first;
    const struct {
        const char *what, *dimension;
        enum dtype dtype;
        int64_t row;
    } uses[] = {
        {"the token table", "d_model", net->embedding_dtype, net->d_model},
        {"the head", "d_model", net->head_dtype, net->d_model},
        {"the blocks", "d_model", net->block_dtype, net->d_model},
        {"the blocks", "n_heads * d_head", net->block_dtype, block->n_heads * block->d_head},
        {"the blocks", "d_ff", net->block_dtype, block->d_ff},
    };
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        int64_t elems = dtype_block_elems(uses[i].dtype);
        if (ggml_type(uses[i].dtype) < 0)
            return err_set(
                err, STATUS_UNSUPPORTED,
                "cannot write as GGUF: type %s of %s; types are f32, f16, bf16, q8_0 and "
                "q4_0",
                dtype_name(uses[i].dtype), uses[i].what);
        if (uses[i].row % elems != 0)
            return err_set(err, STATUS_UNSUPPORTED,
                           "cannot write as GGUF: %s of type %s need rows of whole blocks, but %s "
                           "is %" PRId64 ", not a multiple of %" PRId64,
                           uses[i].what, dtype_name(uses[i].dtype), uses[i].dimension, uses[i].row,
                           elems);
    }
    if (net->vocab_size < SMALLEST_VOCABULARY)
        return err_set(err, STATUS_UNSUPPORTED,
                       "cannot write as GGUF: vocab_size is %" PRId64
                       ", a runtime needs %d pieces for <unk>, <s>, </s> and the bytes",
                       net->vocab_size, SMALLEST_VOCABULARY);
    return STATUS_OK;
}

static bool is_shared(const struct transformer *net)
{
    return net->schedule.sharing != SHARING_NONE || net->schedule.share_ffn;
}

static enum status check(const struct transformer *net, const struct gguf_write_options *options,
                         struct text *warnings, struct err *err)
{
    enum status status = check_kinds(net, err);
    if (status != STATUS_OK || (status = check_types(net, err)))
        return status;
    int64_t n_layers = schedule_executions(&net->schedule);
    if (is_shared(net) && !options->expand_shared)
        return refuse(err, "blocks are shared, and the format has no schedule to say so");
    if (warnings == NULL)
        return STATUS_OK;
    if (is_shared(net)) {
        char schedule[48];
        text_addf(warnings,
                  "shared blocks (%s) are written out as %" PRId64
                  " layers, with equal weights in those that share\n",
                  schedule_describe(&net->schedule, schedule, sizeof schedule), n_layers);
    }
    if (net->qk_norm == QK_NORM_WEIGHTLESS)
        text_add(warnings, "norms of q and k without weights are left out\n");
    if (n_layers > LAYERS_OF_A_RUNTIME)
        text_addf(warnings, "%" PRId64 " layers are more than the %d that llama.cpp loads\n",
                  n_layers, LAYERS_OF_A_RUNTIME);
    return STATUS_OK;
}

/* Counts what it writes, since a pipe cannot be asked. Errors are seen at the commit. */
struct sink {
    FILE *stream;
    int64_t written, total; /* total: 0 until it is known */
    bool stopped;
};

static void put(struct sink *sink, const void *bytes, size_t n)
{
    fwrite(bytes, 1, n, sink->stream);
    sink->written += (int64_t)n;
}

/* Little-endian machines only, as quantize.c asserts. */
static void put_u32(struct sink *sink, uint32_t value)
{
    put(sink, &value, sizeof value);
}

static void put_u64(struct sink *sink, uint64_t value)
{
    put(sink, &value, sizeof value);
}

static void put_f32(struct sink *sink, double value)
{
    float narrow = (float)value;
    put(sink, &narrow, sizeof narrow);
}

static void put_string(struct sink *sink, const char *text)
{
    size_t length = strlen(text);
    put_u64(sink, length);
    put(sink, text, length);
}

struct metadata {
    struct sink *sink;
    const char *architecture;
    uint64_t n_keys;
};

static void put_key(struct metadata *m, const char *key, enum gguf_type type)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", key[0] == '.' ? m->architecture : "", key);
    put_string(m->sink, full);
    put_u32(m->sink, type);
    m->n_keys++;
}

static void put_key_u32(struct metadata *m, const char *key, int64_t value)
{
    put_key(m, key, GGUF_UINT32);
    put_u32(m->sink, (uint32_t)value);
}

static void put_key_f32(struct metadata *m, const char *key, double value)
{
    put_key(m, key, GGUF_FLOAT32);
    put_f32(m->sink, value);
}

static void put_key_bool(struct metadata *m, const char *key, bool value)
{
    put_key(m, key, GGUF_BOOL);
    put(m->sink, &(uint8_t){value}, 1);
}

static void put_key_string(struct metadata *m, const char *key, const char *value)
{
    put_key(m, key, GGUF_STRING);
    put_string(m->sink, value);
}

static void put_key_array(struct metadata *m, const char *key, enum gguf_type type, int64_t n)
{
    put_key(m, key, GGUF_ARRAY);
    put_u32(m->sink, type);
    put_u64(m->sink, (uint64_t)n);
}

static void put_piece(struct sink *sink, int64_t id)
{
    static const char *const special[N_SPECIAL] = {"<unk>", "<s>", "</s>"};
    char piece[32];
    if (id < N_SPECIAL)
        snprintf(piece, sizeof piece, "%s", special[id]);
    else if (id < SMALLEST_VOCABULARY)
        snprintf(piece, sizeof piece, "<0x%02X>", (unsigned)(id - N_SPECIAL));
    else /* U+2581 is SentencePiece's space */
        snprintf(piece, sizeof piece, "\xe2\x96\x81%" PRId64, id);
    put_string(sink, piece);
}

static void put_vocabulary(struct metadata *m, int64_t n)
{
    enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6 };
    put_key_string(m, "tokenizer.ggml.model", "llama");
    put_key_array(m, "tokenizer.ggml.tokens", GGUF_STRING, n);
    for (int64_t id = 0; id < n; id++)
        put_piece(m->sink, id);
    put_key_array(m, "tokenizer.ggml.scores", GGUF_FLOAT32, n);
    for (int64_t id = 0; id < n; id++)
        put_f32(m->sink, id < SMALLEST_VOCABULARY ? 0 : (double)-id);
    put_key_array(m, "tokenizer.ggml.token_type", GGUF_INT32, n);
    for (int64_t id = 0; id < n; id++)
        put_u32(m->sink, id == 0                    ? UNKNOWN
                         : id < N_SPECIAL           ? CONTROL
                         : id < SMALLEST_VOCABULARY ? BYTE
                                                    : NORMAL);
    put_key_u32(m, "tokenizer.ggml.unknown_token_id", 0);
    put_key_u32(m, "tokenizer.ggml.bos_token_id", 1);
    put_key_u32(m, "tokenizer.ggml.eos_token_id", 2);
    put_key_bool(m, "tokenizer.ggml.add_bos_token", true);
    put_key_bool(m, "tokenizer.ggml.add_eos_token", false);
}

/* Known beforehand, as it stands before the keys. */
static uint64_t n_keys(const struct plan *plan)
{
    const struct block *block = &plan->net->stack.first;
    return block->n_heads * block->d_head == plan->net->d_model ? 26 : 28;
}

static void put_metadata(const struct plan *plan, struct sink *sink)
{
    const struct transformer *net = plan->net;
    const struct block *block = &net->stack.first;
    struct metadata m = {.sink = sink, .architecture = plan->architecture};
    put_key_string(&m, "general.architecture", plan->architecture);
    put_key_string(&m, "general.type", "model");
    put_key_string(&m, "general.name", net->name[0] ? net->name : "candidate");
    put_key_string(&m, "general.description", "random weights for timing, never trained");
    put_key_u32(&m, "general.file_type", file_type(net->block_dtype));
    put_key_u32(&m, "general.quantization_version", 2);
    put_key(&m, "lathe.seed", GGUF_UINT64);
    put_u64(sink, plan->options->seed);
    put_key_u32(&m, ".vocab_size", net->vocab_size);
    put_key_u32(&m, ".context_length", net->max_context);
    put_key_u32(&m, ".embedding_length", net->d_model);
    put_key_u32(&m, ".block_count", plan->n_layers);
    put_key_u32(&m, ".feed_forward_length", block->d_ff);
    put_key_u32(&m, ".attention.head_count", block->n_heads);
    put_key_u32(&m, ".attention.head_count_kv", block->n_kv_heads);
    if (block->n_heads * block->d_head != net->d_model) {
        put_key_u32(&m, ".attention.key_length", block->d_head);
        put_key_u32(&m, ".attention.value_length", block->d_head);
    }
    put_key_f32(&m, ".attention.layer_norm_rms_epsilon", net->norm_eps);
    put_key_u32(&m, ".rope.dimension_count", block->d_head);
    put_key_f32(&m, ".rope.freq_base", net->rope_theta);
    put_vocabulary(&m, net->vocab_size);
    assert(m.n_keys == n_keys(plan));
}

/* Returns the bytes of the data they describe. */
static int64_t put_tensor_infos(const struct plan *plan, struct sink *sink)
{
    int64_t offset = 0;
    for (int64_t i = 0; i < n_tensors(plan); i++) {
        char name[96], source[96];
        const struct tensor *tensor = plan_tensor(plan, i, name, source);
        put_string(sink, name);
        put_u32(sink, tensor->part == PART_MATRIX ? 2 : 1);
        put_u64(sink, (uint64_t)tensor->row);
        if (tensor->part == PART_MATRIX)
            put_u64(sink, (uint64_t)tensor->rows);
        put_u32(sink, (uint32_t)ggml_type(tensor->dtype));
        put_u64(sink, (uint64_t)offset);
        offset += padded(tensor_bytes(tensor));
    }
    return offset;
}

static void put_padding(struct sink *sink, int64_t bytes)
{
    static const char zeros[ALIGNMENT];
    put(sink, zeros, (size_t)(padded(bytes) - bytes));
}

/* FNV-1a of the name the numbers come from, stirred with the seed by rng_init. */
static uint64_t seed_of(const char *source, uint64_t seed)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (; *source != '\0'; source++)
        hash = (hash ^ (uint8_t)*source) * 0x100000001b3;
    return hash ^ seed * 0x9e3779b97f4a7c15;
}

/* Four 16-bit uniforms of one draw: their sum has mean 2 (65535 / 2) and variance 4 (2^32 - 1)
 * / 12.
 */
static void fill_normal(struct rng *rng, int64_t n, float sigma, float *out)
{
    const float scale = sigma / (65536.0f * sqrtf(1.0f / 3));
    for (int64_t i = 0; i < n; i++) {
        uint64_t draw = rng_next(rng);
        int32_t sum = (int32_t)(draw & 0xffff) + (int32_t)(draw >> 16 & 0xffff) +
                      (int32_t)(draw >> 32 & 0xffff) + (int32_t)(draw >> 48);
        out[i] = (float)(sum - 131070) * scale;
    }
}

static bool goes_on(const struct plan *plan, struct sink *sink)
{
    const struct gguf_write_options *options = plan->options;
    if (options->go_on != NULL && !options->go_on(options->context, sink->written, sink->total))
        sink->stopped = true;
    return !sink->stopped && !ferror(sink->stream);
}

static void put_tensor(const struct plan *plan, const struct tensor *tensor, const char *source,
                       struct sink *sink, float *row, void *stored)
{
    size_t row_bytes = (size_t)dtype_row_bytes(tensor->dtype, tensor->row);
    if (tensor->part != PART_MATRIX) {
        for (int64_t i = 0; i < tensor->row; i++)
            row[i] = tensor->part == PART_ONES ? 1.0f : 0.0f;
        put(sink, row, row_bytes);
    }
    struct rng rng;
    float sigma = 1 / sqrtf((float)tensor->row);
    rng_init(&rng, seed_of(source, plan->options->seed));
    for (int64_t i = 0; i < tensor->rows && goes_on(plan, sink); i++) {
        fill_normal(&rng, tensor->row, sigma, row);
        quantize_row(tensor->dtype, tensor->row, row, stored);
        put(sink, stored, row_bytes);
    }
    put_padding(sink, tensor_bytes(tensor));
}

static int64_t longest_row(const struct plan *plan)
{
    int64_t longest = 0;
    for (int i = 0; i < plan->n_edges; i++)
        longest = plan->edges[i].row > longest ? plan->edges[i].row : longest;
    for (int i = 0; i < plan->n_per_layer; i++)
        longest = plan->layer[i].row > longest ? plan->layer[i].row : longest;
    return longest;
}

/* False: stopped by the caller. */
static bool put_file(const struct plan *plan, FILE *stream, float *row, void *stored)
{
    struct sink sink = {.stream = stream};
    put(&sink, "GGUF", 4);
    put_u32(&sink, 3);
    put_u64(&sink, (uint64_t)n_tensors(plan));
    put_u64(&sink, n_keys(plan));
    put_metadata(plan, &sink);
    int64_t data_bytes = put_tensor_infos(plan, &sink);
    put_padding(&sink, sink.written);
    sink.total = sink.written + data_bytes;
    for (int64_t i = 0; i < n_tensors(plan) && goes_on(plan, &sink); i++) {
        char name[96], source[96];
        const struct tensor *tensor = plan_tensor(plan, i, name, source);
        put_tensor(plan, tensor, source, &sink, row, stored);
    }
    return !sink.stopped;
}

enum status gguf_write_stream(const struct transformer *net, FILE *stream,
                              const struct gguf_write_options *options, struct text *warnings,
                              struct err *err)
{
    struct plan plan;
    enum status status = check(net, options, warnings, err);
    if (status != STATUS_OK)
        return status;
    make_plan(net, options, &plan);
    size_t longest = (size_t)longest_row(&plan);
    float *row = memory_new(longest, sizeof *row);
    void *stored = memory_new(longest, sizeof *row); /* no type is wider */
    if (row == NULL || stored == NULL)
        status = err_set(err, STATUS_NOMEM, "cannot write as GGUF: out of memory");
    else if (!put_file(&plan, stream, row, stored))
        status = err_set(err, STATUS_INTERRUPTED, "interrupted: nothing was written");
    memory_free(row);
    memory_free(stored);
    return status;
}

enum status gguf_write(const struct transformer *net, const char *path,
                       const struct gguf_write_options *options, struct text *warnings,
                       struct err *err)
{
    struct file_out out;
    enum status status = check(net, options, NULL, err);
    if (status != STATUS_OK || (status = file_create(&out, path, err)))
        return status;
    status = gguf_write_stream(net, out.stream, options, warnings, err);
    if (status == STATUS_OK)
        return file_commit(&out, err);
    file_abandon(&out);
    return status;
}

enum status gguf_expand(const struct transformer *net, struct transformer *out, struct err *err)
{
    int64_t n = schedule_executions(&net->schedule);
    struct stack stack = {.first = net->stack.first};
    if (!stack_is_uniform(&net->stack)) {
        struct block *blocks = memory_new((size_t)n, sizeof *blocks);
        if (blocks == NULL)
            return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", n);
        for (int64_t i = 0; i < n; i++)
            blocks[i] = *transformer_block(net, schedule_block(&net->schedule, i));
        enum status status = stack_set(&stack, blocks, n, err);
        memory_free(blocks);
        if (status != STATUS_OK)
            return status;
    }
    *out = *net;
    out->stack = stack;
    out->schedule = (struct schedule){.sharing = SHARING_NONE, .n_layers = n, .repeats = 1};
    if (out->qk_norm == QK_NORM_WEIGHTLESS)
        out->qk_norm = QK_NORM_NONE;
    return STATUS_OK;
}
