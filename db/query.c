/* Reading the store. See query.h. */
#include "db/query.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "db/handle.h"
#include "db/schema.h"
#include "db/store_private.h"

/* ---- lists of rows ---- */

void rows_release(struct rows *rows)
{
    for (size_t i = 0; i < rows->n_texts; i++)
        memory_free(rows->texts[i]);
    memory_free(rows->texts);
    memory_free(rows->data);
    *rows = (struct rows){0};
}

/* The text as one that the list owns: that of the row before if it is equal, as most are. */
static enum status keep_text(struct rows *rows, const struct field *column, const char *text,
                             const char **kept, struct err *err)
{
    *kept = NULL;
    if (text == NULL)
        return STATUS_OK;
    if (rows->n > 0) {
        const size_t size = tables[rows->table].fields->size;
        const char *before = field_text(column, (const char *)rows->data + (rows->n - 1) * size);
        if (before != NULL && strcmp(before, text) == 0) {
            *kept = before;
            return STATUS_OK;
        }
    }
    enum status status = memory_grow((void **)&rows->texts, &rows->texts_capacity,
                                     rows->n_texts + 1, sizeof *rows->texts, err);
    if (status != STATUS_OK)
        return status;
    char *copy = memory_strdup(text);
    if (copy == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    rows->texts[rows->n_texts++] = copy;
    *kept = copy;
    return STATUS_OK;
}

static enum status add_row(struct rows *rows, sqlite3_stmt *statement, struct err *err)
{
    const size_t size = tables[rows->table].fields->size;
    enum status status = memory_grow(&rows->data, &rows->data_capacity, rows->n + 1, size, err);
    if (status != STATUS_OK)
        return status;
    char *row = (char *)rows->data + rows->n * size;
    row_clear(rows->table, row);
    int i = -1;
    for (EACH_COLUMN(column, rows->table)) {
        i++;
        if (sqlite3_column_type(statement, i) == SQLITE_NULL)
            continue;
        char *field = row + column->offset;
        switch (column->type) {
        case FIELD_INT: {
            const int64_t value = sqlite3_column_int64(statement, i);
            memcpy(field, &value, sizeof value);
            break;
        }
        case FIELD_REAL: {
            const double value = sqlite3_column_double(statement, i);
            memcpy(field, &value, sizeof value);
            break;
        }
        case FIELD_TEXT: {
            const char *text = NULL;
            status = keep_text(rows, column, (const char *)sqlite3_column_text(statement, i), &text,
                               err);
            if (status != STATUS_OK)
                return status;
            memcpy(field, &text, sizeof text);
            break;
        }
        }
    }
    rows->n++;
    return STATUS_OK;
}

/* Every row of a statement whose columns are the table's. */
static enum status read_rows(const struct handle *handle, sqlite3_stmt *statement,
                             enum table_id table, struct rows *out, struct err *err)
{
    enum status status = STATUS_OK;
    int code = SQLITE_DONE;
    rows_release(out);
    out->table = table;
    while (status == STATUS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = add_row(out, statement, err);
    if (status == STATUS_OK && code != SQLITE_DONE)
        status = handle_error(handle, code, "read", err);
    if (status != STATUS_OK)
        rows_release(out);
    return status;
}

static void add_column_names(struct text *sql, enum table_id table)
{
    const struct field *first = next_column(table, NULL);
    for (const struct field *column = first; column != NULL; column = next_column(table, column))
        text_addf(sql, "%s%s", column == first ? "SELECT " : ", ", column->name);
}

enum status query_rows(struct store *store, enum table_id table, const char *where,
                       const char *order_by, struct rows *out, struct err *err)
{
    struct text sql = {0};
    sqlite3_stmt *statement = NULL;
    add_column_names(&sql, table);
    text_addf(&sql, " FROM %s", tables[table].fields->name);
    if (where != NULL)
        text_addf(&sql, " WHERE %s", where);
    if (order_by != NULL)
        text_addf(&sql, " ORDER BY %s", order_by);
    enum status status = sql.failed
                             ? err_set(err, STATUS_NOMEM, "out of memory")
                             : handle_prepare(&store->handle, sql.data, &statement, "read", err);
    if (status == STATUS_OK)
        status = read_rows(&store->handle, statement, table, out, err);
    sqlite3_finalize(statement);
    text_release(&sql);
    return status;
}

/* ---- conditions and columns that people type ---- */

/* The columns of candidate_units; the names belong to the statement. */
static enum status candidate_names(const struct handle *handle, sqlite3_stmt **statement,
                                   const char ***names, size_t *n, struct err *err)
{
    enum status status =
        handle_prepare(handle, "SELECT * FROM candidate_units", statement, "read", err);
    if (status != STATUS_OK)
        return status;
    *n = (size_t)sqlite3_column_count(*statement);
    *names = memory_new(*n, sizeof **names);
    if (*names == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < *n; i++)
        (*names)[i] = sqlite3_column_name(*statement, (int)i);
    return STATUS_OK;
}

/* Is `column` a column? If not, says so, with the nearest. `where` NULL: it stands alone. */
static enum status check_name(const struct handle *handle, const char *column, const char *where,
                              struct err *err)
{
    sqlite3_stmt *statement = NULL;
    const char **names = NULL;
    size_t n = 0;
    enum status status = candidate_names(handle, &statement, &names, &n, err);
    if (status != STATUS_OK)
        goto out;
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], column) == 0)
            goto out;
    char in[320] = "", hint[160] = "";
    if (where != NULL)
        snprintf(in, sizeof in, " in '%.256s'", where);
    const char *nearest = text_nearest(column, names, n);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, ": did you mean '%.100s'?", nearest);
    else if (where != NULL)
        snprintf(hint, sizeof hint, " (a text goes in single quotes: dtype = 'q8_0')");
    status = err_set(err, STATUS_USAGE, "unknown column '%.100s'%s%s", column, in, hint);
