#include "store_fixture.h"

#include <stdbool.h>

#include "base/memory.h"

static struct store *store_with(const struct fixture *fixture, size_t n, int64_t *run)
{
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    fixture_begin(store); /* so that a mix-up of runs shows */
    *run = fixture_begin(store);
    must(fixture_put(store, 1, 0, 10, &must_err));
    must(fixture_put(store, *run, 0, n, &must_err));
    return store;
}

static void rows_come_in_the_order_asked_for(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 300, &run);
    for (EACH_COLUMN(column, TABLE_CANDIDATE)) {
        for (int descending = 0; descending <= 1; descending++) {
            const struct candidate_query query = {
                .order_by = column->name, .descending = descending == 1, .limit = 200};
            struct rows rows = {0};
            must(query_candidates(store, &query, &rows, &must_err));
            assert_int_equal(rows.n, 200);
            const struct candidate_row *row = rows.data;
            for (size_t r = 1; r < rows.n; r++) {
                double a = 0, b = 0;
                if (column->type == FIELD_INT) {
                    a = (double)field_int(column, &row[r - 1]);
                    b = (double)field_int(column, &row[r]);
                } else if (column->type == FIELD_REAL) {
                    a = field_real(column, &row[r - 1]);
                    b = field_real(column, &row[r]);
                } else {
                    a = strcmp(field_text(column, &row[r - 1]), field_text(column, &row[r]));
                }
                if (isnan(b))
                    continue;        /* unknown comes last, whatever the direction */
                assert_true(a == a); /* not NaN */
                const bool ordered = a == b || (a > b) == (descending == 1);
                assert_true(ordered);
                if (a == b && column->type != FIELD_TEXT)
                    assert_true(row[r - 1].id < row[r].id);
            }
            rows_release(&rows);
        }
    }
    store_close(store);
}

static void a_condition_keeps_exactly_the_rows_that_meet_it(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 500, &run);
    const struct candidate_query query = {
        .run_id = run, .where = "decode_ms < 30 AND (sharing = 'none' OR n_heads > 500000)"};
    struct rows rows = {0};
    must(query_candidates(store, &query, &rows, &must_err));
    size_t at = 0;
    for (int64_t id = 0; id < 500; id++) {
        struct candidate_row want;
        fixture_candidate(id, &want);
        if (!(want.price.decode_ns < 30e6 &&
              (strcmp(want.sharing, "none") == 0 || want.n_heads > 500000)))
            continue;
        assert_true(at < rows.n);
        want.run_id = run;
        assert_same_row(TABLE_CANDIDATE, &want, (const struct candidate_row *)rows.data + at++);
    }
    assert_int_equal(at, rows.n);
    assert_true(at > 0);
    rows_release(&rows);
    store_close(store);
}

static enum status select_where(struct store *store, const char *where, struct err *err)
{
    const struct candidate_query query = {.where = where};
    struct rows rows = {0};
    const enum status status = query_candidates(store, &query, &rows, err);
    rows_release(&rows);
    return status;
}

static void refuses(struct store *store, const char *where, const char *part)
{
    struct err err = {{0}};
    assert_int_equal(select_where(store, where, &err), STATUS_USAGE);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.message);
    assert_null(strchr(err.message, '\n'));
}

static void a_wrong_condition_says_what_is_wrong(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 50, &run);
    refuses(store, "decod_ns < 3", "unknown column 'decod_ns' in 'decod_ns < 3': did you mean");
    refuses(store, "decod_ns < 3", "'decode_ns'");
    refuses(store, "\"decod_ms\" < 3", "unknown column 'decod_ms'");
    refuses(store, "dtype = q8_0", "unknown column 'q8_0'");
    refuses(store, "dtype = q8_0", "single quotes");
    refuses(store, "decode_ns <", "syntax error");
    refuses(store, "", "syntax error");
    refuses(store, "decode_ns < 3; DROP TABLE candidate", "wrong condition");
    refuses(store, "1) OR (1", "parentheses do not match");
    refuses(store, "(1", "parentheses do not match");
    refuses(store, "sharing = 'none", "quotes or parentheses");
    refuses(store, "1 -- 2", "wrong condition");
    refuses(store, "sqroot(3)", "no such function");
    refuses(store, "decode_ns < ?", "wrong condition");
    must(select_where(store, "decode_ms < 20 AND peak_mb < 500", &must_err));
    must(select_where(store, "sharing IN ('none', '):') AND params_m BETWEEN 120 AND 130",
                      &must_err));
    store_close(store);
}

