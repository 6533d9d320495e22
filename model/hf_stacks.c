#include "model/hf_stacks.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/divisor.h"
#include "base/memory.h"
#include "model/layer_scaling.h"

/* Calls `read` for each layer and makes the stack of what it fills in. */
static enum status read_layers(struct transformer *net, void *context,
                               enum status (*read)(void *context, int64_t layer, struct block *out,
                                                   struct err *err),
                               struct err *err)
{
    int64_t n = net->schedule.n_layers;
    struct block *blocks = memory_new((size_t)n, sizeof *blocks);
    if (blocks == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", n);
    enum status status = STATUS_OK;
    for (int64_t i = 0; i < n && status == STATUS_OK; i++) {
        blocks[i] = net->stack.first;
        status = read(context, i, &blocks[i], err);
    }
    if (status == STATUS_OK)
        status = stack_set(&net->stack, blocks, n, err);
    memory_free(blocks);
    return status;
}

/* DeciLM */

enum { DECILM_STEP = 256, DECILM_DIGITS = 6 };

static int64_t decilm_width(double ffn_mult, int64_t d_model)
{
    int64_t width = (int64_t)(2 * round_decimals(ffn_mult, DECILM_DIGITS) * (double)d_model / 3);
    return (width + DECILM_STEP - 1) / DECILM_STEP * DECILM_STEP;
}

/* A multiplier that gives the width, if one does. */
static double decilm_mult(int64_t d_ff, int64_t d_model)
{
    double exact = round_decimals(1.5 * (double)d_ff / (double)d_model, DECILM_DIGITS);
    if (decilm_width(exact, d_model) == d_ff)
        return exact;
    return round_decimals(1.5 * ((double)d_ff - 0.5 * DECILM_STEP) / (double)d_model,
                          DECILM_DIGITS);
}

struct decilm {
    int64_t d_model;
    struct json at; /* the layer to be read */
};

/* What a half of a layer has in place of what lathe knows. */
static enum status read_no_op(const struct json *half, const char *what, bool *no_op,
                              struct err *err)
{
    bool is_linear = false;
    enum status status = json_get_bool_or(half, "no_op", false, no_op, err);
    if (status != STATUS_OK ||
        (status = json_get_bool_or(half, "replace_with_linear", false, &is_linear, err)))
        return status;
    if (is_linear) {
        json_error(half, err, "a matrix in place of %s is not known", what);
        return STATUS_UNSUPPORTED;
    }
    return STATUS_OK;
}

static enum status read_decilm_attention(const struct json *half, struct block *out,
                                         struct err *err)
{
    bool no_op = false;
    int64_t n_in_group = 0, d_ff = out->d_ff;
    enum status status = read_no_op(half, "attention", &no_op, err);
    if (status != STATUS_OK)
        return status;
    if (no_op) {
        *out = (struct block){.mixer = MIXER_NONE, .d_ff = d_ff};
        return STATUS_OK;
    }
    struct json sinks = json_member(half, "num_sink_tokens");
    if (!json_is_null(&sinks)) {
        json_error(&sinks, err, "sink tokens are not known");
        return STATUS_UNSUPPORTED;
    }
    if ((status = json_get_int(half, "n_heads_in_group", 1, 1 << 14, &n_in_group, err)) ||
        (status = json_get_int_or(half, "window_length", 0, INT32_MAX, 0, &out->window, err)))
        return status;
    if (out->n_heads % n_in_group != 0)
        return json_error(half, err, "%" PRId64 " heads are no groups of %" PRId64, out->n_heads,
                          n_in_group);
    out->n_kv_heads = out->n_heads / n_in_group;
    return STATUS_OK;
}

static enum status read_decilm_ffn(const struct json *half, int64_t d_model, struct block *out,
                                   struct err *err)
{
    bool no_op = false;
    double mult = 0;
    enum status status = read_no_op(half, "the FFN", &no_op, err);
    if (status != STATUS_OK)
        return status;
    if (no_op) {
        json_error(half, err, "a layer without an FFN is not known");
        return STATUS_UNSUPPORTED;
    }
    if ((status = json_get_number(half, "ffn_mult", 1e-6, 1e6, &mult, err)))
        return status;
    out->d_ff = decilm_width(mult, d_model);
    return STATUS_OK;
}

static enum status read_decilm_layer(void *context, int64_t layer, struct block *out,
                                     struct err *err)
{
    struct decilm *decilm = context;
    struct json attention, ffn;
    (void)layer;
    enum status status = json_get_object(&decilm->at, "attention", &attention, err);
    if (status != STATUS_OK || (status = json_get_object(&decilm->at, "ffn", &ffn, err)) ||
        (status = read_decilm_ffn(&ffn, decilm->d_model, out, err)) ||
        (status = read_decilm_attention(&attention, out, err)))
        return status;
    decilm->at = json_next(&decilm->at);
    return STATUS_OK;
}

enum status hf_read_decilm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    struct json blocks = hf_find(reader, "block_configs");
    if (!json_is_array(&blocks) || json_length(&blocks) != net->schedule.n_layers)
        return json_error(&blocks, err, "expected 'block_configs', an array of %" PRId64 " layers",
                          net->schedule.n_layers);
    struct decilm decilm = {.d_model = net->d_model, .at = json_first(&blocks)};
    return read_layers(net, &decilm, read_decilm_layer, err);
}

