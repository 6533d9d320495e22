#include "model/gguf_architecture.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/gguf_family.h"
#include "model/gguf_tensors.h"
#include "model/tensors.h"

/* A recovery under way. */
struct recovery {
    const struct gguf *file;
    const struct gguf_family *family;
    struct transformer *net;
    struct text *warnings;
    struct err *err;
    char architecture[64];
    struct gguf_found found; /* of the tensors that were asked for */
};

static void warn(struct recovery *r, const char *line)
{
    if (r->warnings == NULL)
        return;
    text_add(r->warnings, line);
    text_add(r->warnings, "\n");
}

static const char *key_of(const struct recovery *r, const char *suffix, char buffer[128])
{
    snprintf(buffer, 128, "%s.%s", r->architecture, suffix);
    return buffer;
}

static enum status take_int(struct recovery *r, const char *suffix, int64_t min, int64_t max,
                            int64_t *out)
{
    char key[128];
    return gguf_get_int(r->file, key_of(r, suffix, key), min, max, out, r->err);
}

static enum status take_int_or(struct recovery *r, const char *suffix, int64_t min, int64_t max,
                               int64_t fallback, int64_t *out)
{
    char key[128];
    return gguf_get_int_or(r->file, key_of(r, suffix, key), min, max, fallback, out, r->err);
}

static enum status take_number_or(struct recovery *r, const char *suffix, double min, double max,
                                  double fallback, double *out)
{
    char key[128];
    return gguf_get_number_or(r->file, key_of(r, suffix, key), min, max, fallback, out, r->err);
}

static bool has_key(const struct recovery *r, const char *suffix)
{
    char key[128];
    return gguf_find_key(r->file, key_of(r, suffix, key)) != NULL;
}

/* The BIAS_* that matrices of the list can have. */
static unsigned possible_biases(const struct tensor_list *list)
{
    unsigned possible = 0;
    for (int i = 0; i < list->n; i++)
        possible |= tensor_traits(list->tensors[i].role)->bias;
    return possible;
}

/* Bits an element of a ggml type takes, by way of a tensor that has it. */
static double bits_of(const struct gguf *file, int ggml_type)
{
    for (int64_t i = 0; i < file->n_tensors; i++) {
        const struct gguf_tensor *tensor = &file->tensors[i];
        if (tensor->ggml_type == ggml_type)
            return 8 * (double)tensor->n_bytes / (double)tensor->n_elements;
    }
    return 0;
}

/* lathe's type for a ggml type, the one nearest in bytes where no weights are stored in that. */
static enum dtype nearest_dtype(const struct gguf *file, int ggml_type)
{
    enum dtype best = DTYPE_F16;
    if (dtype_of_ggml(ggml_type, &best))
        return best;
    double bits = bits_of(file, ggml_type), nearest = INFINITY;
    for (int i = 0; i < N_DTYPES; i++) {
        enum dtype dtype = (enum dtype)i;
        double distance =
            fabs(8 * (double)dtype_block_bytes(dtype) / (double)dtype_block_elems(dtype) - bits);
        if (dtype_ggml_type(dtype) >= 0 && distance < nearest) {
            nearest = distance;
            best = dtype;
        }
    }
    return best;
}

/* The same with a warning. */
static enum dtype dtype_of(struct recovery *r, int ggml_type, const char *what)
{
    enum dtype best = nearest_dtype(r->file, ggml_type), exact;
    char line[160];
    if (dtype_of_ggml(ggml_type, &exact))
        return exact;
    snprintf(line, sizeof line, "%s of type %s taken as %s, the nearest in size", what,
             gguf_tensor_type_name(ggml_type), dtype_name(best));
    warn(r, line);
    return best;
}

/* Types of the layer's matrices, as found. */
static void take_types(const struct recovery *r, struct type_set *out)
{
    *out = (struct type_set){{0}};
    for (int role = 0; role < N_TENSOR_ROLES; role++) {
        int type = r->found.types[role];
        if (type >= 0)
            out->of_role[role] = (uint8_t)nearest_dtype(r->file, type);
    }
}

