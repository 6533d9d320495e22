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
    char name[80], source[80]; /* in the file; of what its random numbers come from */
    int64_t row, rows;         /* rows 0: a vector */
    enum fill fill;
    enum dtype dtype;
};

struct plan {
    const struct transformer *net;
    const struct gguf_layout *layout;
    const struct gguf_write_options *options;
    int64_t n_layers; /* executions */
};

/* The tensors of a file in order: edges, then those of every execution. Nothing grows with depth. */
struct walk {
    const struct plan *plan;
    int64_t execution; /* -1: the edges */
    int i, n;
    struct entry entries[2 * MAX_TENSORS];
};

/* "blk.3.attn_q", for the edges "output". */
static void put_name(int64_t layer, const char *tensor, const char *part, char out[80])
{
    if (layer < 0)
        snprintf(out, 80, "%s.%s", tensor, part);
    else
        snprintf(out, 80, "blk.%" PRId64 ".%s.%s", layer, tensor, part);
}

static void add(struct walk *w, const struct tensor *tensor, const char *name, int64_t rows,
                enum fill fill)
{
    const struct transformer *net = w->plan->net;
    bool is_matrix = tensor->rows > 0, is_bias = fill == FILL_ZEROS;
    struct entry *entry = &w->entries[w->n++];
    assert(w->n <= 2 * MAX_TENSORS);
    *entry = (struct entry){
        .row = is_bias ? tensor_bias_elements(tensor) : tensor->columns,
        .rows = is_bias ? 0 : rows,
        .fill = fill,
        .dtype = is_matrix && !is_bias ? tensor->dtype : DTYPE_F32,
    };
    int64_t block = w->execution < 0 ? -1 : transformer_block_of(net, w->execution);
    bool is_stored = block < 0 || tensor_is_stored(net, tensor, block);
    bool is_copy = tensor->role == TENSOR_HEAD && net->tie_embeddings;
    const char *part = is_bias ? "bias" : "weight";
    put_name(w->execution, name, part, entry->name);
    put_name(is_stored ? block : 0, is_copy ? tensor_traits(TENSOR_EMBEDDING)->gguf : name, part,
             entry->source);
}

static void add_matrix(struct walk *w, const struct tensor_list *list, const struct tensor *tensor)
{
    const char *name = tensor_traits(tensor->role)->gguf;
    bool is_kv = tensor->role == TENSOR_K || tensor->role == TENSOR_V;
    if (!w->plan->layout->fuses_qkv || (tensor->role != TENSOR_Q && !is_kv))
        add(w, tensor, name, tensor->rows, FILL_RANDOM);
    else if (!is_kv)
        add(w, tensor, "attn_qkv",
            tensor->rows + tensor_find(list, TENSOR_K)->rows + tensor_find(list, TENSOR_V)->rows,
            FILL_RANDOM);
}

static bool is_written(const struct plan *plan, const struct tensor *tensor)
{
    return tensor->has_weight || (tensor->role == TENSOR_HEAD && plan->layout->is_untied);
}

/* Of each part its matrices, then their biases, then its vectors. */
static void add_list(struct walk *w, const struct tensor_list *list)
{
    for (int first = 0, end; first < list->n; first = end) {
        enum tensor_part part = list->tensors[first].part;
        for (end = first + 1; end < list->n; end++)
            if (list->tensors[end].part != part)
                break;
        for (int i = first; i < end; i++)
            if (is_written(w->plan, &list->tensors[i]) && list->tensors[i].rows > 0)
                add_matrix(w, list, &list->tensors[i]);
        for (int i = first; i < end; i++)
            if (list->tensors[i].has_bias)
                add(w, &list->tensors[i], tensor_traits(list->tensors[i].role)->gguf, 0,
                    FILL_ZEROS);
        for (int i = first; i < end; i++)
            if (list->tensors[i].has_weight && list->tensors[i].rows == 0)
                add(w, &list->tensors[i], tensor_traits(list->tensors[i].role)->gguf, 0, FILL_ONES);
    }
}

static const struct block *block_of(const struct plan *plan, int64_t execution)
{
    return transformer_block(plan->net, transformer_block_of(plan->net, execution));
}

