/* Every form becomes the object that -o json prints, so that one reader understands all. */
#include "fit/bench_tests.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

enum { MAX_COLUMNS = 128, CELL = 96 };

struct scan {
    struct bench_tests *tests;
    struct text header;              /* of the CSV table around the place; empty outside one */
    char columns[MAX_COLUMNS][CELL]; /* of the markdown table */
    int n_columns;                   /* 0 outside one */
    struct text items[2 * MAX_COLUMNS];
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *past_line(const char *at)
{
    at += strcspn(at, "\n");
    return at + (*at == '\n');
}

/* Text of one object. What is no JSON is a test that is not whole. */
static enum status use_text(struct scan *s, const char *text, size_t length, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    struct err why = {""};
    enum status status = json_parse(s->tests->name, text, (int64_t)length, &doc, &root, &why);
    if (status == STATUS_OK)
        status = s->tests->use(s->tests->self, &root, ++s->tests->n_tests, err);
    else if (status == STATUS_NOMEM)
        err_set(err, status, "out of memory");
    else {
        s->tests->n_left_out++;
        status = STATUS_OK;
    }
    json_close(doc);
    return status;
}

/* Takes over `object`. */
static enum status use_node(struct scan *s, struct json_node *object, struct err *err)
{
    char *text = json_print_compact(object);
    json_free(object);
    if (text == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = use_text(s, text, strlen(text), err);
    memory_free(text);
    return status;
}

/* Behind the brace that closes the object at `at`; NULL when it is not whole. llama-bench nests no
 * objects and breaks no string, so that another brace or a line's end in a string is where a cut
 * was. */
static const char *past_object(const char *at)
{
    bool quoted = false;
    for (at++; *at != '\0'; at++) {
        if (quoted && *at == '\\' && at[1] != '\0' && at[1] != '\n')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (quoted ? *at == '\n' : *at == '{')
            return NULL;
        else if (!quoted && *at == '}')
            return at + 1;
    }
    return NULL;
}

/* Name or quoted value; NULL at anything else. Returns behind it and the comma. */
static const char *sql_item(const char *at, struct text *out)
{
    text_release(out);
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
        if (length == 0 || length > 1000)
            return NULL;
        text_addf(out, "%.*s", (int)length, at);
        at += length;
    }
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
    size_t i = 0;
    while (word[i] != '\0' && toupper((unsigned char)at[i]) == word[i])
        i++;
    return word[i] == '\0' ? at + i : NULL;
}

/* "test (columns) VALUES (values);" behind INSERT INTO. Returns where to go on. */
static const char *use_sql(struct scan *s, const char *start, enum status *status, struct err *err)
{
    int n_columns, n_values;
    const char *at = skip_blanks(start);
    at += strcspn(at, " \t\r\n(");
    at = sql_list(at, s->items, &n_columns);
    if (at != NULL)
        at = past_word(skip_blanks(at), "VALUES");
    if (at != NULL)
        at = sql_list(at, s->items + MAX_COLUMNS, &n_values);
    if (at == NULL || n_columns != n_values) {
        s->tests->n_left_out++;
        return past_line(start);
    }
    struct json_node *object = json_new_object();
    for (int i = 0; i < n_columns; i++) {
        const char *value = s->items[MAX_COLUMNS + i].data;
        json_add_string(object, s->items[i].data == NULL ? "" : s->items[i].data,
                        value == NULL ? "" : value);
    }
    *status = use_node(s, object, err);
    return at + strspn(at, " \t;");
}

static bool line_has(const char *line, size_t length, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= length; i++)
        if (memcmp(line + i, word, n) == 0)
            return true;
    return false;
}

static enum status use_csv(struct scan *s, const char *line, size_t length, struct err *err)
{
    struct text table = {0};
    struct csv *csv = NULL;
    struct json_node *object = NULL;
    text_add(&table, s->header.data);
    text_addf(&table, "\n%.*s\n", (int)length, line);
    if (table.failed || s->header.failed) {
        text_release(&table);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    enum status status = csv_parse(s->tests->name, table.data, (int64_t)table.length, &csv, NULL);
    text_release(&table);
    if (status == STATUS_OK && csv_n_rows(csv) == 1) {
        object = json_new_object();
        for (int i = 0; i < csv_n_columns(csv); i++)
            json_add_string(object, csv_column_name(csv, i), csv_text(csv, 0, i));
    } else if (*line == '"') {
        s->tests->n_left_out++;
    }
    csv_close(csv);
    return object == NULL ? STATUS_OK : use_node(s, object, err);
}

/* "| a | b |" into cells. -1: it does not end in a bar. */
static int cells_of(const char *line, size_t length, char cells[MAX_COLUMNS][CELL])
{
    int n = 0;
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    if (length < 2 || line[length - 1] != '|')
        return -1;
    for (size_t i = 1; i < length && n < MAX_COLUMNS; n++) {
        size_t from = i, to;
        while (line[i] != '|')
            i++;
        to = i++;
        while (from < to && isspace((unsigned char)line[from]))
            from++;
        while (to > from && isspace((unsigned char)line[to - 1]))
            to--;
        snprintf(cells[n], CELL, "%.*s", (int)(to - from), line + from);
    }
    return n;
}

/* "1.10 B", "494.03 M", "636.18 MiB": the figure and half a unit of its last digit. */
static double scaled(const char *cell, double *half)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824.0}, {"K", 1e3}, {"M", 1e6},
                 {"B", 1e9},    {"T", 1e12}};
    char *end;
    double value = strtod(cell, &end), factor = 1;
    const char *unit = end + strspn(end, " ");
    const char *point = strchr(cell, '.');
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].unit) == 0)
            factor = units[i].factor;
    *half = factor * 0.5 * pow(10, point != NULL && point < end ? -(double)(end - point - 1) : 0);
    return value * factor;
}