static void an_unknown_column_is_refused_with_the_nearest(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 50, &run);
    struct rows rows = {0};
    struct err err;
    struct candidate_query query = {.order_by = "decode_nss"};
    assert_int_equal(query_candidates(store, &query, &rows, &err), STATUS_USAGE);
    assert_string_equal(err.message, "unknown column 'decode_nss': did you mean 'decode_ns'?");
    query.order_by = "decode_ns; DROP TABLE run";
    assert_int_equal(query_candidates(store, &query, &rows, NULL), STATUS_USAGE);
    query.order_by = "prefill_ms";
    must(query_candidates(store, &query, &rows, &must_err));
    rows_release(&rows);
    store_close(store);
}

static void a_candidate_is_found_by_reference(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 50, &run);
    struct rows rows = {0};
    struct candidate_row want;
    must(query_candidate(store, 0, 42, &rows, &must_err));
    fixture_candidate(42, &want);
    want.run_id = run;
    assert_same_row(TABLE_CANDIDATE, &want, rows.data);
    struct err err;
    assert_int_equal(query_candidate(store, 1, 42, &rows, &err), STATUS_NOT_FOUND);
    assert_string_equal(err.message, "run 1 has no candidate 42");
    assert_int_equal(query_candidate(store, 9, 0, &rows, &err), STATUS_NOT_FOUND);
    assert_int_equal(query_candidate(store, 1, INT64_MAX, &rows, &err), STATUS_NOT_FOUND);
    rows_release(&rows);
    store_close(store);
}