void hf_write_decilm(struct json_node *out, const struct transformer *net)
{
    struct json_node *blocks = json_add_array(out, "block_configs");
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        const struct block *block = transformer_block(net, i);
        struct json_node *layer = json_add_object(blocks, NULL);
        struct json_node *attention = json_add_object(layer, "attention");
        json_add_bool(attention, "no_op", block->mixer == MIXER_NONE);
        if (block->mixer == MIXER_ATTENTION) {
            assert(block->n_kv_heads > 0);
            json_add_int(attention, "n_heads_in_group", block->n_heads / block->n_kv_heads);
            if (block->window > 0)
                json_add_int(attention, "window_length", block->window);
        }
        struct json_node *ffn = json_add_object(layer, "ffn");
        json_add_bool(ffn, "no_op", false);
        json_add_number(ffn, "ffn_mult", decilm_mult(block->d_ff, net->d_model));
    }
    struct json_node *map = json_add_object(out, "auto_map");
    json_add_string(map, "AutoConfig", "configuration_decilm.DeciLMConfig");
    json_add_string(map, "AutoModelForCausalLM", "modeling_decilm.DeciLMForCausalLM");
}

/* OpenELM */

/* An array that is read layer by layer. Stays where it is while it is read: cursors know their
 * parents by address. */
struct column {
    struct json list;
    struct json at; /* of the layer to be read; absent: there is no such array */
};

static void column_begin(const struct json *list, struct column *out)
{
    out->list = *list;
    out->at = json_first(&out->list);
}

static void column_next(struct column *column)
{
    if (column->at.item != NULL)
        column->at = json_next(&column->at);
}

/* One number for all layers, the first layer's and the last's, or one a layer. */
struct multipliers {
    int n; /* 1, 2, or more */
    double first, last;
    struct column by_layer; /* of more */
};

static enum status read_multipliers(const struct json *list, double absent, struct multipliers *out,
                                    struct err *err)
{
    *out = (struct multipliers){.n = 1, .first = absent};
    if (json_is_null(list))
        return STATUS_OK;
    if (!json_is_array(list))
        return json_number(list, 1e-6, 1e6, &out->first, err);
    struct json second = json_element(list, 1);
    out->n = json_length(list);
    column_begin(list, &out->by_layer);
    if (out->n < 2)
        return json_error(list, err, "expected a number or at least two");
    enum status status = json_number(&out->by_layer.at, 1e-6, 1e6, &out->first, err);
    return status != STATUS_OK || out->n > 2 ? status
                                             : json_number(&second, 1e-6, 1e6, &out->last, err);
}

static enum status next_multiplier(struct multipliers *m, int64_t i, int64_t n, double *out,
                                   struct err *err)
{
    *out = m->n == 2 ? layer_multiplier(m->first, m->last, i, n) : m->first;
    if (m->n <= 2)
        return STATUS_OK;
    enum status status = json_number(&m->by_layer.at, 1e-6, 1e6, out, err);
    column_next(&m->by_layer);
    return status;
}

