#include "fit/fit_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fit/complaints.h"

enum status fit_csv_check(const struct csv *csv, struct err *err)
{
    int column;
    enum status status = csv_column(csv, "model", &column, err);
    if (status == STATUS_OK)
        status = csv_column(csv, "type", &column, err);
    if (status == STATUS_OK && csv_column(csv, "prefill_tok_s", &column, NULL) != STATUS_OK)
        status = csv_column(csv, "decode_tok_s", &column, err);
    return status;
}

static const char *field(const struct csv *csv, int row, const char *name)
{
    int column = csv_find_column(csv, name);
    return column < 0 || csv_is_empty(csv, row, column) ? "" : csv_text(csv, row, column);
}

static enum status int_or(const struct csv *csv, int row, const char *name, int64_t min,
                          int64_t max, int64_t fallback, int64_t *out, struct err *err)
{
    *out = fallback;
    if (*field(csv, row, name) == '\0')
        return STATUS_OK;
    return csv_int(csv, row, csv_find_column(csv, name), min, max, out, err);
}

static enum status number_or_nan(const struct csv *csv, int row, const char *name, double *out,
                                 struct err *err)
{
    int column = csv_find_column(csv, name);
    *out = NAN;
    return column < 0 ? STATUS_OK : csv_number_or_nan(csv, row, column, 1e-6, 1e9, out, err);
}

/* Standard deviation of a number rounded to the digits that it is printed with, as a share. */
static double rounding_frac(const char *text, double value)
{
    const char *point = strchr(text, '.');
    size_t digits = point == NULL ? 0 : strspn(point + 1, "0123456789");
    return pow(10, -(double)digits) / sqrt(12) / value;
}

/* "8 0 8": value of layer i, a single one for all. False when there are too few. */
static bool list_at(const char *list, int64_t i, int64_t *out)
{
    char *end;
    int64_t n = 0;
    for (const char *at = list;; at = end, n++) {
        long long value = strtoll(at, &end, 10);
        if (end == at)
            return n == 1 && i > 0 ? list_at(list, 0, out) : false;
        *out = value;
        if (n == i)
            return true;
    }
}

static enum status shape_of_layer(const struct csv *csv, int row, int64_t i,
                                  const struct transformer *net, struct block *block,
                                  struct err *err)
{
    *block = net->stack.first;
    if (!list_at(field(csv, row, "n_heads"), i, &block->n_heads) ||
        !list_at(field(csv, row, "d_ff"), i, &block->d_ff))
        return csv_error(csv, row, -1, err,
                         "n_heads and d_ff must have a number for each of %lld layers",
                         (long long)net->schedule.n_layers);
    if (*field(csv, row, "n_kv_heads") == '\0')
        block->n_kv_heads = block->n_heads;
    if (*field(csv, row, "d_head") == '\0' && block->n_heads > 0)
        block->d_head = net->d_model / block->n_heads;
    if (block->n_heads == 0) {
        block->mixer = MIXER_NONE;
        block->n_kv_heads = block->d_head = 0;
    }
    return STATUS_OK;
}