static void list_tensors(struct walk *w)
{
    struct tensor_list list;
    w->i = w->n = 0;
    if (w->execution >= 0) {
        tensors_of_layer(w->plan->net, transformer_block_of(w->plan->net, w->execution), &list);
        add_list(w, &list);
        return;
    }
    tensors_before(w->plan->net, &list);
    add_list(w, &list);
    tensors_after(w->plan->net, &list);
    add_list(w, &list);
}

static void walk_begin(const struct plan *plan, struct walk *w)
{
    w->plan = plan;
    w->execution = -1;
    list_tensors(w);
}

/* NULL: there are no more. */
static const struct entry *walk_next(struct walk *w)
{
    if (w->i == w->n) {
        if (++w->execution >= w->plan->n_layers)
            return NULL;
        list_tensors(w);
    }
    return &w->entries[w->i++];
}

static int64_t n_tensors(const struct plan *plan)
{
    struct walk w;
    int64_t n = 0;
    for (walk_begin(plan, &w); walk_next(&w) != NULL;)
        n++;
    return n;
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

static int64_t n_heads_of(const struct block *block)
{
    return block->n_heads;
}

static int64_t n_kv_heads_of(const struct block *block)
{
    return block->n_kv_heads;
}

static int64_t d_ff_of(const struct block *block)
{
    return block->d_ff;
}

static int64_t is_windowed(const struct block *block)
{
    return block->window > 0;
}

/* One number, or where layers differ one a layer. */
static void put_by_layer(const struct plan *plan, struct gguf_metadata *m, const char *key,
                         int64_t (*value_of)(const struct block *))
{
    int64_t first = value_of(block_of(plan, 0));
    bool differs = false;
    for (int64_t i = 1; i < plan->n_layers; i++)
        differs = differs || value_of(block_of(plan, i)) != first;
    if (!differs) {
        gguf_put_key_u32(m, key, first);
        return;
    }
    gguf_put_key_array(m, key, GGUF_INT32, plan->n_layers);
    for (int64_t i = 0; i < plan->n_layers; i++)
        gguf_put_u32(m->sink, (uint32_t)value_of(block_of(plan, i)));
}

/* Which layers have the window, always one by one. The one architecture that needs it, mimo2, wants a
 * width of experts even where there are none. */
static void list_windows(const struct plan *plan, struct gguf_metadata *m)
{
    gguf_put_key_array(m, ".attention.sliding_window_pattern", GGUF_BOOL, plan->n_layers);
    for (int64_t i = 0; i < plan->n_layers; i++)
        gguf_put(m->sink, &(uint8_t){(uint8_t)is_windowed(block_of(plan, i))}, 1);
    gguf_put_key_f32(m, ".rope.freq_base_swa", plan->net->rope_theta);
    gguf_put_key_u32(m, ".expert_feed_forward_length", block_of(plan, 0)->d_ff);
}

static void put_windows(const struct plan *plan, struct gguf_metadata *m)
{
    int64_t window = 0;
    for (int64_t i = 0; window == 0; i++)
        window = block_of(plan, i)->window;
    gguf_put_key_u32(m, ".attention.sliding_window", window);
    if (plan->layout->windows == GGUF_WINDOWS_LISTED)
        list_windows(plan, m);
}

static int64_t d_head_of(const struct plan *plan)
{
    int64_t i = 0;
    while (block_of(plan, i)->mixer != MIXER_ATTENTION)
        i++;
    return block_of(plan, i)->d_head;
}

/* A reader without these two divides the width by the first layer's heads. */
static bool needs_lengths(const struct plan *plan)
{
    const struct block *first = block_of(plan, 0);
    return first->n_heads * first->d_head != plan->net->d_model ||
           !stack_is_uniform(&plan->net->stack);
}

/* Returns how many keys there are. */
static uint64_t put_metadata(const struct plan *plan, struct gguf_sink *sink)
{
    const struct transformer *net = plan->net;
    const char *architecture = plan->layout->architecture;
    int64_t d_head = d_head_of(plan);
    struct gguf_metadata m = {.sink = sink, .architecture = architecture};
    gguf_put_key_string(&m, "general.architecture", architecture);
    gguf_put_key_string(&m, "general.type", "model");
    gguf_put_key_string(&m, "general.name", net->name[0] ? net->name : "candidate");
    gguf_put_key_string(&m, "general.description", "random weights for timing, never trained");
    gguf_put_key_u32(
        &m, "general.file_type",
        dtype_ggml_file_type(is_file_type(net->file_type) ? net->file_type : net->block_dtype));
    gguf_put_key_u32(&m, "general.quantization_version", 2);
    gguf_put_key(&m, "lathe.seed", GGUF_UINT64);
    gguf_put_u64(sink, plan->options->seed);
    gguf_put_key_u32(&m, ".vocab_size", net->vocab_size);
    gguf_put_key_u32(&m, ".context_length", net->max_context);
    gguf_put_key_u32(&m, ".embedding_length", net->d_model);
    gguf_put_key_u32(&m, ".block_count", plan->n_layers);
    put_by_layer(plan, &m, ".feed_forward_length", d_ff_of);
    put_by_layer(plan, &m, ".attention.head_count", n_heads_of);
    put_by_layer(plan, &m, ".attention.head_count_kv", n_kv_heads_of);
    if (needs_lengths(plan)) {
        gguf_put_key_u32(&m, ".attention.key_length", d_head);
        gguf_put_key_u32(&m, ".attention.value_length", d_head);
    }
    gguf_put_key_f32(&m, ".attention.layer_norm_rms_epsilon", net->norm_eps);
    gguf_put_key_u32(&m, ".rope.dimension_count", d_head);
    gguf_put_key_f32(&m, ".rope.freq_base", net->rope_theta);
    if (plan->layout->windows != GGUF_WINDOWS_NONE)
        put_windows(plan, &m);
    if (net->attention_softcap != 0)
        gguf_put_key_f32(&m, ".attn_logit_softcapping", net->attention_softcap);
    if (net->logit_softcap != 0)
        gguf_put_key_f32(&m, ".final_logit_softcapping", net->logit_softcap);
    gguf_put_vocabulary(&m, net->vocab_size);
    return m.n_keys;
}

/* The file has the number before the keys. */
static uint64_t n_keys(const struct plan *plan)
{
    struct gguf_sink nowhere = {.stream = NULL};
    return put_metadata(plan, &nowhere);
}

/* Returns the bytes of the data they describe. */
static int64_t put_tensor_infos(const struct plan *plan, struct gguf_sink *sink)
{
    int64_t offset = 0;
    struct walk w;
    const struct entry *entry;
    for (walk_begin(plan, &w); (entry = walk_next(&w)) != NULL;) {
        gguf_put_string(sink, entry->name);
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

static void put_entry(const struct plan *plan, const struct entry *entry, struct gguf_sink *sink,
                      float *row, void *stored)
{
    size_t row_bytes = (size_t)dtype_row_bytes(entry->dtype, entry->row);
    if (entry->fill != FILL_RANDOM) {
        for (int64_t i = 0; i < entry->row; i++)
            row[i] = entry->fill == FILL_ONES ? 1.0f : 0.0f;
        gguf_put(sink, row, row_bytes);
    }
    struct rng rng;
    float sigma = 1 / sqrtf((float)entry->row);
    rng_init(&rng, seed_of(entry->source, plan->options->seed));
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
    struct walk w;
    const struct entry *entry;
    for (walk_begin(plan, &w); (entry = walk_next(&w)) != NULL;)
        longest = entry->row > longest ? entry->row : longest;
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
    struct walk w;
    const struct entry *entry;
    for (walk_begin(plan, &w); (entry = walk_next(&w)) != NULL && goes_on(plan, &sink);)
        put_entry(plan, entry, &sink, row, stored);
    return !sink.stopped;
}

enum status gguf_write_stream(const struct transformer *net, FILE *stream,
                              const struct gguf_write_options *options, struct text *warnings,
                              struct err *err)
{
    struct plan plan = {.net = net, .options = options, .n_layers = transformer_executions(net)};
    enum status status = gguf_writable(net, options->expand_shared, &plan.layout, warnings, err);
    if (status != STATUS_OK)
        return status;
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
    const struct gguf_layout *layout = NULL;
    enum status status = gguf_writable(net, options->expand_shared, &layout, NULL, err);
    if (status != STATUS_OK || (status = file_create(&out, path, err)))
        return status;
    status = gguf_write_stream(net, out.stream, options, warnings, err);
    if (status == STATUS_OK)
        return file_commit(&out, err);
    file_abandon(&out);
    return status;
}
