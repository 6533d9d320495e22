#include "model/gguf_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/gguf_put.h"
#include "model/gguf_writable.h"
#include "model/quantize.h"
#include "model/tensors.h"

enum { ALIGNMENT = 32 };

enum fill {
    FILL_RANDOM,
    FILL_ONES,
    FILL_ZEROS,
};

/* A tensor of the file. */
struct entry {
    char name[64];     /* after "blk.N." in a block */
    int64_t row, rows; /* rows 0: a vector */
    enum fill fill;
    enum dtype dtype;
    bool is_shared; /* block 0's in all blocks */
};

/* The tensors of a file in order: edges first, then the same list for every execution. Nothing here
 * grows with depth or width. */
struct plan {
    const struct transformer *net;
    const struct gguf_write_options *options;
    const char *architecture;
    int64_t n_layers; /* executions */
    int n_edges, n_per_layer;
    struct entry edges[2 * MAX_TENSORS], layer[2 * MAX_TENSORS];
};

static struct entry *add(const struct transformer *net, const struct tensor *tensor, enum fill fill,
                         struct entry *out)
{
    bool is_matrix = tensor->rows > 0, is_bias = fill == FILL_ZEROS;
    *out = (struct entry){
        .row = is_bias ? tensor_bias_elements(tensor) : tensor->columns,
        .rows = is_bias ? 0 : tensor->rows,
        .fill = fill,
        .dtype = is_matrix && !is_bias ? tensor->dtype : DTYPE_F32,
        .is_shared = !tensor_is_stored(net, tensor, 1),
    };
    snprintf(out->name, sizeof out->name, "%s.%s", tensor_traits(tensor->role)->gguf,
             is_bias ? "bias" : "weight");
    return out + 1;
}

/* Of each part its matrices, then their biases, then its vectors. */
static struct entry *add_list(const struct transformer *net, const struct tensor_list *list,
                              struct entry *out)
{
    for (int first = 0, end; first < list->n; first = end) {
        enum tensor_part part = list->tensors[first].part;
        for (end = first + 1; end < list->n; end++)
            if (list->tensors[end].part != part)
                break;
        for (int i = first; i < end; i++)
            if (list->tensors[i].has_weight && list->tensors[i].rows > 0)
                out = add(net, &list->tensors[i], FILL_RANDOM, out);
        for (int i = first; i < end; i++)
            if (list->tensors[i].has_bias)
                out = add(net, &list->tensors[i], FILL_ZEROS, out);
        for (int i = first; i < end; i++)
            if (list->tensors[i].has_weight && list->tensors[i].rows == 0)
                out = add(net, &list->tensors[i], FILL_ONES, out);
    }
    return out;
}

static void make_plan(const struct transformer *net, const struct gguf_write_options *options,
                      struct plan *plan)
{
    struct tensor_list before, after, block;
    *plan = (struct plan){.net = net,
                          .options = options,
                          .architecture = net->qk_norm == QK_NORM_WEIGHTED ? "qwen3"
                                          : net->biases == BIAS_QKV        ? "qwen2"
                                                                           : "llama",
                          .n_layers = schedule_executions(&net->schedule)};
    tensors_before(net, &before);
    tensors_after(net, &after);
    tensors_of_block(net, &net->stack.first, &block);
    struct entry *edges = add_list(net, &before, plan->edges);
    plan->n_edges = (int)(add_list(net, &after, edges) - plan->edges);
    plan->n_per_layer = (int)(add_list(net, &block, plan->layer) - plan->layer);
}

static int64_t n_tensors(const struct plan *plan)
{
    return plan->n_edges + plan->n_layers * plan->n_per_layer;
}

/* Tensor i; its name in the file and the name its random numbers come from. */
static const struct entry *plan_entry(const struct plan *plan, int64_t i, char name[96],
                                      char source[96])
{
    if (i < plan->n_edges) {
        snprintf(name, 96, "%s", plan->edges[i].name);
        snprintf(source, 96, "%s", plan->edges[i].name);
        return &plan->edges[i];
    }
    int64_t execution = (i - plan->n_edges) / plan->n_per_layer;
    const struct entry *entry = &plan->layer[(i - plan->n_edges) % plan->n_per_layer];
    int64_t block = schedule_block(&plan->net->schedule, execution);
    if (entry->is_shared)
        block = 0;
    snprintf(name, 96, "blk.%" PRId64 ".%s", execution, entry->name);
    snprintf(source, 96, "blk.%" PRId64 ".%s", block, entry->name);
    return entry;
}

static int64_t entry_bytes(const struct entry *entry)
{
    int64_t rows = entry->fill == FILL_RANDOM ? entry->rows : 1;
    return rows * dtype_row_bytes(entry->dtype, entry->row);
}