static enum status check_block_tensors(struct recovery *r, struct type_set *layers)
{
    struct transformer *net = r->net;
    unsigned known = 0; /* of blocks so far; one without attention says nothing of its biases */
    for (int64_t layer = 0; layer < net->schedule.n_layers; layer++) {
        struct tensor_list list;
        tensors_of_block(net, transformer_block(net, layer), &list);
        enum status status =
            gguf_check_tensors(r->file, r->family, layer, &list, &r->found, r->err);
        if (status != STATUS_OK)
            return status;
        unsigned possible = possible_biases(&list);
        if ((r->found.biases ^ net->biases) & possible & known)
            return gguf_error(r->file, STATUS_UNSUPPORTED, r->err,
                              "block %" PRId64 " has other biases than block 0", layer);
        net->biases |= r->found.biases;
        known |= possible;
        take_types(r, &layers[layer]);
    }
    return STATUS_OK;
}

/* Each matrix has the type it has in the file. block_dtype is the one that most weights have. */
static enum status take_block_types(struct recovery *r, const struct type_set *layers)
{
    struct transformer *net = r->net;
    int best = 0, n_types = 0;
    int64_t number;
    for (int type = 0; type < 64; type++) {
        n_types += r->found.matrix_elements[type] > 0;
        if (r->found.matrix_elements[type] > r->found.matrix_elements[best])
            best = type;
    }
    net->block_dtype = net->file_type = dtype_of(r, best, "weights of the blocks");
    if (n_types <= 1)
        return STATUS_OK;
    if (gguf_get_int(r->file, "general.file_type", 0, 1024, &number, NULL) == STATUS_OK)
        dtype_of_ggml_file(number, &net->file_type);
    if (layer_types_set(&net->layer_types, layers, net->schedule.n_layers, NULL) != STATUS_OK)
        return gguf_error(r->file, STATUS_NOMEM, r->err, "out of memory");
    return STATUS_OK;
}

/* f32 as converters write them, or those of the blocks. */
static void take_vector_types(struct recovery *r)
{
    const uint64_t f32 = UINT64_C(1) << dtype_ggml_type(DTYPE_F32);
    uint64_t types = r->found.vector_types;
    enum dtype blocks = r->net->block_dtype;
    r->net->f32_vectors = (types & f32) || dtype_block_elems(blocks) > 1;
    uint64_t counted = r->net->f32_vectors ? f32 : UINT64_C(1) << dtype_ggml_type(blocks);
    char line[96];
    snprintf(line, sizeof line, "norms and biases of other types than %s are counted as %s",
             dtype_name(r->net->f32_vectors ? DTYPE_F32 : blocks),
             dtype_name(r->net->f32_vectors ? DTYPE_F32 : blocks));
    if (types & ~counted)
        warn(r, line);
}

static enum status take_block_tensors(struct recovery *r)
{
    struct type_set *layers = memory_new((size_t)r->net->schedule.n_layers, sizeof *layers);
    if (layers == NULL)
        return gguf_error(r->file, STATUS_NOMEM, r->err, "out of memory");
    enum status status = check_block_tensors(r, layers);
    if (status == STATUS_OK)
        status = take_block_types(r, layers);
    if (status == STATUS_OK)
        take_vector_types(r);
    memory_free(layers);
    return status;
}

static enum status take_edges(struct recovery *r)
{
    struct transformer *net = r->net;
    struct tensor_list before, after;
    const struct gguf_tensor *table = gguf_find_tensor(r->file, "token_embd.weight");
    const struct gguf_tensor *positions = gguf_find_tensor(r->file, "position_embd.weight");
    const struct gguf_tensor *head = gguf_find_tensor(r->file, "output.weight");
    if (table == NULL)
        return gguf_error(r->file, STATUS_INPUT, r->err, "tensor 'token_embd.weight' is missing");
    net->vocab_size = table->dims[1];
    if (net->position == POSITION_LEARNED)
        net->position_rows = positions != NULL ? positions->dims[1] : net->max_context;
    net->tie_embeddings = head == NULL;
    tensors_before(net, &before);
    enum status status = gguf_check_tensors(r->file, r->family, -1, &before, &r->found, r->err);
    if (status != STATUS_OK)
        return status;
    tensors_after(net, &after);
    if ((status = gguf_check_tensors(r->file, r->family, -1, &after, &r->found, r->err)))
        return status;
    net->biases |= r->found.biases;
    net->position_dtype =
        positions != NULL ? dtype_of(r, positions->ggml_type, "the positions") : DTYPE_F32;
    net->embedding_dtype = dtype_of(r, table->ggml_type, "the token table");
    net->head_dtype =
        head == NULL ? net->embedding_dtype : dtype_of(r, head->ggml_type, "the head");
    return STATUS_OK;
}