static void a_reference_is_run_and_id(void **state)
{
    (void)state;
    int64_t run = -1, id = -1;
    must(query_parse_reference("3:1042", &run, &id, &must_err));
    assert_int_equal(run, 3);
    assert_int_equal(id, 1042);
    must(query_parse_reference("latest:7", &run, &id, &must_err));
    assert_int_equal(run, 0);
    assert_int_equal(id, 7);
    static const char *const wrong[] = {"",
                                        "3",
                                        ":",
                                        "3:",
                                        ":3",
                                        "0:3",
                                        "a:3",
                                        "3:4x",
                                        "-1:3",
                                        "3:-4",
                                        "latest",
                                        "latest3:4",
                                        "3:99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(query_parse_reference(wrong[i], &run, &id, NULL), STATUS_USAGE);
    assert_int_equal(id, 7);
}

static void the_latest_run_is_the_latest_search(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    struct err err;
    int64_t found = 0;
    assert_int_equal(query_run_id(store, 0, &found, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "holds no search"));
    fixture_begin(store);
    const int64_t search = fixture_begin(store);
    struct run_row run;
    row_clear(TABLE_RUN, &run);
    run.verb = "measure";
    must(store_begin_run(store, &run, &must_err));
    must(query_run_id(store, 0, &found, &must_err));
    assert_int_equal(found, search);
    must(query_run_id(store, run.id, &found, &must_err));
    assert_int_equal(found, run.id);
    assert_int_equal(query_run_id(store, 44, &found, &err), STATUS_NOT_FOUND);
    store_close(store);
}

struct sum {
    int rows;
    double total;
    bool stop;
};

static enum status add_up(void *context, int n, const char *const *names, const struct cell *cells,
                          struct err *err)
{
    struct sum *sum = context;
    assert_int_equal(n, 3);
    assert_string_equal(names[1], "x");
    assert_int_equal(cells[0].type, CELL_INT);
    assert_int_equal(cells[2].type, CELL_TEXT);
    sum->rows++;
    if (cells[1].type == CELL_REAL)
        sum->total += cells[1].real;
    if (sum->stop)
        return err_set(err, STATUS_INTERRUPTED, "enough");
    return STATUS_OK;
}

static void any_select_is_read_row_by_row(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 100, &run);
    struct sum sum = {0}, first = {.stop = true};
    struct err err;
    const char *sql = "SELECT id, energy_pj_per_token AS x, sharing FROM latest ORDER BY id;";
    must(query_each(store, sql, add_up, &sum, &must_err));
    double want = 0;
    for (int64_t id = 0; id < 100; id++) {
        struct candidate_row row;
        fixture_candidate(id, &row);
        want += isnan(row.price.energy_pj_per_token) ? 0 : row.price.energy_pj_per_token;
    }
    assert_int_equal(sum.rows, 100);
    assert_true(sum.total == want);
    assert_int_equal(query_each(store, sql, add_up, &first, &err), STATUS_INTERRUPTED);
    assert_string_equal(err.message, "enough");
    assert_int_equal(first.rows, 1);
    assert_int_equal(query_each(store, "SELECT nope FROM run", add_up, &sum, &err), STATUS_USAGE);
    assert_int_equal(query_each(store, "DELETE FROM run", add_up, &sum, &err), STATUS_USAGE);
    assert_int_equal(query_each(store, "SELECT 1; SELECT 2", add_up, &sum, &err), STATUS_USAGE);
    assert_int_equal(query_each(store, "", add_up, &sum, &err), STATUS_USAGE);
    store_close(store);
}

struct named {
    int64_t id;
    double x;
};

static enum status read_named(void *context, int n, const char *const *names,
                              const struct cell *cells, struct err *err)
{
    struct named *named = context;
    (void)err;
    named->id = cell_named("id", n, names, cells)->integer;
    named->x = cell_named("x", n, names, cells)->real;
    return STATUS_OK;
}

static void a_cell_has_its_name_wherever_it_stands(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 10, &run);
    struct named first = {0}, last = {0};
    must(query_each(store, "SELECT id, decode_ns AS x FROM latest WHERE id = 7", read_named, &first,
                    &must_err));
    must(query_each(store, "SELECT decode_ns AS x, sharing, id FROM latest WHERE id = 7",
                    read_named, &last, &must_err));
    assert_int_equal(first.id, 7);
    assert_int_equal(last.id, 7);
    assert_true(first.x > 0 && first.x == last.x);
    store_close(store);
}

static void every_failing_allocation_is_reported(void **state)
{
    int64_t run;
    struct store *store = store_with(*state, 40, &run);
    const struct candidate_query query = {.where = "decode_ms < 50", .order_by = "decode_ns"};
    for (int64_t n = 1;; n++) {
        struct rows rows = {0};
        memory_fail_after(n);
        const enum status status = query_candidates(store, &query, &rows, NULL);
        memory_fail_after(-1);
        if (status == STATUS_OK) {
            assert_true(n > 10);
            rows_release(&rows);
            break;
        }
        assert_int_equal(status, STATUS_NOMEM);
        assert_null(rows.data);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_file(rows_come_in_the_order_asked_for),
        with_file(a_condition_keeps_exactly_the_rows_that_meet_it),
        with_file(a_wrong_condition_says_what_is_wrong),
        with_file(an_unknown_column_is_refused_with_the_nearest),
        with_file(a_candidate_is_found_by_reference),
        cmocka_unit_test(a_reference_is_run_and_id),
        with_file(the_latest_run_is_the_latest_search),
        with_file(any_select_is_read_row_by_row),
        with_file(a_cell_has_its_name_wherever_it_stands),
        with_file(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