static int64_t padded(int64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Known beforehand, as it stands before the keys. */
static uint64_t n_keys(const struct plan *plan)
{
    const struct block *block = &plan->net->stack.first;
    return block->n_heads * block->d_head == plan->net->d_model ? 26 : 28;
}

static void put_metadata(const struct plan *plan, struct gguf_sink *sink)
{
    const struct transformer *net = plan->net;
    const struct block *block = &net->stack.first;
    struct gguf_metadata m = {.sink = sink, .architecture = plan->architecture};
    gguf_put_key_string(&m, "general.architecture", plan->architecture);
    gguf_put_key_string(&m, "general.type", "model");
    gguf_put_key_string(&m, "general.name", net->name[0] ? net->name : "candidate");
    gguf_put_key_string(&m, "general.description", "random weights for timing, never trained");
    gguf_put_key_u32(&m, "general.file_type", dtype_ggml_file_type(net->block_dtype));
    gguf_put_key_u32(&m, "general.quantization_version", 2);
    gguf_put_key(&m, "lathe.seed", GGUF_UINT64);
    gguf_put_u64(sink, plan->options->seed);
    gguf_put_key_u32(&m, ".vocab_size", net->vocab_size);
    gguf_put_key_u32(&m, ".context_length", net->max_context);
    gguf_put_key_u32(&m, ".embedding_length", net->d_model);
    gguf_put_key_u32(&m, ".block_count", plan->n_layers);
    gguf_put_key_u32(&m, ".feed_forward_length", block->d_ff);
    gguf_put_key_u32(&m, ".attention.head_count", block->n_heads);
    gguf_put_key_u32(&m, ".attention.head_count_kv", block->n_kv_heads);
    if (block->n_heads * block->d_head != net->d_model) {
        gguf_put_key_u32(&m, ".attention.key_length", block->d_head);
        gguf_put_key_u32(&m, ".attention.value_length", block->d_head);
    }
    gguf_put_key_f32(&m, ".attention.layer_norm_rms_epsilon", net->norm_eps);
    gguf_put_key_u32(&m, ".rope.dimension_count", block->d_head);
    gguf_put_key_f32(&m, ".rope.freq_base", net->rope_theta);
    gguf_put_vocabulary(&m, net->vocab_size);
    assert(m.n_keys == n_keys(plan));
}

/* Returns the bytes of the data they describe. */
static int64_t put_tensor_infos(const struct plan *plan, struct gguf_sink *sink)
{
    int64_t offset = 0;
    for (int64_t i = 0; i < n_tensors(plan); i++) {
        char name[96], source[96];
        const struct entry *entry = plan_entry(plan, i, name, source);
        gguf_put_string(sink, name);
        gguf_put_u32(sink, entry->fill == FILL_RANDOM ? 2 : 1);
        gguf_put_u64(sink, (uint64_t)entry->row);
        if (entry->fill == FILL_RANDOM)
            gguf_put_u64(sink, (uint64_t)entry->rows);
        gguf_put_u32(sink, (uint32_t)dtype_ggml_type(entry->dtype));
        gguf_put_u64(sink, (uint64_t)offset);
        offset += padded(entry_bytes(entry));
    }
    return offset;
}

static void put_padding(struct gguf_sink *sink, int64_t bytes)
{
    static const char zeros[ALIGNMENT];
    gguf_put(sink, zeros, (size_t)(padded(bytes) - bytes));
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

static bool goes_on(const struct plan *plan, struct gguf_sink *sink)
{
    const struct gguf_write_options *options = plan->options;
    if (options->go_on != NULL && !options->go_on(options->context, sink->written, sink->total))
        sink->stopped = true;
    return !sink->stopped && !ferror(sink->stream);
}

static void put_entry(const struct plan *plan, const struct entry *entry, const char *source,
                      struct gguf_sink *sink, float *row, void *stored)
{
    size_t row_bytes = (size_t)dtype_row_bytes(entry->dtype, entry->row);
    if (entry->fill != FILL_RANDOM) {
        for (int64_t i = 0; i < entry->row; i++)
            row[i] = entry->fill == FILL_ONES ? 1.0f : 0.0f;
        gguf_put(sink, row, row_bytes);
    }
    struct rng rng;
    float sigma = 1 / sqrtf((float)entry->row);
    rng_init(&rng, seed_of(source, plan->options->seed));
    for (int64_t i = 0; i < entry->rows && goes_on(plan, sink); i++) {
        fill_normal(&rng, entry->row, sigma, row);
        quantize_row(entry->dtype, entry->row, row, stored);
        gguf_put(sink, stored, row_bytes);
    }
    put_padding(sink, entry_bytes(entry));
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
    struct gguf_sink sink = {.stream = stream};
    gguf_put(&sink, "GGUF", 4);
    gguf_put_u32(&sink, 3);
    gguf_put_u64(&sink, (uint64_t)n_tensors(plan));
    gguf_put_u64(&sink, n_keys(plan));
    put_metadata(plan, &sink);
    int64_t data_bytes = put_tensor_infos(plan, &sink);
    put_padding(&sink, sink.written);
    sink.total = sink.written + data_bytes;
    for (int64_t i = 0; i < n_tensors(plan) && goes_on(plan, &sink); i++) {
        char name[96], source[96];
        const struct entry *entry = plan_entry(plan, i, name, source);
        put_entry(plan, entry, source, &sink, row, stored);
    }
    return !sink.stopped;
}

enum status gguf_write_stream(const struct transformer *net, FILE *stream,
                              const struct gguf_write_options *options, struct text *warnings,
                              struct err *err)
{
    struct plan plan;
    enum status status = gguf_writable(net, options->expand_shared, warnings, err);
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
    enum status status = gguf_writable(net, options->expand_shared, NULL, err);
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