static enum status take_window(struct recovery *r, int64_t layer, int64_t window,
                               struct block *block)
{
    char key[128];
    int64_t period = r->family->window_period, is_windowed = 0;
    if (window == 0 || period == 0)
        return STATUS_OK;
    const struct gguf_key *pattern =
        gguf_find_key(r->file, key_of(r, "attention.sliding_window_pattern", key));
    if (pattern != NULL && pattern->is_array) {
        enum status status = gguf_get_int_at(r->file, key, layer, 0, 1, &is_windowed, r->err);
        if (status != STATUS_OK)
            return status;
    } else {
        if (pattern != NULL) {
            enum status status = gguf_get_int(r->file, key, 1, 1 << 16, &period, r->err);
            if (status != STATUS_OK)
                return status;
        }
        is_windowed = period == 1 || layer % period < period - 1;
    }
    block->window = is_windowed ? window : 0;
    return STATUS_OK;
}

static enum status take_block(struct recovery *r, int64_t layer, int64_t d_head, int64_t window,
                              struct block *block)
{
    char key[128];
    int64_t n_heads = 0;
    *block = (struct block){.mixer = MIXER_NONE};
    enum status status = gguf_get_int_at(r->file, key_of(r, "feed_forward_length", key), layer, 0,
                                         1 << 24, &block->d_ff, r->err);
    if (status == STATUS_OK && block->d_ff == 0)
        return gguf_error(r->file, STATUS_UNSUPPORTED, r->err, "block %" PRId64 " has no FFN",
                          layer);
    if (status != STATUS_OK ||
        (status = gguf_get_int_at(r->file, key_of(r, "attention.head_count", key), layer, 0,
                                  1 << 14, &n_heads, r->err)) ||
        n_heads == 0)
        return status;
    block->mixer = MIXER_ATTENTION;
    block->n_heads = block->n_kv_heads = n_heads;
    block->d_head = d_head;
    if (has_key(r, "attention.head_count_kv") &&
        (status = gguf_get_int_at(r->file, key_of(r, "attention.head_count_kv", key), layer, 0,
                                  n_heads, &block->n_kv_heads, r->err)))
        return status;
    if (block->n_kv_heads == 0)
        return gguf_error(r->file, STATUS_UNSUPPORTED, r->err,
                          "block %" PRId64 " has a matrix in place of attention (%" PRId64
                          " heads, no key/value heads)",
                          layer, n_heads);
    return take_window(r, layer, window, block);
}

/* Blocks layer by layer. */
static enum status take_blocks(struct recovery *r, int64_t d_head, int64_t window)
{
    struct transformer *net = r->net;
    int64_t n = net->schedule.n_layers;
    struct block *blocks = memory_new((size_t)n, sizeof *blocks);
    if (blocks == NULL)
        return gguf_error(r->file, STATUS_NOMEM, r->err, "out of memory");
    enum status status = STATUS_OK;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++)
        status = take_block(r, i, d_head, window, &blocks[i]);
    if (status == STATUS_OK && stack_set(&net->stack, blocks, n, NULL) != STATUS_OK)
        status = gguf_error(r->file, STATUS_NOMEM, r->err, "out of memory");
    memory_free(blocks);
    return status;
}