out:
    memory_free(names);
    sqlite3_finalize(statement);
    return status;
}

/* Parentheses that close more than they open would let a condition leave its place in the query. */
static bool is_balanced(const char *expression)
{
    int depth = 0;
    for (const char *c = expression; *c != 0; c++) {
        if (strchr("'\"`", *c) != NULL) {
            const char *end = strchr(c + 1, *c);
            if (end == NULL)
                return false;
            c = end;
        } else if (*c == '[') {
            const char *end = strchr(c + 1, ']');
            if (end == NULL)
                return false;
            c = end;
        } else if (c[0] == '-' && c[1] == '-') {
            return false; /* a comment: nothing of an expression */
        } else if (c[0] == '/' && c[1] == '*') {
            return false;
        } else if (*c == '(') {
            depth++;
        } else if (*c == ')' && --depth < 0) {
            return false;
        }
    }
    return depth == 0;
}

static enum status check_where(const struct handle *handle, const char *where, struct err *err)
{
    static const char no_column[] = "no such column: ";
    sqlite3_stmt *statement = NULL;
    struct text sql = {0};
    enum status status = STATUS_OK;
    if (!is_balanced(where))
        return err_set(err, STATUS_USAGE,
                       "wrong condition '%.256s': quotes or parentheses do not match", where);
    text_addf(&sql, "SELECT 1 FROM candidate_units WHERE (%s)", where);
    if (sql.failed) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    const char *rest = NULL;
    const int code = sqlite3_prepare_v2(handle->db, sql.data, -1, &statement, &rest);
    if (code == SQLITE_ERROR) {
        const char *why = sqlite3_errmsg(handle->db);
        char column[128];
        snprintf(column, sizeof column, "%s", why);
        if (strncmp(column, no_column, sizeof no_column - 1) == 0)
            status = check_name(handle, column + sizeof no_column - 1, where, err);
        if (status == STATUS_OK)
            status = err_set(err, STATUS_USAGE, "wrong condition '%.256s': %s", where, column);
    } else if (code != SQLITE_OK) {
        status = handle_error(handle, code, "read", err);
    } else if (*rest != 0 || sqlite3_bind_parameter_count(statement) > 0) {
        status = err_set(err, STATUS_USAGE, "wrong condition '%.256s'", where);
    }
out:
    sqlite3_finalize(statement);
    text_release(&sql);
    return status;
}

