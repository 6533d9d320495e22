/* The schema and its way forward. See schema.h. */
#include "db/schema.h"

#include <string.h>

static const char *const type_names[] = {
    [FIELD_INT] = "INTEGER",
    [FIELD_REAL] = "REAL",
    [FIELD_TEXT] = "TEXT",
};

enum status schema_inspect(const struct handle *handle, enum schema_state *state, struct err *err)
{
    int64_t application = 0, version = 0, objects = 0;
    enum status status;
    if ((status = handle_int(handle, "PRAGMA application_id", &application, "open", err)) !=
            STATUS_OK ||
        (status = handle_int(handle, "PRAGMA user_version", &version, "open", err)) != STATUS_OK ||
        (status = handle_int(handle, "SELECT count(*) FROM sqlite_schema", &objects, "open",
                             err)) != STATUS_OK)
        return status;
    if (objects == 0 && version == 0)
        *state = SCHEMA_EMPTY;
    else if (application != APPLICATION_ID)
        return err_set(err, STATUS_INPUT,
                       "cannot open '%s': it is a SQLite database of another program",
                       handle->path);
    else if (version > SCHEMA_VERSION)
        return err_set(err, STATUS_UNSUPPORTED,
                       "cannot open '%s': its schema has version %lld, this lathe knows up to %d",
                       handle->path, (long long)version, SCHEMA_VERSION);
    else
        *state = version < SCHEMA_VERSION ? SCHEMA_OLDER : SCHEMA_CURRENT;
    return STATUS_OK;
}

void schema_table_sql(enum table_id id, struct text *text)
{
    const struct table *table = &tables[id];
    const struct field *next = next_column(id, NULL);
    text_addf(text, "CREATE TABLE IF NOT EXISTS %s (\n", table->fields->name);
    for (const struct field *column = next; column != NULL; column = next) {
        const char *unit = unit_name(column->unit);
        bool is_first = column == next_column(id, NULL);
        next = next_column(id, column);
        text_addf(text, "    %s %s", column->name, type_names[column->type]);
        if (is_first && strcmp(column->name, "id") == 0)
            text_add(text, " PRIMARY KEY");
        text_addf(text, "%s -- %s%s%s\n", next == NULL && table->extra[0] == 0 ? "" : ",", unit,
                  unit[0] != 0 && column->meaning[0] != 0 ? ": " : "", column->meaning);
    }
    if (table->extra[0] != 0)
        text_addf(text, "    %s\n", table->extra);
    text_add(text, ");\n");
}

/* Times also in ms, sizes in MB, energies in mJ, counts in millions: what people write in
 * conditions and read in tables. */
static void add_units_view(struct text *text)
{
    static const struct {
        const char *suffix, *replacement, *divisor;
    } units[] = {
        {"_ns", "_ms", "1e6"},
        {"_ns_low", "_ms_low", "1e6"},
        {"_ns_high", "_ms_high", "1e6"},
        {"_bytes", "_mb", "1e6"},
        {"_pj_per_token", "_mj_per_token", "1e9"},
        {"params", "params_m", "1e6"},
        {"params_blocks", "params_blocks_m", "1e6"},
    };
    text_add(text, "CREATE VIEW candidate_units AS SELECT *");
    for (EACH_COLUMN(column, TABLE_CANDIDATE)) {
        const char *name = column->name;
        const size_t length = strlen(name);
        for (size_t j = 0; j < sizeof units / sizeof *units; j++) {
            const size_t suffix = strlen(units[j].suffix);
            if (length >= suffix && strcmp(name + length - suffix, units[j].suffix) == 0 &&
                (units[j].suffix[0] == '_' || length == suffix))
                text_addf(text, ",\n    %s / %s AS %.*s%s", name, units[j].divisor,
                          (int)(length - suffix), name, units[j].replacement);
        }
    }
    text_add(text, "\nFROM candidate;\n");
}