static enum status take_heads(struct recovery *r, int64_t *d_head)
{
    struct transformer *net = r->net;
    char key[128];
    int64_t n_heads = 0, value_length = 0, rotated = 0;
    /* the first layer with heads gives the default, as each layer has the same d_head */
    for (int64_t i = 0; n_heads == 0 && i < net->schedule.n_layers; i++) {
        enum status status = gguf_get_int_at(r->file, key_of(r, "attention.head_count", key), i, 0,
                                             1 << 14, &n_heads, r->err);
        if (status != STATUS_OK)
            return status;
    }
    if (n_heads == 0)
        return gguf_error(r->file, STATUS_UNSUPPORTED, r->err, "no layer has attention heads");
    bool has_length = has_key(r, "attention.key_length");
    if (!has_length && net->d_model % n_heads != 0)
        return gguf_error(r->file, STATUS_INPUT, r->err,
                          "the embedding length %" PRId64 " is not a multiple of the %" PRId64
                          " heads, and there is no '%s'",
                          net->d_model, n_heads, key_of(r, "attention.key_length", key));
    enum status status =
        take_int_or(r, "attention.key_length", 1, 1 << 14, net->d_model / n_heads, d_head);
    if (status != STATUS_OK ||
        (status = take_int_or(r, "attention.value_length", 1, 1 << 14,
                              has_length ? net->d_model / n_heads : *d_head, &value_length)) ||
        (status = take_int_or(r, "rope.dimension_count", 0, 1 << 14, *d_head, &rotated)))
        return status;
    if (value_length != *d_head)
        return gguf_error(r->file, STATUS_UNSUPPORTED, r->err,
                          "keys have %" PRId64 " elements a head and values %" PRId64, *d_head,
                          value_length);
    if (net->position == POSITION_ROPE && rotated > 0 && rotated <= *d_head)
        net->rope_frac = (double)rotated / (double)*d_head;
    else if (net->position == POSITION_ROPE)
        return gguf_error(r->file, STATUS_RANGE, r->err,
                          "'%s' is %" PRId64 ", must be 1 to %" PRId64,
                          key_of(r, "rope.dimension_count", key), rotated, *d_head);
    return STATUS_OK;
}

static enum status take_constants(struct recovery *r)
{
    struct transformer *net = r->net;
    const char *eps =
        net->norm == NORM_RMS ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
    char key[128];
    enum status status = take_number_or(r, eps, 0, 1, 1e-5, &net->norm_eps);
    if (status == STATUS_OK)
        status = take_number_or(r, "rope.freq_base", 1e-3, 1e12, 10000, &net->rope_theta);
    if (status == STATUS_OK)
        status = take_number_or(r, "attention.scale", 0, 1e6, 0, &net->attention_scale);
    if (status == STATUS_OK)
        status = take_number_or(r, "attn_logit_softcapping", 0, 1e6, 0, &net->attention_softcap);
    if (status == STATUS_OK)
        status = take_number_or(r, "final_logit_softcapping", 0, 1e6, 0, &net->logit_softcap);
    if (status == STATUS_OK && strcmp(r->architecture, "gptneox") == 0)
        status = gguf_get_bool_or(r->file, key_of(r, "use_parallel_residual", key), true,
                                  &net->parallel_block, r->err);
    if (r->family->scales_embeddings)
        net->embed_scale = sqrt((double)net->d_model);
    if (has_key(r, "rope.scaling.type") || gguf_find_tensor(r->file, "rope_freqs.weight") ||
        gguf_find_tensor(r->file, "rope_factors_long.weight"))
        warn(r, "rope scaling is not modelled; it does not change shapes or sizes");
    return status;
}

static enum status find_family(struct recovery *r)
{
    struct gguf_string name;
    int64_t n = 0;
    char shown[64];
    enum status status = gguf_get_string(r->file, "general.architecture", &name, r->err);
    if (status != STATUS_OK)
        return status;
    gguf_shown(name, shown);
    r->family = gguf_family_find(shown);
    if (r->family == NULL) {
        struct text known = {0};
        gguf_family_names(&known);
        status = gguf_error(r->file, STATUS_UNSUPPORTED, r->err,
                            "architecture '%s' is not one of the known: %s", shown,
                            known.data != NULL ? known.data : "");
        text_release(&known);
        return status;
    }
    snprintf(r->architecture, sizeof r->architecture, "%s", shown);
    if ((status = gguf_get_int_or(r->file, "split.count", 0, 65535, 0, &n, r->err)))
        return status;
    if (n > 1)
        return gguf_error(r->file, STATUS_UNSUPPORTED, r->err,
                          "it is one of %" PRId64 " parts; join them first", n);
    if ((status = take_int_or(r, "expert_count", 0, 65535, 0, &n)))
        return status;
    if (n > 0)
        return gguf_error(r->file, STATUS_UNSUPPORTED, r->err,
                          "a mixture of %" PRId64 " experts cannot be expressed", n);
    return STATUS_OK;
}

static void take_name(struct recovery *r)
{
    struct gguf_string name;
    snprintf(r->net->name, sizeof r->net->name, "%.95s", file_base_name(r->file->name));
    if (gguf_find_key(r->file, "general.name") &&
        gguf_get_string(r->file, "general.name", &name, NULL) == STATUS_OK && name.length > 0) {
        char shown[64];
        snprintf(r->net->name, sizeof r->net->name, "%s", gguf_shown(name, shown));
    }
}

