#include "store_fixture.h"

#include <sqlite3.h>

#include "base/text.h"
#include "db/schema.h"

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static void refuses(const char *path, enum status want, const char *part)
{
    for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
        struct store *store = NULL;
        struct err err = {{0}};
        assert_int_equal(store_open(path, (enum store_mode)mode, &store, &err), want);
        assert_null(store);
        if (strstr(err.message, part) == NULL)
            fail_msg("'%s' is not in '%s'", part, err.message);
    }
    assert_int_equal(access(path, F_OK), 0); /* and it is left alone */
}

static void a_newer_schema_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    char sql[64];
    store_close(fixture_open(fixture->path, STORE_WRITE));
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION + 1);
    run_sql(fixture->path, sql);
    refuses(fixture->path, STATUS_UNSUPPORTED, "this lathe knows up to");
}

static void a_database_of_another_program_is_refused_and_left_alone(void **state)
{
    const struct fixture *fixture = *state;
    run_sql(fixture->path, "CREATE TABLE notes (text)");
    refuses(fixture->path, STATUS_INPUT, "another program");
    run_sql(fixture->path, "INSERT INTO notes VALUES ('still a rollback journal')");
    char name[sizeof fixture->path + 8];
    snprintf(name, sizeof name, "%s-wal", fixture->path);
    assert_int_not_equal(access(name, F_OK), 0);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("model,params\n", file);
    fclose(file);
    refuses(fixture->path, STATUS_INPUT, "it is no SQLite database");
}

static void an_older_schema_is_brought_forward_with_its_rows(void **state)
{
    const struct fixture *fixture = *state;
    for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
        struct store *store = fixture_open(fixture->path, STORE_WRITE);
        const int64_t run = fixture_begin(store);
        must(fixture_put(store, run, 0, 20, &must_err));
        store_close(store);
        run_sql(fixture->path,
                "DROP VIEW latest; DROP VIEW front; DROP VIEW candidate_units;"
                "DROP VIEW candidate_layer;"
                "ALTER TABLE candidate DROP COLUMN decode_ns_low;"
                "ALTER TABLE candidate DROP COLUMN loss_delta_nats;"
                "ALTER TABLE run DROP COLUMN seed; ALTER TABLE run DROP COLUMN law_id;"
                "DROP TABLE law; DROP TABLE prediction; DROP INDEX candidate_front;"
                "PRAGMA user_version = 0");
        store = fixture_open(fixture->path, (enum store_mode)mode);
        const struct candidate_query query = {.run_id = run};
        struct rows rows = {0};
        must(query_candidates(store, &query, &rows, &must_err));
        assert_int_equal(rows.n, 20);
        for (int64_t id = 0; id < 20; id++) {
            struct candidate_row want;
            fixture_candidate(id, &want);
            want.run_id = run;
            want.price.decode_ns_low = want.loss.loss_delta_nats = (double)NAN;
            assert_same_row(TABLE_CANDIDATE, &want, (const struct candidate_row *)rows.data + id);
        }
        must(query_rows(store, TABLE_PREDICTION, NULL, NULL, &rows, &must_err));
        assert_int_equal(rows.n, 0);
        must(query_rows(store, TABLE_RUN, NULL, NULL, &rows, &must_err));
        assert_int_equal(((const struct run_row *)rows.data)->seed, ROW_UNKNOWN);
        assert_int_equal(((const struct run_row *)rows.data)->law_id, ROW_UNKNOWN);
        rows_release(&rows);
        store_close(store);
    }
}

static void the_schema_says_what_each_column_is(void **state)
{
    (void)state;
    for (int t = 0; t < N_TABLES; t++) {
        struct text sql = {0};
        schema_table_sql((enum table_id)t, &sql);
        for (EACH_COLUMN(column, (enum table_id)t))
            assert_non_null(strstr(sql.data, column->meaning));
        text_release(&sql);
    }
}

static const char manual_path[] = LATHE_SOURCE_DIR "/docs/database.md";

/* The manual's part on columns, from the tables. */
static void describe_columns(struct text *out)
{
    text_add(out, "## Columns\n");
    for (int t = 0; t < N_TABLES; t++) {
        text_addf(out, "\n### %s\n\n", tables[t].fields->name);
        if (t == TABLE_CANDIDATE)
            text_add(out, "The last column, `key`, is run_id << 40 | id.\n\n");
        text_add(out, "| column | unit | meaning |\n| --- | --- | --- |\n");
        for (EACH_COLUMN(column, (enum table_id)t)) {
            const char *unit = unit_name(column->unit);
            text_addf(out, "| `%s` |%s%s | %s%s|\n", column->name, *unit ? " " : "", unit,
                      column->meaning, *column->meaning ? " " : "");
        }
    }
}

/* docs/database.md lists every column of every table. LATHE_WRITE_DOCS=1 writes that part anew. */
static void the_manual_describes_every_column(void **state)
{
    (void)state;
    static char manual[1 << 16];
    struct text columns = {0};
    FILE *file = fopen(manual_path, "r");
    assert_non_null(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = 0;
    fclose(file);
    char *part = strstr(manual, "## Columns\n");
    assert_non_null(part);
    describe_columns(&columns);
    if (strcmp(part, columns.data) != 0 && getenv("LATHE_WRITE_DOCS") != NULL) {
        file = fopen(manual_path, "w");
        assert_non_null(file);
        fprintf(file, "%.*s%s", (int)(part - manual), manual, columns.data);
        fclose(file);
    } else {
        assert_string_equal(part, columns.data);
    }
    text_release(&columns);
}

/* docs/contract.md names every key of predict --json. */
static void the_contract_names_every_key(void **state)
{
    (void)state;
    static char contract[1 << 14];
    FILE *file = fopen(LATHE_SOURCE_DIR "/docs/contract.md", "r");
    assert_non_null(file);
    contract[fread(contract, 1, sizeof contract - 1, file)] = 0;
    fclose(file);
    for (int i = 0; i < prediction_fields.n; i++) {
        const struct field *field = &prediction_fields.field[i];
        if ((field->places & IN_JSON) && strstr(contract, field->name) == NULL)
            fail_msg("%s is not in docs/contract.md", field->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_file(a_newer_schema_is_refused),
        with_file(a_database_of_another_program_is_refused_and_left_alone),
        with_file(a_file_that_is_no_database_is_refused),
        with_file(an_older_schema_is_brought_forward_with_its_rows),
        cmocka_unit_test(the_schema_says_what_each_column_is),
        cmocka_unit_test(the_manual_describes_every_column),
        cmocka_unit_test(the_contract_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