static enum status shape_of_layers(const struct csv *csv, int row, struct transformer *net,
                                   struct err *err)
{
    int64_t n_layers = net->schedule.n_layers;
    struct block *blocks = memory_new((size_t)n_layers, sizeof *blocks);
    if (blocks == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = STATUS_OK;
    for (int64_t i = 0; i < n_layers && status == STATUS_OK; i++)
        status = shape_of_layer(csv, row, i, net, &blocks[i], err);
    if (status == STATUS_OK)
        status = stack_set(&net->stack, blocks, n_layers, err);
    memory_free(blocks);
    return status;
}

static enum status inline_shape(const struct csv *csv, int row, struct transformer *out,
                                struct err *err)
{
    const int64_t most = INT64_C(1) << 32;
    int64_t n_layers, d_model, n_heads, n_kv_heads, d_head, d_ff, vocab_size, tied;
    bool listed = strchr(field(csv, row, "n_heads"), ' ') != NULL ||
                  strchr(field(csv, row, "d_ff"), ' ') != NULL;
    if (!list_at(field(csv, row, "n_heads"), 0, &n_heads) ||
        !list_at(field(csv, row, "d_ff"), 0, &d_ff) || n_heads < 1 || d_ff < 1)
        return csv_error(csv, row, -1, err, "n_heads and d_ff of the first layer are missing");
    enum status status = int_or(csv, row, "n_layers", 1, 4096, 0, &n_layers, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "d_model", 1, most, 0, &d_model, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "n_kv_heads", 1, most, n_heads, &n_kv_heads, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "d_head", 1, most, d_model / n_heads, &d_head, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "vocab_size", 1, most, 0, &vocab_size, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "tie_embeddings", 0, 1, 1, &tied, err);
    if (status != STATUS_OK)
        return status;
    transformer_init(out, d_model, n_layers, n_heads, n_kv_heads, d_head, d_ff, vocab_size);
    snprintf(out->name, sizeof out->name, "%.90s", field(csv, row, "model"));
    out->max_context = INT64_C(1) << 20;
    out->tie_embeddings = tied == 1;
    if (*field(csv, row, "ffn") != '\0')
        status = ffn_kind_parse(field(csv, row, "ffn"), &out->ffn, err);
    if (status == STATUS_OK && listed)
        status = shape_of_layers(csv, row, out, err);
    if (status == STATUS_OK)
        status = transformer_check(out, err);
    if (status != STATUS_OK)
        transformer_release(out);
    return status;
}

static enum status csv_types(const struct csv *csv, int row, bool has_types,
                             struct transformer *net, struct err *err)
{
    enum dtype blocks, head;
    const char *type = field(csv, row, "type"), *head_type = field(csv, row, "head_type");
    const char *kv_type = field(csv, row, "kv_type");
    enum status status = STATUS_OK;
    if (!has_types || *head_type != '\0') {
        status = fit_file_type(type, &blocks, &head, err);
        if (status == STATUS_OK && dtype_parse(type, &head, NULL) != STATUS_OK)
            status = fit_file_type(type, &blocks, &head, err); /* a mix: llama.cpp's head */
        if (status == STATUS_OK && *head_type != '\0')
            status = dtype_parse(head_type, &head, err);
        if (status == STATUS_OK) {
            transformer_set_dtype(net, blocks);
            net->head_dtype = head;
            net->embedding_dtype = net->tie_embeddings ? head : blocks;
        }
    }
    if (status == STATUS_OK && *kv_type != '\0')
        status = dtype_parse(kv_type, &net->kv_dtype, err);
    return status;
}

static enum status csv_figures(const struct csv *csv, int row, struct fit_row *out, struct err *err)
{
    double decode, prefill, load;
    int64_t threads;
    enum status status = number_or_nan(csv, row, "decode_tok_s", &decode, err);
    if (status == STATUS_OK)
        status = number_or_nan(csv, row, "prefill_tok_s", &prefill, err);
    if (status == STATUS_OK)
        status = number_or_nan(csv, row, "load_s", &load, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "prompt", 1, INT64_C(1) << 32, 128, &out->prompt, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "depth", 0, INT64_C(1) << 32, 0, &out->context, err);
    if (status == STATUS_OK)
        status = int_or(csv, row, "threads", 1, 4096, 0, &threads, err);
    if (status != STATUS_OK)
        return status;
    if (isnan(decode) && isnan(prefill) && isnan(load))
        return csv_error(csv, row, -1, err, "neither decode_tok_s, prefill_tok_s nor load_s");
    out->threads = (int)threads;
    out->decode_ns = 1e9 / decode;
    out->prefill_ns = 1e9 * (double)out->prompt / prefill;
    out->load_ns = 1e9 * load;
    out->decode_noise_frac =
        isnan(decode) ? 0 : rounding_frac(field(csv, row, "decode_tok_s"), decode);
    out->prefill_noise_frac =
        isnan(prefill) ? 0 : rounding_frac(field(csv, row, "prefill_tok_s"), prefill);
    return STATUS_OK;
}

static enum status check_context(const struct fit_row *row, struct err *err)
{
    int64_t needed = isnan(row->decode_ns) ? 0 : row->context + 1;
    if (!isnan(row->prefill_ns) && row->prompt > needed)
        needed = row->prompt;
    if (needed > row->net.max_context)
        return err_set(err, STATUS_INPUT, "%lld tokens, but '%s' ends at %lld", (long long)needed,
                       row->net.name, (long long)row->net.max_context);
    return STATUS_OK;
}

bool fit_csv_row(const struct csv *csv, int row, const struct fit_aliases *aliases,
                 struct fit_row *out, struct text *notes)
{
    struct err err = {""};
    bool has_types = false, has_shape = *field(csv, row, "n_layers") != '\0';
    *out = (struct fit_row){0};
    if (snprintf(out->where, sizeof out->where, "line %d", csv_line(csv, row)) < 0)
        return false;
    enum status status = csv_figures(csv, row, out, &err);
    bool opened = false;
    if (status == STATUS_OK) {
        status = has_shape
                     ? inline_shape(csv, row, &out->net, &err)
                     : fit_model(field(csv, row, "model"), aliases, &out->net, &has_types, &err);
        opened = status == STATUS_OK;
    }
    if (status == STATUS_OK)
        status = csv_types(csv, row, has_types, &out->net, &err);
    if (status == STATUS_OK)
        status = check_context(out, &err);
    snprintf(out->label, sizeof out->label, "%.80s %.40s", field(csv, row, "model"),
             field(csv, row, "type"));
    if (status != STATUS_OK) {
        text_addf(notes, "line %d: %s\n", csv_line(csv, row), err.message);
        if (opened)
            transformer_release(&out->net);
    }
    return status == STATUS_OK;
}

enum status fit_read_csv(const char *path, const char *text, int64_t length,
                         const struct fit_aliases *aliases, struct fit_rows *rows,
                         struct text *notes, struct err *err)
{
    struct csv *csv = NULL;
    struct complaints complaints = {0};
    enum status status = csv_parse(path, text, length, &csv, err);
    if (status == STATUS_OK)
        status = fit_csv_check(csv, err);
    for (int i = 0; status == STATUS_OK && i < csv_n_rows(csv); i++) {
        struct fit_row row;
        struct text refused = {0};
        if (fit_csv_row(csv, i, aliases, &row, &refused)) {
            snprintf(row.where, sizeof row.where, "%.120s: line %d", path, csv_line(csv, i));
            status = fit_rows_add(rows, &row, err);
        } else if (refused.data != NULL) {
            const char *why = strstr(refused.data, ": ") + 2;
            refused.data[refused.length - 1] = '\0';
            status = complaints_add(&complaints, csv_line(csv, i), why, err);
        }
        text_release(&refused);
    }
    complaints_print(&complaints, path, "line", notes);
    complaints_release(&complaints);
    csv_close(csv);
    return status;
}
