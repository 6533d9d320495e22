/* SQL is read as the same objects: a statement's columns and values. */
#include "fit/llama_bench.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/count.h"

enum { MAX_SAMPLES = 256, MAX_COLUMNS = 128 };

struct reading {
    const char *path;
    const struct fit_aliases *aliases;
    struct fit_rows *rows;
    struct text *notes;
    int n_tests;
    char machine[400]; /* of the first row that is used */
};

static const char *string_of(const struct json *test, const char *key)
{
    struct json at = json_member(test, key);
    const char *text;
    return json_is_string(&at) && json_string(&at, &text, NULL) == STATUS_OK ? text : "";
}

/* A number, or a number in quotes (SQL). */
static enum status number_of(const struct json *test, const char *key, double fallback, double *out,
                             struct err *err)
{
    struct json at = json_member(test, key);
    *out = fallback;
    if (json_is_null(&at) && !isnan(fallback))
        return STATUS_OK;
    if (json_is_string(&at)) {
        const char *text = string_of(test, key);
        char *end;
        *out = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(*out) || *out < 0)
            return err_set(err, STATUS_INPUT, "%s is '%s', not a number", key, text);
        return STATUS_OK;
    }
    if (at.item == NULL)
        return err_set(err, STATUS_INPUT, "lacks '%s': not a test of a llama-bench known here",
                       key);
    return json_number(&at, 0, 1e18, out, err);
}

/* The file type is what ends model_type: "llama 1B Q4_K - Medium". */
static enum status type_of(const char *model_type, enum dtype *blocks, enum dtype *head,
                           struct err *err)
{
    const char *at = model_type;
    while (fit_file_type(at, blocks, head, NULL) != STATUS_OK) {
        const char *space = strchr(at, ' ');
        if (space == NULL)
            return err_set(err, STATUS_INPUT, "unknown weight type '%s'", at);
        at = space + 1;
    }
    return STATUS_OK;
}

/* Median of the samples and their spread; the average where there are none. */
static enum status time_of(const struct json *test, double *ns, double *noise_frac, struct err *err)
{
    double samples[MAX_SAMPLES], stddev;
    size_t n = 0;
    struct json list = json_member(test, "samples_ns");
    enum status status = number_of(test, "avg_ns", NAN, ns, err);
    if (status == STATUS_OK)
        status = number_of(test, "stddev_ns", 0, &stddev, err);
    if (status != STATUS_OK)
        return status;
    if (*ns <= 0)
        return err_set(err, STATUS_INPUT, "avg_ns is 0");
    *noise_frac = fmin(stddev / *ns, 0.2);
    if (json_is_array(&list))
        for (struct json at = json_first(&list); at.item != NULL && n < MAX_SAMPLES;
             at = json_next(&at))
            if (json_number(&at, 1, 1e18, &samples[n], NULL) == STATUS_OK)
                n++;
    if (n > 0) {
        *ns = stats_median(samples, n);
        *noise_frac = n < 3 ? *noise_frac : STATS_SIGMA_PER_MAD * stats_mad(samples, n) / *ns;
    }
    return STATUS_OK;
}

/* What must be alike for times to be of one device. */
static void machine_of(const struct json *test, char *out, size_t size)
{
    double layers = 0;
    number_of(test, "n_gpu_layers", 0, &layers, NULL);
    snprintf(out, size, "%.120s, %.120s, %.60s, %g layers offloaded", string_of(test, "cpu_info"),
             string_of(test, "gpu_info"), string_of(test, "backends"), layers);
}

static enum status check_machine(struct reading *r, const struct json *test, struct err *err)
{
    char machine[sizeof r->machine];
    machine_of(test, machine, sizeof machine);
    if (r->machine[0] == '\0')
        memcpy(r->machine, machine, sizeof machine);
    if (strcmp(r->machine, machine) != 0)
        return err_set(err, STATUS_INPUT, "taken on '%s', not on '%s' like those before", machine,
                       r->machine);
    return STATUS_OK;
}