/* One row a block of stacks whose blocks may differ: runs with their first block, then spread out. */
static void add_layer_view(struct text *text)
{
    static const char *const fields[] = {"mixer",  "n_heads", "n_kv_heads",
                                         "d_head", "window",  "d_ff"};
    text_add(
        text,
        "CREATE VIEW candidate_layer AS WITH RECURSIVE\n"
        "    part AS (SELECT candidate.key AS candidate_key, run_id, candidate.id, item.value,\n"
        "             json_extract(item.value, '$.n') AS n, sum(json_extract(item.value, '$.n'))\n"
        "             OVER (PARTITION BY candidate.key ORDER BY item.key) AS end\n"
        "             FROM candidate, json_each(candidate.layers) AS item),\n"
        "    block AS (SELECT *, end - n AS layer FROM part UNION ALL\n"
        "              SELECT candidate_key, run_id, id, value, n, end, layer + 1 FROM block\n"
        "              WHERE layer + 1 < end)\n"
        "SELECT run_id, id, layer");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        text_addf(text, ", json_extract(value, '$.%s') AS %s", fields[i], fields[i]);
    text_add(text, ", coalesce(json_extract(value, '$.repeats'), 1) AS repeats\nFROM block;\n");
}

static void add_views(struct text *text)
{
    text_add(text, "DROP VIEW IF EXISTS latest;\n"
                   "DROP VIEW IF EXISTS latest_run;\n"
                   "DROP VIEW IF EXISTS front;\n"
                   "DROP VIEW IF EXISTS candidate_layer;\n"
                   "DROP VIEW IF EXISTS candidate_units;\n");
    add_units_view(text);
    add_layer_view(text);
    text_addf(text,
              "CREATE VIEW front AS SELECT * FROM candidate_units WHERE on_front = 1;\n"
              "CREATE VIEW latest_run AS\n"
              "    SELECT * FROM run WHERE verb = 'search' ORDER BY id DESC LIMIT 1;\n"
              "CREATE VIEW latest AS\n"
              "    SELECT candidate_units.* FROM latest_run, candidate_units\n"
              "    WHERE key >= latest_run.id << %d AND key < (latest_run.id + 1) << %d;\n",
              KEY_BITS, KEY_BITS);
}

static enum status add_missing_columns(const struct handle *handle, enum table_id table,
                                       struct err *err)
{
    const char *table_name = tables[table].fields->name;
    enum status status = STATUS_OK;
    const struct field *column = NULL;
    while (status == STATUS_OK && (column = next_column(table, column)) != NULL) {
        char sql[256];
        int64_t found = 0;
        sqlite3_snprintf(sizeof sql, sql,
                         "SELECT count(*) FROM pragma_table_info(%Q) WHERE name = %Q", table_name,
                         column->name);
        status = handle_int(handle, sql, &found, "read", err);
        if (status != STATUS_OK || found != 0)
            continue;
        sqlite3_snprintf(sizeof sql, sql, "ALTER TABLE %s ADD COLUMN %s %s", table_name,
                         column->name, type_names[column->type]);
        status = handle_exec(handle, sql, "upgrade", err);
    }
    return status;
}

static enum status bring_up_inside(const struct handle *handle, struct err *err)
{
    /* Again, now that nobody else can write: another process may have just done it. */
    enum schema_state state;
    enum status status = schema_inspect(handle, &state, err);
    if (status != STATUS_OK || state == SCHEMA_CURRENT)
        return status;
    struct text text = {0};
    for (int i = 0; i < N_TABLES; i++)
        schema_table_sql((enum table_id)i, &text);
    /* The few rows of a front are found without reading the many others. It pays: rows that are not
     * on the front are never entered. No other index does: a run's rows are a range of the key. */
    text_add(&text, "CREATE INDEX IF NOT EXISTS candidate_front ON candidate (run_id)"
                    " WHERE on_front = 1;\n");
    if (text.failed) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    if ((status = handle_exec(handle, text.data, "create", err)) != STATUS_OK)
        goto out;
    if (state == SCHEMA_OLDER)
        for (int i = 0; i < N_TABLES && status == STATUS_OK; i++)
            status = add_missing_columns(handle, (enum table_id)i, err);
    if (status != STATUS_OK)
        goto out;
    text_release(&text);
    text = (struct text){0};
    add_views(&text);
    text_addf(&text, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n", APPLICATION_ID,
              SCHEMA_VERSION);
    status = text.failed ? err_set(err, STATUS_NOMEM, "out of memory")
                         : handle_exec(handle, text.data, "create", err);
out:
    text_release(&text);
    return status;
}

enum status schema_bring_up(struct handle *handle, struct err *err)
{
    enum status status = handle_begin(handle, err);
    if (status != STATUS_OK)
        return status;
    return handle_end(handle, bring_up_inside(handle, err), err);
}