struct openelm {
    int64_t d_model, d_head, n_layers, n_groups, ffn_step;
    struct multipliers qkv, ffn;
    struct column query_heads, kv_heads;
};

/* Leaves *out where there is no array. */
static enum status listed_heads(const struct column *column, int64_t *out, struct err *err)
{
    return column->at.item != NULL ? json_int(&column->at, 1, 1 << 14, out, err) : STATUS_OK;
}

static enum status read_openelm_layer(void *context, int64_t layer, struct block *out,
                                      struct err *err)
{
    struct openelm *o = context;
    double qkv_mult = 0, ffn_mult = 0;
    enum status status = next_multiplier(&o->qkv, layer, o->n_layers, &qkv_mult, err);
    if (status != STATUS_OK ||
        (status = next_multiplier(&o->ffn, layer, o->n_layers, &ffn_mult, err)))
        return status;
    out->d_head = o->d_head;
    out->n_heads = scaled_heads(o->d_model, o->d_head, o->n_groups, qkv_mult);
    out->n_kv_heads = out->n_heads / o->n_groups;
    out->d_ff = scaled_d_ff(o->d_model, o->ffn_step, ffn_mult);
    int64_t listed = out->n_heads;
    if ((status = listed_heads(&o->query_heads, &listed, err)) ||
        (status = listed_heads(&o->kv_heads, &out->n_kv_heads, err)))
        return status;
    if (listed != out->n_heads)
        return json_error(&o->query_heads.at, err,
                          "OpenELM's code takes heads from 'qkv_multipliers', which say %" PRId64
                          " for this layer",
                          out->n_heads);
    column_next(&o->query_heads);
    column_next(&o->kv_heads);
    return STATUS_OK;
}

/* One number a layer; absent or null is none. */
static enum status find_column(struct hf_reader *reader, const char *key, int64_t n,
                               struct column *out, struct err *err)
{
    struct json list = hf_find(reader, key);
    if (!json_is_null(&list) && (!json_is_array(&list) || json_length(&list) != n))
        return json_error(&list, err, "expected an array of %" PRId64 " numbers, one a layer", n);
    column_begin(&list, out);
    return STATUS_OK;
}

static enum status read_openelm_kinds(struct hf_reader *reader, struct transformer *net,
                                      struct err *err)
{
    bool norms_qk = false, is_gated = true;
    const char *norm = NULL;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "ffn_with_glu", true, &is_gated, err)) ||
        (status = hf_string(reader, "normalization_layer_name", "rms_norm", &norm, err)) ||
        (status = hf_bool(reader, "normalize_qk_projections", false, &norms_qk, err)) ||
        (status = hf_bool(reader, "share_input_output_layers", false, &net->tie_embeddings, err)))
        return status;
    if (!is_gated || strcmp(norm, "rms_norm") != 0)
        return err_set(err, STATUS_UNSUPPORTED,
                       "an OpenELM without 'ffn_with_glu' or with norms other than 'rms_norm' is "
                       "not known");
    net->qk_norm = norms_qk ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    return STATUS_OK;
}

enum status hf_read_openelm(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    struct openelm o = {.d_model = net->d_model, .n_layers = net->schedule.n_layers};
    struct json qkv = hf_find(reader, "qkv_multipliers");
    struct json ffn = hf_find(reader, "ffn_multipliers");
    enum status status = STATUS_OK;
    if ((status = hf_int(reader, "head_dim", 1, 1 << 14, 128, &o.d_head, err)) ||
        (status = hf_int(reader, "num_gqa_groups", 1, 1 << 14, 1, &o.n_groups, err)) ||
        (status = hf_int(reader, "ffn_dim_divisor", 1, 1 << 24, 256, &o.ffn_step, err)) ||
        (status = read_multipliers(&qkv, 1, &o.qkv, err)) ||
        (status = read_multipliers(&ffn, 4, &o.ffn, err)) ||
        (status = find_column(reader, "num_query_heads", o.n_layers, &o.query_heads, err)) ||
        (status = find_column(reader, "num_kv_heads", o.n_layers, &o.kv_heads, err)) ||
        (status = read_openelm_kinds(reader, net, err)))
        return status;
    if (o.qkv.n > 2)
        return json_error(&qkv, err, "expected a number, or the first layer's and the last's");
    if (o.ffn.n > 2 && o.ffn.n != o.n_layers)
        return json_error(
            &ffn, err, "expected a number, two, or one for each of %" PRId64 " layers", o.n_layers);
    return read_layers(net, &o, read_openelm_layer, err);
}