static enum status open_network(const struct reading *r, const struct json *test,
                                struct transformer *net, struct err *err)
{
    enum dtype blocks, head, kv = DTYPE_F16;
    bool has_types;
    double n_params = 0;
    const char *kv_type = string_of(test, "type_k");
    enum status status = type_of(string_of(test, "model_type"), &blocks, &head, err);
    if (status == STATUS_OK)
        status = number_of(test, "model_n_params", 0, &n_params, err);
    if (status == STATUS_OK && *kv_type != '\0')
        status = dtype_parse(kv_type, &kv, err);
    if (status == STATUS_OK)
        status = fit_model(string_of(test, "model_filename"), r->aliases, net, &has_types, err);
    if (status != STATUS_OK)
        return status;
    if (!has_types) {
        transformer_set_dtype(net, blocks);
        net->head_dtype = head;
        net->embedding_dtype = net->tie_embeddings ? head : blocks;
    }
    net->kv_dtype = *kv_type == '\0' ? DTYPE_F16 : kv;
    struct param_count count;
    transformer_count(net, &count);
    /* a file may store a tied table twice, or leave constants out */
    double twice = (double)count.total + (double)(net->vocab_size * net->d_embed);
    bool alike = fabs(n_params / (double)count.total - 1) < 0.03 ||
                 (net->tie_embeddings && fabs(n_params / twice - 1) < 0.03);
    if (n_params > 0 && !alike) {
        status = err_set(err, STATUS_INPUT, "%s has %" PRId64 " parameters, the file's model %.0f",
                         net->name, count.total, n_params);
        transformer_release(net);
    }
    return status;
}

static enum status read_test(struct reading *r, const struct json *test, struct fit_row *row,
                             struct err *err)
{
    double n_prompt, n_gen, n_depth, n_threads, ns, noise = 0;
    if (!json_is_object(test))
        return err_set(err, STATUS_INPUT, "not an object");
    enum status status = number_of(test, "n_prompt", NAN, &n_prompt, err);
    if (status == STATUS_OK)
        status = number_of(test, "n_gen", NAN, &n_gen, err);
    if (status == STATUS_OK)
        status = number_of(test, "n_depth", 0, &n_depth, err);
    if (status == STATUS_OK)
        status = number_of(test, "n_threads", NAN, &n_threads, err);
    if (status == STATUS_OK)
        status = time_of(test, &ns, &noise, err);
    if (status == STATUS_OK && n_prompt > 0 && n_gen > 0)
        status = err_set(err, STATUS_INPUT,
                         "prompt and generation in one time (-pg) cannot be told apart");
    if (status == STATUS_OK && n_prompt <= 0 && n_gen <= 0)
        status = err_set(err, STATUS_INPUT, "neither a prompt nor generation");
    if (status == STATUS_OK && n_prompt > 0 && n_depth > 0)
        status = err_set(err, STATUS_INPUT, "a prompt at a depth is not a time to first token");
    if (status == STATUS_OK)
        status = open_network(r, test, &row->net, err);
    if (status != STATUS_OK)
        return status;
    row->threads = (int)n_threads;
    row->decode_ns = row->prefill_ns = row->load_ns = NAN;
    row->prompt = n_prompt > 0 ? (int64_t)n_prompt : 1;
    row->context = (int64_t)(n_depth + (n_gen > 0 ? (n_gen - 1) / 2 : 0));
    if (n_gen > 0) {
        row->decode_ns = ns / n_gen;
        row->decode_noise_frac = noise;
    } else {
        row->prefill_ns = ns;
        row->prefill_noise_frac = noise;
    }
    int64_t needed = n_gen > 0 ? row->context + 1 : row->prompt;
    if (needed > row->net.max_context)
        status = err_set(err, STATUS_INPUT, "%" PRId64 " tokens, but %s ends at %" PRId64, needed,
                         row->net.name, row->net.max_context);
    if (status == STATUS_OK)
        status = check_machine(r, test, err);
    if (status != STATUS_OK)
        transformer_release(&row->net);
    return status;
}

/* `number`: of the test or line, from 1. */
static enum status add_test(struct reading *r, const struct json *test, const char *unit,
                            int number, struct err *err)
{
    struct fit_row row = {0};
    struct err why = {""};
    r->n_tests++;
    if (read_test(r, test, &row, &why) != STATUS_OK) {
        text_addf(r->notes, "%s: %s %d: %s\n", r->path, unit, number, why.message);
        return STATUS_OK;
    }
    snprintf(row.where, sizeof row.where, "%.120s: %s %d", r->path, unit, number);
    snprintf(row.label, sizeof row.label, "%.70s (%.40s)",
             file_base_name(string_of(test, "model_filename")), string_of(test, "model_type"));
    return fit_rows_add(r->rows, &row, err);
}

static enum status read_array(struct reading *r, const char *text, int64_t length, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse(r->path, text, length, &doc, &root, err);
    int number = 0;
    if (status == STATUS_OK)
        for (struct json at = json_first(&root); at.item != NULL && status == STATUS_OK;
             at = json_next(&at))
            status = add_test(r, &at, "test", ++number, err);
    json_close(doc);
    return status;
}

static enum status read_object(struct reading *r, const char *text, int64_t length,
                               const char *unit, int number, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse(r->path, text, length, &doc, &root, err);
    if (status == STATUS_OK)
        status = add_test(r, &root, unit, number, err);
    json_close(doc);
    return status;
}