static void add_figure(struct json_node *object, const char *key, double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.17g", value);
    json_add_string(object, key, digits);
}

/* "pp512", "pp 512", "tg128 @ d4096", "pp512+tg128" */
static void add_test_kind(struct json_node *object, const char *cell, double *n_tokens)
{
    double prompt = 0, gen = 0, depth = 0;
    for (const char *at = cell; *at != '\0'; at++) {
        if (at[0] == 'p' && at[1] == 'p')
            prompt = strtod(at + 2, NULL);
        else if (at[0] == 't' && at[1] == 'g')
            gen = strtod(at + 2, NULL);
        else if (at[0] == '@' && at[1] == ' ' && at[2] == 'd')
            depth = strtod(at + 3, NULL);
    }
    add_figure(object, "n_prompt", prompt);
    add_figure(object, "n_gen", gen);
    add_figure(object, "n_depth", depth);
    *n_tokens = prompt + gen;
}

static void add_cell(struct json_node *object, const char *column, const char *cell)
{
    static const char *const keys[][2] = {
        {"model", "model_type"}, {"backend", "backends"},   {"threads", "n_threads"},
        {"ngl", "n_gpu_layers"}, {"fa", "flash_attn"},      {"sm", "split_mode"},
        {"mg", "main_gpu"},      {"nkvo", "no_kv_offload"}, {"ts", "tensor_split"},
        {"mmap", "use_mmap"},    {"embd", "embeddings"},
    };
    double half;
    if (strcmp(column, "size") == 0) {
        add_figure(object, "model_size", scaled(cell, &half));
    } else if (strcmp(column, "params") == 0) {
        add_figure(object, "model_n_params", scaled(cell, &half));
        add_figure(object, "model_n_params_half", half);
    } else {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strcmp(column, keys[i][0]) == 0)
                column = keys[i][1];
        json_add_string(object, column, cell);
    }
}

/* Time from "12.34 ± 0.56", whatever a console made of the sign. */
static void add_speed(struct json_node *object, const char *cell, double n_tokens)
{
    const char *space = strrchr(cell, ' ');
    double speed = strtod(cell, NULL), spread = space == NULL ? 0 : strtod(space + 1, NULL);
    double ns = speed > 0 ? 1e9 * n_tokens / speed : 0;
    add_figure(object, "avg_ns", ns);
    add_figure(object, "stddev_ns", speed > 0 && spread > 0 ? ns * spread / speed : 0);
}

static enum status use_markdown(struct scan *s, const char *line, size_t length, struct err *err)
{
    char cells[MAX_COLUMNS][CELL];
    int n = cells_of(line, length, cells);
    if (n > 0 && line_has(line, length, "t/s") && line_has(line, length, "test") &&
        line_has(line, length, "model")) {
        memcpy(s->columns, cells, sizeof cells);
        s->n_columns = n;
        return STATUS_OK;
    }
    if (s->n_columns == 0 || (length > 2 && strspn(line, "| :-") >= 3 && line[2] == '-'))
        return STATUS_OK;
    if (n != s->n_columns) {
        s->tests->n_left_out++;
        return STATUS_OK;
    }
    struct json_node *object = json_new_object();
    double n_tokens = 0;
    for (int i = 0; i < n; i++)
        if (strcmp(s->columns[i], "test") == 0)
            add_test_kind(object, cells[i], &n_tokens);
    for (int i = 0; i < n; i++)
        if (strcmp(s->columns[i], "t/s") == 0)
            add_speed(object, cells[i], n_tokens);
        else if (strcmp(s->columns[i], "test") != 0)
            add_cell(object, s->columns[i], cells[i]);
    return use_node(s, object, err);
}

/* One object, statement or line; returns where to go on. */
static const char *use_next(struct scan *s, const char *at, enum status *status, struct err *err)
{
    const char *object = at + strspn(at, " \t\r\n[],");
    const char *line = at + strspn(at, " \t>");
    size_t length = strcspn(line, "\r\n");
    if (*object == '{') {
        const char *end = past_object(object);
        if (end == NULL)
            s->tests->n_left_out++;
        else
            *status = use_text(s, object, (size_t)(end - object), err);
        return end == NULL ? object + 1 : end;
    }
    const char *insert = past_word(line, "INSERT INTO");
    if (insert != NULL)
        return use_sql(s, insert, status, err);
    if (*line == '|') {
        *status = use_markdown(s, line, length, err);
    } else if (line_has(line, length, "n_prompt,") && line_has(line, length, "avg_ns,")) {
        text_release(&s->header);
        text_addf(&s->header, "%.*s", (int)length, line);
    } else if (s->header.data != NULL && length > 0) {
        *status = use_csv(s, line, length, err);
    }
    return past_line(at);
}

enum status bench_tests_read(struct bench_tests *tests, const char *text, struct err *err)
{
    struct scan *s = memory_new(1, sizeof *s);
    if (s == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = STATUS_OK;
    *s = (struct scan){.tests = tests};
    while (*text != '\0' && status == STATUS_OK)
        text = use_next(s, text, &status, err);
    for (int i = 0; i < 2 * MAX_COLUMNS; i++)
        text_release(&s->items[i]);
    text_release(&s->header);
    memory_free(s);
    return status;
}