/* ---- runs and candidates ---- */

enum status query_run_id(struct store *store, int64_t run_id, int64_t *out, struct err *err)
{
    char sql[96] = "SELECT id FROM latest_run";
    int64_t found = 0;
    if (run_id != 0)
        snprintf(sql, sizeof sql, "SELECT id FROM run WHERE id = %lld", (long long)run_id);
    enum status status = handle_int(&store->handle, sql, &found, "read", err);
    if (status != STATUS_OK)
        return status;
    if (found == 0 && run_id == 0)
        return err_set(err, STATUS_NOT_FOUND, "'%s' holds no search", store->handle.path);
    if (found == 0)
        return err_set(err, STATUS_NOT_FOUND, "'%s' has no run %lld", store->handle.path,
                       (long long)run_id);
    *out = found;
    return STATUS_OK;
}

static enum status add_conditions(struct store *store, const struct candidate_query *query,
                                  struct text *sql, struct err *err)
{
    int64_t run_id = 0;
    enum status status = query_run_id(store, query->run_id, &run_id, err);
    if (status == STATUS_OK && query->where != NULL)
        status = check_where(&store->handle, query->where, err);
    if (status != STATUS_OK)
        return status;
    text_addf(sql, " FROM candidate_units WHERE ");
    if (query->front_only) /* has an index of its own */
        text_addf(sql, "run_id = %lld AND on_front = 1 AND id >= %lld", (long long)run_id,
                  (long long)query->first_id);
    else
        text_addf(sql, "key >= %lld AND key < %lld",
                  (long long)(run_id << KEY_BITS | query->first_id),
                  (long long)(run_id + 1) << KEY_BITS);
    if (query->where != NULL)
        text_addf(sql, " AND (%s)", query->where);
    return STATUS_OK;
}

enum status query_candidates(struct store *store, const struct candidate_query *query,
                             struct rows *out, struct err *err)
{
    struct text sql = {0};
    sqlite3_stmt *statement = NULL;
    add_column_names(&sql, TABLE_CANDIDATE);
    enum status status = add_conditions(store, query, &sql, err);
    if (status == STATUS_OK && query->order_by != NULL)
        status = check_name(&store->handle, query->order_by, NULL, err);
    if (status != STATUS_OK)
        goto out;
    text_add(&sql, " ORDER BY ");
    if (query->order_by != NULL)
        text_addf(&sql, "%s%s NULLS LAST, ", query->order_by, query->descending ? " DESC" : "");
    text_add(&sql, "key");
    if (query->limit > 0)
        text_addf(&sql, " LIMIT %lld", (long long)query->limit);
    status = sql.failed ? err_set(err, STATUS_NOMEM, "out of memory")
                        : handle_prepare(&store->handle, sql.data, &statement, "read", err);
    if (status == STATUS_OK)
        status = read_rows(&store->handle, statement, TABLE_CANDIDATE, out, err);
out:
    sqlite3_finalize(statement);
    text_release(&sql);
    return status;
}

enum status query_candidate(struct store *store, int64_t run_id, int64_t id, struct rows *out,
                            struct err *err)
{
    char where[64];
    enum status status = query_run_id(store, run_id, &run_id, err);
    if (status != STATUS_OK)
        return status;
    if (id < 0 || id >= INT64_C(1) << KEY_BITS)
        return err_set(err, STATUS_NOT_FOUND, "run %lld has no candidate %lld", (long long)run_id,
                       (long long)id);
    snprintf(where, sizeof where, "key = %lld", (long long)(run_id << KEY_BITS | id));
    status = query_rows(store, TABLE_CANDIDATE, where, NULL, out, err);
    if (status == STATUS_OK && out->n == 0)
        status = err_set(err, STATUS_NOT_FOUND, "run %lld has no candidate %lld", (long long)run_id,
                         (long long)id);
    return status;
}

