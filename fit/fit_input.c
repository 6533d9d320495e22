#include "fit/fit_input.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/model_arg.h"

enum { MAX_FILE_BYTES = 64 << 20 };

/* Mixes of types carry the name of what most of their weights are. */
static const struct {
    const char *name;
    enum dtype blocks, head;
} file_types[] = {
    {"all f32", DTYPE_F32, DTYPE_F32},
    {"f32", DTYPE_F32, DTYPE_F32},
    {"f16", DTYPE_F16, DTYPE_F16},
    {"fp16", DTYPE_F16, DTYPE_F16},
    {"bf16", DTYPE_BF16, DTYPE_BF16},
    {"q8_0", DTYPE_Q8_0, DTYPE_Q8_0},
    {"q6_k", DTYPE_Q6_K, DTYPE_Q6_K},
    {"q5_0", DTYPE_Q5_0, DTYPE_Q6_K},
    {"q4_0", DTYPE_Q4_0, DTYPE_Q6_K},
    {"q4_k - medium", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k - small", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k_m", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k_s", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q3_k - medium", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k - small", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k - large", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k_m", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k_s", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q2_k - medium", DTYPE_Q2_K, DTYPE_Q6_K},
    {"q2_k - small", DTYPE_Q2_K, DTYPE_Q6_K},
    {"q2_k", DTYPE_Q2_K, DTYPE_Q6_K},
};
enum { N_FILE_TYPES = sizeof file_types / sizeof *file_types };

static void lower(const char *text, char *out, size_t size)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

enum status fit_file_type(const char *name, enum dtype *blocks, enum dtype *head, struct err *err)
{
    char folded[64];
    lower(name, folded, sizeof folded);
    for (int i = 0; i < N_FILE_TYPES; i++)
        if (strcmp(folded, file_types[i].name) == 0) {
            *blocks = file_types[i].blocks;
            *head = file_types[i].head;
            return STATUS_OK;
        }
    if (strcmp(folded, "b1") == 0) {
        *blocks = *head = DTYPE_B1;
        return STATUS_OK;
    }
    return err_set(err, STATUS_INPUT, "unknown weight type '%s'", name);
}

/* "models/Qwen2.5-1.5B-Q4_K_M.gguf" -> "qwen2.5-1.5b" */
static void bare_name(const char *name, char *out, size_t size)
{
    const char *slash = strrchr(name, '/');
    lower(slash == NULL ? name : slash + 1, out, size);
    size_t n = strlen(out);
    if (n > 5 && strcmp(out + n - 5, ".gguf") == 0)
        out[n -= 5] = '\0';
    for (int i = 0; i < N_FILE_TYPES; i++) {
        size_t length = strlen(file_types[i].name);
        if (n > length + 1 && strcmp(out + n - length, file_types[i].name) == 0 &&
            strchr("-._", out[n - length - 1]) != NULL) {
            out[n - length - 1] = '\0';
            return;
        }
    }
}

static bool is_gguf(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    bool found = file != NULL && fread(magic, 1, 4, file) == 4 && memcmp(magic, "GGUF", 4) == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

static const char *alias_of(const struct fit_aliases *aliases, const char *name, const char *bare)
{
    const char *slash = strrchr(name, '/');
    for (size_t i = 0; aliases != NULL && i < aliases->n; i++) {
        const char *alias = aliases->items[i].name;
        if (strcmp(alias, name) == 0 || strcmp(alias, bare) == 0 ||
            (slash != NULL && strcmp(alias, slash + 1) == 0))
            return aliases->items[i].model;
    }
    return NULL;
}

enum status fit_model(const char *name, const struct fit_aliases *aliases, struct transformer *out,
                      bool *has_types, struct err *err)
{
    char bare[128];
    bare_name(name, bare, sizeof bare);
    const char *alias = alias_of(aliases, name, bare);
    const char *arg = alias != NULL ? alias : name;
    *has_types = is_gguf(arg);
    enum status status = model_open(arg, out, NULL, err);
    if (status != STATUS_OK && alias == NULL)
        status = model_open(bare, out, NULL, err);
    if (status != STATUS_OK && alias == NULL)
        err_set(err, status, "unknown model '%s' (--model '%s=MODEL' says which it is)", name,
                bare);
    return status;
}

static bool starts_with(const char *text, const char *word)
{
    size_t i = 0;
    while (word[i] != '\0' && toupper((unsigned char)text[i]) == word[i])
        i++;
    return word[i] == '\0';
}

enum status fit_csv_check(const struct csv *csv, struct err *err)
{
    int column;
    enum status status = csv_column(csv, "model", &column, err);
    if (status == STATUS_OK)
        status = csv_column(csv, "type", &column, err);
    if (status == STATUS_OK)
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
    *out = NAN;
    if (*field(csv, row, name) == '\0')
        return STATUS_OK;
    return csv_number(csv, row, csv_find_column(csv, name), 1e-6, 1e9, out, err);
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

static enum status shape_of_layers(const struct csv *csv, int row, struct transformer *net,
                                   struct err *err)
{
    int64_t n_layers = net->schedule.n_layers;
    net->blocks = memory_new((size_t)n_layers, sizeof *net->blocks);
    if (net->blocks == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (int64_t i = 0; i < n_layers; i++) {
        struct block *block = &net->blocks[i];
        *block = net->block;
        if (!list_at(field(csv, row, "n_heads"), i, &block->n_heads) ||
            !list_at(field(csv, row, "d_ff"), i, &block->d_ff))
            return csv_error(csv, row, -1, err,
                             "n_heads and d_ff must have a number for each of "
                             "%lld layers",
                             (long long)n_layers);
        if (*field(csv, row, "n_kv_heads") == '\0')
            block->n_kv_heads = block->n_heads;
        if (*field(csv, row, "d_head") == '\0' && block->n_heads > 0)
            block->d_head = net->d_model / block->n_heads;
        if (block->n_heads == 0) {
            block->mixer = MIXER_NONE;
            block->n_kv_heads = block->d_head = 0;
        }
    }
    return STATUS_OK;
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
        return err_set(err, STATUS_INPUT, "%lld tokens, but %s ends at %lld", (long long)needed,
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

static enum status read_csv(const char *path, const char *text, int64_t length,
                            const struct fit_aliases *aliases, struct fit_rows *rows,
                            struct text *notes, struct err *err)
{
    struct csv *csv = NULL;
    enum status status = csv_parse(path, text, length, &csv, err);
    if (status == STATUS_OK)
        status = fit_csv_check(csv, err);
    for (int i = 0; status == STATUS_OK && i < csv_n_rows(csv); i++) {
        struct fit_row row;
        struct text refused = {0};
        if (fit_csv_row(csv, i, aliases, &row, &refused)) {
            snprintf(row.where, sizeof row.where, "%.120s:%d", path, csv_line(csv, i));
            status = fit_rows_add(rows, &row, err);
        } else if (refused.data != NULL) {
            text_addf(notes, "%s: %s", path, refused.data);
        }
        text_release(&refused);
    }
    csv_close(csv);
    return status;
}

enum status fit_read(const char *path, const struct fit_aliases *aliases, struct fit_rows *rows,
                     struct text *notes, struct err *err)
{
    char *text = NULL;
    int64_t length;
    enum status status = file_read(path, MAX_FILE_BYTES, &text, &length, err);
    if (status != STATUS_OK)
        return status;
    size_t before = rows->n, noted = notes->length;
    const char *start = text + strspn(text, " \t\r\n");
    bool is_bench = *start == '[' || *start == '{' || starts_with(start, "CREATE TABLE") ||
                    starts_with(start, "INSERT INTO");
    status = is_bench ? fit_read_llama_bench(path, text, length, aliases, rows, notes, err)
                      : read_csv(path, text, length, aliases, rows, notes, err);
    if (status == STATUS_OK && rows->n == before) {
        const char *why = notes->data == NULL ? "" : notes->data + noted;
        status = err_set(err, STATUS_INPUT, "'%s' has no row that can be used%s%.*s", path,
                         *why == '\0' ? "" : ": ", (int)strcspn(why, "\n"), why);
    }
    memory_free(text);
    return status;
}