static bool line_has_heads(const struct transformer *net, int64_t n_groups, double first,
                           double last)
{
    int64_t n = net->schedule.n_layers;
    for (int64_t i = 0; i < n; i++) {
        const struct block *block = transformer_block(net, i);
        if (block->mixer != MIXER_ATTENTION ||
            scaled_heads(net->d_model, block->d_head, n_groups,
                         layer_multiplier(first, last, i, n)) != block->n_heads)
            return false;
    }
    return true;
}

/* Ends of a line with the layers' heads on it, if there is one: heads go in steps of n_groups, so
 * any end up to half a step from the first or the last layer's may be one. */
static void write_qkv_line(struct json_node *out, const struct transformer *net, int64_t n_groups)
{
    enum { STEPS = 10, ALL = 2 * STEPS + 1 }; /* to each side */
    const struct block *a = transformer_block(net, 0);
    const struct block *b = transformer_block(net, net->schedule.n_layers - 1);
    double head = (double)a->d_head / (double)net->d_model, first = 0, last = 0;
    for (int i = 0; i < ALL * ALL; i++) {
        int left = i % ALL - STEPS, right = i / ALL - STEPS;
        double part = (double)n_groups / (2 * STEPS);
        first = ((double)a->n_heads + part * left) * head;
        last = ((double)b->n_heads + part * right) * head;
        if (line_has_heads(net, n_groups, first, last))
            break;
    }
    struct json_node *ends = json_add_array(out, "qkv_multipliers");
    json_add_number(ends, NULL, first);
    json_add_number(ends, NULL, last);
}

void hf_write_openelm(struct json_node *out, const struct transformer *net)
{
    int64_t n = net->schedule.n_layers, step = 0, n_groups = 0;
    const struct block *first = transformer_block(net, 0);
    bool same_heads = true;
    struct json_node *query = json_add_array(out, "num_query_heads");
    struct json_node *kv = json_add_array(out, "num_kv_heads");
    struct json_node *ffn = json_add_array(out, "ffn_multipliers");
    for (int64_t i = 0; i < n; i++) {
        const struct block *block = transformer_block(net, i);
        same_heads = same_heads && block->n_heads == first->n_heads;
        n_groups = common_divisor(n_groups, block->n_heads);
        step = common_divisor(step, block->d_ff);
        json_add_int(query, NULL, block->n_heads);
        json_add_int(kv, NULL, block->n_kv_heads);
        json_add_number(ffn, NULL, (double)block->d_ff / (double)net->d_model);
    }
    n_groups = same_heads ? 1 : n_groups;
    if (same_heads)
        json_add_number(out, "qkv_multipliers",
                        (double)(first->n_heads * first->d_head) / (double)net->d_model);
    else
        write_qkv_line(out, net, n_groups);
    json_add_int(out, "num_gqa_groups", n_groups);
    json_add_int(out, "ffn_dim_divisor", step % 256 == 0 ? 256 : step);
    json_add_bool(out, "ffn_with_glu", true);
    json_add_string(out, "normalization_layer_name", "rms_norm");
    json_add_bool(out, "normalize_qk_projections", net->qk_norm == QK_NORM_WEIGHTED);
    json_add_bool(out, "share_input_output_layers", net->tie_embeddings);
    json_add_int(out, "rope_max_length", 2 * net->max_context);
    struct json_node *map = json_add_object(out, "auto_map");
    json_add_string(map, "AutoConfig", "configuration_openelm.OpenELMConfig");
    json_add_string(map, "AutoModelForCausalLM", "modeling_openelm.OpenELMForCausalLM");
}