static bool read_digits(const char **at, int64_t *out)
{
    int64_t value = 0;
    const char *from = *at;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **at - '0', &value))
            return false;
    *out = value;
    return *at > from;
}

enum status query_parse_reference(const char *text, int64_t *run_id, int64_t *id, struct err *err)
{
    static const char latest[] = "latest";
    int64_t run = 0, candidate = 0;
    const char *at = text;
    bool good = true;
    if (strncmp(at, latest, sizeof latest - 1) == 0)
        at += sizeof latest - 1;
    else
        good = read_digits(&at, &run) && run > 0 && run < INT64_C(1) << (62 - KEY_BITS);
    good = good && *at++ == ':' && read_digits(&at, &candidate) && *at == 0;
    if (!good)
        return err_set(err, STATUS_USAGE,
                       "'%.100s' names no candidate: expected run:id as in 3:1042 or latest:1042",
                       text);
    *run_id = run;
    *id = candidate;
    return STATUS_OK;
}

/* ---- any SELECT ---- */

static void read_cells(sqlite3_stmt *statement, int n, struct cell *cells)
{
    for (int i = 0; i < n; i++) {
        cells[i] = (struct cell){.type = CELL_NULL, .real = (double)NAN};
        switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER:
            cells[i].type = CELL_INT;
            cells[i].integer = sqlite3_column_int64(statement, i);
            cells[i].real = (double)cells[i].integer;
            break;
        case SQLITE_FLOAT:
            cells[i].type = CELL_REAL;
            cells[i].real = sqlite3_column_double(statement, i);
            break;
        case SQLITE_NULL:
            break;
        default:
            cells[i].type = CELL_TEXT;
            cells[i].text = (const char *)sqlite3_column_text(statement, i);
        }
    }
}

enum status query_each(struct store *store, const char *sql, query_row_fn *row, void *context,
                       struct err *err)
{
    const struct handle *handle = &store->handle;
    sqlite3_stmt *statement = NULL;
    const char *rest = NULL;
    const char **names = NULL;
    struct cell *cells = NULL;
    enum status status = STATUS_OK;
    int code = sqlite3_prepare_v2(handle->db, sql, -1, &statement, &rest);
    if (code == SQLITE_ERROR)
        return err_set(err, STATUS_USAGE, "wrong query: %s", sqlite3_errmsg(handle->db));
    if (code != SQLITE_OK)
        return handle_error(handle, code, "read", err);
    const int n = sqlite3_column_count(statement);
    if (n == 0 || !sqlite3_stmt_readonly(statement) || rest[strspn(rest, "; \t\r\n")] != 0) {
        status = err_set(err, STATUS_USAGE, "wrong query: expected one SELECT");
        goto out;
    }
    names = memory_new((size_t)n, sizeof *names);
    cells = memory_new((size_t)n, sizeof *cells);
    if (names == NULL || cells == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    for (int i = 0; i < n; i++)
        names[i] = sqlite3_column_name(statement, i);
    while (status == STATUS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        read_cells(statement, n, cells);
        status = row(context, n, names, cells, err);
    }
    if (status == STATUS_OK && code != SQLITE_DONE)
        status = handle_error(handle, code, "read", err);
out:
    memory_free(cells);
    memory_free(names);
    sqlite3_finalize(statement);
    return status;
}

const struct cell *cell_named(const char *name, int n, const char *const *names,
                              const struct cell *cells)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return &cells[i];
    assert(false && "no such column in the SELECT");
    return NULL;
}
