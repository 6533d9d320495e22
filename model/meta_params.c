#include "model/meta_params.h"

#include <inttypes.h>
#include <stdio.h>

bool meta_params_are(const struct json *root)
{
    struct json type = json_member(root, "model_type"), dim = json_member(root, "dim");
    struct json heads = json_member(root, "n_heads");
    return type.item == NULL && dim.item != NULL && heads.item != NULL;
}

/* 2/3 of 4 dim, as a gated FFN of three matrices has as many weights as one of two. Each step rounds
 * down, as Python's int does. */
static int64_t ffn_width(int64_t dim, double multiplier, int64_t multiple)
{
    int64_t width = 2 * 4 * dim / 3;
    if (multiplier > 0)
        width = (int64_t)(multiplier * (double)width);
    return (width + multiple - 1) / multiple * multiple;
}

static enum status read_vocabulary(struct hf_reader *reader, int64_t *out, struct err *err)
{
    enum status status = hf_int(reader, "vocab_size", -1, 1 << 28, HF_MISSING, out, err);
    if (status != STATUS_OK || *out > 0)
        return status;
    struct json at = hf_find(reader, "vocab_size");
    return json_error(
        &at, err, "is %" PRId64 ": the tokenizer knows it; set it (Llama 1 and 2: 32000)", *out);
}

/* Llama 3.2 1B and 3B. */
static bool is_known_tied(const struct transformer *net)
{
    int64_t d = net->d_model, n = net->schedule.n_layers;
    return net->vocab_size == 128256 && ((d == 2048 && n == 16) || (d == 3072 && n == 28));
}

enum status meta_params_read(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    int64_t dim = 0, n_layers = 0, n_heads = 0, n_kv_heads = 0, vocab = 0, multiple = 256;
    int64_t context = 0;
    double multiplier = 0, eps = 1e-5, theta = 10000;
    bool is_scaled = false;
    enum status status = STATUS_OK;
    if ((status = hf_int(reader, "dim", 1, 1 << 20, HF_MISSING, &dim, err)) ||
        (status = hf_int(reader, "n_layers", 1, 1 << 16, HF_MISSING, &n_layers, err)) ||
        (status = hf_int(reader, "n_heads", 1, 1 << 14, HF_MISSING, &n_heads, err)) ||
        (status = hf_int(reader, "n_kv_heads", 1, 1 << 14, n_heads, &n_kv_heads, err)) ||
        (status = hf_int(reader, "multiple_of", 1, 1 << 20, 256, &multiple, err)) ||
        (status = hf_number(reader, "ffn_dim_multiplier", 1e-3, 1e3, 0, &multiplier, err)) ||
        (status = hf_number(reader, "norm_eps", 0, 1, 1e-5, &eps, err)) ||
        (status = hf_number(reader, "rope_theta", 1e-9, 1e15, 10000, &theta, err)) ||
        (status = hf_bool(reader, "use_scaled_rope", false, &is_scaled, err)) ||
        (status =
             hf_int(reader, "max_seq_len", 1, 1 << 24, is_scaled ? 131072 : 2048, &context, err)) ||
        (status = read_vocabulary(reader, &vocab, err)))
        return status;
    if (dim % n_heads != 0)
        return json_error(&reader->root, err,
                          "'dim' %" PRId64 " is not a multiple of 'n_heads' %" PRId64, dim,
                          n_heads);
    transformer_init(net, dim, n_layers, n_heads, n_kv_heads, dim / n_heads,
                     ffn_width(dim, multiplier, multiple), vocab);
    net->max_context = context;
    net->norm_eps = eps;
    net->rope_theta = theta;
    net->tie_embeddings = is_known_tied(net);
    transformer_set_dtype(net, DTYPE_BF16);
    if (net->tie_embeddings)
        hf_warn(reader,
                "known by its shape: Llama 3.2's small models have one table for embeddings "
                "and head, which params.json does not say");
    return STATUS_OK;
}