static enum status read_lines(struct reading *r, const char *text, struct err *err)
{
    enum status status = STATUS_OK;
    int number = 1;
    for (const char *line = text; *line != '\0' && status == STATUS_OK; number++) {
        size_t length = strcspn(line, "\n"), blank = strspn(line, " \t\r");
        if (blank < length)
            status = read_object(r, line, (int64_t)length, "line", number, err);
        if (status != STATUS_OK)
            err_prefix(err, status, "line %d: ", number);
        line += length + (line[length] == '\n');
    }
    return status;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* One name or one quoted value; NULL at anything else. `at` moves behind it and the comma. */
static const char *sql_item(const char *at, struct text *out)
{
    out->length = 0;
    if (out->data != NULL)
        out->data[0] = '\0';
    at = skip_blanks(at);
    if (*at == '\'') {
        for (at++; *at != '\0' && (at[0] != '\'' || at[1] == '\''); at++) {
            if (at[0] == '\'')
                at++;
            text_addf(out, "%c", *at);
        }
        if (*at != '\'')
            return NULL;
        at++;
    } else {
        size_t length = strcspn(at, " \t\r\n,()';");
        if (length == 0)
            return NULL;
        text_addf(out, "%.*s", (int)length, at);
        at += length;
    }
    if (out->data == NULL)
        text_add(out, "");
    at = skip_blanks(at);
    return *at == ',' ? at + 1 : at;
}

/* "(a, b, c)" into items; NULL when it is not that. */
static const char *sql_list(const char *at, struct text items[MAX_COLUMNS], int *n)
{
    at = skip_blanks(at);
    if (*at++ != '(')
        return NULL;
    for (*n = 0; *n < MAX_COLUMNS; (*n)++) {
        at = skip_blanks(at);
        if (*at == ')')
            return at + 1;
        at = sql_item(at, &items[*n]);
        if (at == NULL)
            return NULL;
    }
    return NULL;
}

static const char *past_word(const char *at, const char *word)
{
    at = skip_blanks(at);
    size_t i = 0;
    while (word[i] != '\0' && toupper((unsigned char)at[i]) == word[i])
        i++;
    return word[i] == '\0' ? at + i : NULL;
}

/* INSERT INTO test (columns) VALUES (values); */
static const char *insert_statement(const char *at, struct text *columns, struct text *values,
                                    char **object)
{
    int n_columns, n_values;
    at += strcspn(at, " \t\r\n("); /* the table's name */
    at = sql_list(at, columns, &n_columns);
    if (at != NULL)
        at = past_word(at, "VALUES");
    if (at != NULL)
        at = sql_list(at, values, &n_values);
    if (at == NULL || n_columns != n_values)
        return NULL;
    struct json_node *node = json_new_object();
    for (int i = 0; i < n_columns; i++)
        json_add_string(node, columns[i].data, values[i].data);
    *object = json_print_compact(node);
    json_free(node);
    return at;
}

static enum status read_sql(struct reading *r, const char *text, struct err *err)
{
    struct text *items = memory_new((size_t)2 * MAX_COLUMNS, sizeof *items);
    enum status status = items == NULL ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    int number = 0;
    for (const char *at = text; status == STATUS_OK && *(at = skip_blanks(at)) != '\0';) {
        const char *insert = past_word(at, "INSERT INTO");
        char *object = NULL;
        if (insert == NULL) {
            at += strcspn(at, ";");
            at += *at == ';';
            continue;
        }
        at = insert_statement(skip_blanks(insert), items, items + MAX_COLUMNS, &object);
        if (at == NULL)
            status =
                err_set(err, STATUS_INPUT, "'%s': statement %d is not an INSERT of llama-bench",
                        r->path, number + 1);
        else if (object == NULL)
            status = err_set(err, STATUS_NOMEM, "out of memory");
        else
            status = read_object(r, object, (int64_t)strlen(object), "row", ++number, err);
        memory_free(object);
        if (status == STATUS_OK) {
            at = skip_blanks(at);
            at += *at == ';';
        }
    }
    for (int i = 0; items != NULL && i < 2 * MAX_COLUMNS; i++)
        text_release(&items[i]);
    memory_free(items);
    return status;
}

enum status fit_read_llama_bench(const char *path, const char *text, int64_t length,
                                 const struct fit_aliases *aliases, struct fit_rows *rows,
                                 struct text *notes, struct err *err)
{
    struct reading r = {.path = path, .aliases = aliases, .rows = rows, .notes = notes};
    const char *start = skip_blanks(text);
    enum status status = *start == '['   ? read_array(&r, text, length, err)
                         : *start == '{' ? read_lines(&r, text, err)
                                         : read_sql(&r, text, err);
    if (status == STATUS_OK && r.n_tests == 0)
        status = err_set(err, STATUS_INPUT, "'%s' holds no test of llama-bench", path);
    return status;
}