static void warn_of_what_is_left(struct recovery *r)
{
    int64_t all = 0;
    char line[200], key[] = "tokenizer.ggml.tokens";
    for (int64_t i = 0; i < r->file->n_tensors; i++)
        all += r->file->tensors[i].n_elements;
    if (all > r->found.n_elements) {
        snprintf(line, sizeof line,
                 "%" PRId64 " of the file's %" PRId64
                 " weights belong to no part of the family '%s'",
                 all - r->found.n_elements, all, r->architecture);
        warn(r, line);
    }
    const struct gguf_key *tokens = gguf_find_key(r->file, key);
    if (tokens != NULL && tokens->is_array && tokens->count != r->net->vocab_size) {
        snprintf(line, sizeof line,
                 "the vocabulary has %" PRId64 " tokens, the token table %" PRId64 " rows; the "
                 "rows count",
                 tokens->count, r->net->vocab_size);
        warn(r, line);
    }
}

static enum status recover(struct recovery *r)
{
    struct transformer *net = r->net;
    int64_t n_layers = 0, d_head = 0, window = 0;
    enum status status = find_family(r);
    if (status != STATUS_OK ||
        (status = take_int(r, "embedding_length", 1, 1 << 20, &net->d_model)) ||
        (status = take_int(r, "block_count", 1, 1 << 16, &n_layers)) ||
        (status = take_int(r, "context_length", 1, 1 << 24, &net->max_context)))
        return status;
    if (r->file->n_tensors == 0)
        return gguf_error(r->file, STATUS_INPUT, r->err, "there are no tensors in it");
    /* so that a lying block count costs nothing: each block has at least three tensors */
    if (n_layers > r->file->n_tensors)
        return gguf_error(r->file, STATUS_INPUT, r->err,
                          "the block count is %" PRId64 ", but there are only %" PRId64 " tensors",
                          n_layers, r->file->n_tensors);
    const struct gguf_family *family = r->family;
    net->schedule.n_layers = n_layers;
    net->d_embed = net->d_model;
    net->ffn = family->ffn;
    net->norm = family->norm;
    net->norm_placement = family->placement;
    net->position = family->position;
    net->norm_weight = family->norm_weight;
    net->norm_bias = family->norm_bias;
    net->embed_norm = family->embed_norm;
    net->qk_norm = family->norms_qk ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    snprintf(net->family, sizeof net->family, "%s", family->family);
    if ((status = take_heads(r, &d_head)) || (status = take_constants(r)) ||
        (status = take_int_or(r, "attention.sliding_window", 0, INT32_MAX, 0, &window)))
        return status;
    if (strcmp(r->architecture, "phi2") == 0)
        net->parallel_block = net->parallel_shared_norm = true;
    if (strcmp(r->architecture, "falcon") == 0) {
        net->parallel_block = true;
        net->parallel_shared_norm = gguf_find_tensor(r->file, "blk.0.attn_norm_2.weight") == NULL;
    }
    if ((status = take_blocks(r, d_head, window)) || (status = take_edges(r)) ||
        (status = take_block_tensors(r)))
        return status;
    take_name(r);
    warn_of_what_is_left(r);
    status = transformer_check(net, r->err);
    return status == STATUS_OK ? status
                               : err_prefix(r->err, status, "cannot read '%s': ", r->file->name);
}

enum status gguf_architecture(const struct gguf *file, struct transformer *net,
                              struct text *warnings, struct err *err)
{
    struct recovery r = {.file = file, .net = net, .warnings = warnings, .err = err};
    transformer_init(net, 1, 1, 1, 1, 1, 1, 1);
    enum status status = recover(&r);
    if (status == STATUS_OK && warnings != NULL && warnings->failed)
        status = gguf_error(file, STATUS_NOMEM, err, "out of memory");
    if (status != STATUS_OK)
        transformer_release(net);
    return status;
}

enum status gguf_read_architecture(const char *path, struct transformer *net, struct text *warnings,
                                   struct err *err)
{
    struct gguf file;
    enum status status = gguf_open(path, &file, err);
    if (status == STATUS_OK)
        status = gguf_architecture(&file, net, warnings, err);
    gguf_close(&file);
    return status;
}
