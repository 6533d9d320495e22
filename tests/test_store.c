/* The store: what is stored is read back. */
#include "store_fixture.h"

#include <stdbool.h>

#include "base/memory.h"
#include "db/store_private.h"

static void what_is_stored_is_read_back(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    const int64_t run = fixture_begin(store);
    must(fixture_put(store, run, 0, 1000, &must_err));
    must(fixture_put(store, run, 1000, 500, &must_err));
    assert_rows(store, run, 1500);
    assert_int_equal(read_run(store, run).position, 1500);
    assert_int_equal(read_run(store, run).finished, 0);
    must(store_finish_run(store, run, &must_err));
    assert_int_equal(read_run(store, run).finished, 1);
    assert_int_not_equal(read_run(store, run).ended_at[0], 0);
    store_close(store);
    store = fixture_open(fixture->path, STORE_READ);
    assert_rows(store, run, 1500);
    store_close(store);
}

static void every_column_of_the_contract_is_there(void **state)
{
    (void)state;
    static const char *const contract[] = {
        "run_id",
        "n_layers",
        "n_layers_effective",
        "sharing",
        "d_model",
        "n_heads",
        "n_kv_heads",
        "d_head",
        "d_ff",
        "vocab_size",
        "tie_embeddings",
        "dtype",
        "params",
        "params_blocks",
        "weight_bytes",
        "kv_bytes_per_token",
        "load_ns",
        "init_ns",
        "prefill_ns",
        "ttft_cold_ns",
        "decode_ns",
        "energy_pj_per_token",
        "peak_bytes",
        "on_front",
    };
    for (size_t i = 0; i < sizeof contract / sizeof *contract; i++)
        assert_non_null(field_find(&candidate_fields, contract[i]));
}

static void runs_are_kept_apart(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    const int64_t first = fixture_begin(store), second = fixture_begin(store);
    must(fixture_put(store, second, 0, 30, &must_err));
    must(fixture_put(store, first, 0, 20, &must_err));
    must(fixture_put(store, second, 30, 30, &must_err));
    assert_rows(store, first, 20);
    assert_rows(store, second, 60);
    must(store_replace_candidates(store, second, NULL, 0, 60, &must_err));
    assert_rows(store, second, 0);
    assert_rows(store, first, 20);
    store_close(store);
}

static void a_batch_is_stored_whole_or_not_at_all(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    struct err err;
    const int64_t run = fixture_begin(store);
    must(fixture_put(store, run, 0, 100, &must_err));
    /* 50 .. 149: the first of them is there already; then one that collides in the middle. */
    assert_int_equal(fixture_put(store, run, 50, 100, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "row 50 of run 1"));
    struct candidate_row rows[3];
    fixture_candidate(200, &rows[0]);
    fixture_candidate(99, &rows[1]);
    fixture_candidate(201, &rows[2]);
    assert_int_equal(store_put_candidates(store, run, rows, 3, 300, &err), STATUS_INPUT);
    assert_rows(store, run, 100);
    assert_int_equal(read_run(store, run).position, 100);
    assert_int_equal(fixture_put(store, 77, 0, 1, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "has no run 77"));
    must(fixture_put(store, run, 100, 10, &must_err));
    assert_rows(store, run, 110);
    store_close(store);
}

static void a_replaced_set_is_all_that_stays(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    const int64_t run = fixture_begin(store);
    for (int64_t round = 1; round <= 5; round++) {
        struct candidate_row rows[40];
        const size_t n = (size_t)(8 * round);
        for (size_t i = 0; i < n; i++)
            fixture_candidate((int64_t)i, &rows[i]);
        must(store_replace_candidates(store, run, rows, n, 1000 * round, &must_err));
        assert_rows(store, run, n);
        assert_int_equal(read_run(store, run).position, 1000 * round);
    }
    store_close(store);
}

static void the_front_is_what_was_marked_last(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    const int64_t other = fixture_begin(store), run = fixture_begin(store);
    const int64_t first[] = {1, 5, 9}, second[] = {5, 7}, bad[] = {3, 100};
    must(fixture_put(store, run, 0, 20, &must_err));
    must(fixture_put(store, other, 0, 20, &must_err));
    must(store_mark_front(store, other, first, 3, &must_err));
    must(store_mark_front(store, run, first, 3, &must_err));
    must(store_mark_front(store, run, second, 2, &must_err));
    assert_int_equal(store_mark_front(store, run, bad, 2, NULL), STATUS_INPUT);
    const struct candidate_query query = {.run_id = run, .front_only = true};
    struct rows rows = {0};
    must(query_candidates(store, &query, &rows, &must_err));
    assert_int_equal(rows.n, 2);
    const struct candidate_row *row = rows.data;
    assert_int_equal(row[0].id, 5);
    assert_int_equal(row[1].id, 7);
    rows_release(&rows);
    const struct candidate_query query_other = {.run_id = other, .front_only = true};
    must(query_candidates(store, &query_other, &rows, &must_err));
    assert_int_equal(rows.n, 3);
    rows_release(&rows);
    store_close(store);
}

static void rows_of_the_other_tables_come_back(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    struct rows rows = {0};

    struct device_row device;
    row_clear(TABLE_DEVICE, &device);
    device.name = "iphone-13";
    device.profile = "{\"levels\": []}";
    int64_t id = 0, again = 0, changed = 0;
    must(store_put_device(store, &device, &id, &must_err));
    must(store_put_device(store, &device, &again, &must_err));
    device.profile = "{\"levels\": [1]}";
    must(store_put_device(store, &device, &changed, &must_err));
    assert_int_equal(id, again);
    assert_int_not_equal(id, changed);

    struct law_row law;
    row_clear(TABLE_LAW, &law);
    law.name = "a law";
    law.law = "{\"rows\": 1}";
    must(store_put_law(store, &law, &id, &must_err));
    must(store_put_law(store, &law, &again, &must_err));
    law.law = "{\"rows\": 2}";
    must(store_put_law(store, &law, &changed, &must_err));
    assert_int_equal(id, again);
    assert_int_not_equal(id, changed);

    struct measurement_row measurement;
    row_clear(TABLE_MEASUREMENT, &measurement);
    measurement.id = 1;
    measurement.subject.model = "mobilellm-125m";
    measurement.subject.n_layers = 30;
    measurement.decode_ns = 15.6e6;
    measurement.decode_ns_n = 50;
    measurement.measured_at = "2024-01-01T00:00:00Z";
    must(store_put_measurements(store, &measurement, 1, &must_err));
    must(query_rows(store, TABLE_MEASUREMENT, NULL, "id", &rows, &must_err));
    assert_int_equal(rows.n, 1);
    assert_same_row(TABLE_MEASUREMENT, &measurement, rows.data);
    rows_release(&rows);

    struct kernel_timing_row timing;
    row_clear(TABLE_KERNEL_TIMING, &timing);
    timing.kernel = "gemv_q8_0_avx2";
    timing.median_ns = 1234.5;
    must(store_put_kernel_timings(store, &timing, 1, &must_err));
    must(query_rows(store, TABLE_KERNEL_TIMING, "kernel LIKE 'gemv%'", NULL, &rows, &must_err));
    assert_int_equal(rows.n, 1);
    assert_non_null(((const struct kernel_timing_row *)rows.data)->measured_at);
    rows_release(&rows);

    struct prediction_row prediction;
    row_clear(TABLE_PREDICTION, &prediction);
    prediction.subject.model = "opt-125m";
    prediction.basis = "datasheet";
    must(store_put_predictions(store, &prediction, 1, &must_err));
    must(query_rows(store, TABLE_PREDICTION, NULL, NULL, &rows, &must_err));
    assert_true(isnan(((const struct prediction_row *)rows.data)->error_median_frac));
    rows_release(&rows);
    store_close(store);
}

static void a_published_value_is_stored_once(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    struct rows rows = {0};
    struct published_row published;
    row_clear(TABLE_PUBLISHED, &published);
    published.model = "mobilellm-125m";
    published.metric = "avg";
    published.unit = "percent";
    published.source = "Table 3";
    published.value = 46.0;
    must(store_put_published(store, &published, 1, &must_err));
    published.value = 46.3;
    must(store_put_published(store, &published, 1, &must_err));
    published.source = "Table 8";
    must(store_put_published(store, &published, 1, &must_err));
    must(query_rows(store, TABLE_PUBLISHED, NULL, "source", &rows, &must_err));
    assert_int_equal(rows.n, 2);
    assert_true(((const struct published_row *)rows.data)->value == 46.3);
    rows_release(&rows);
    store_close(store);
}

static void every_failing_allocation_is_reported(void **state)
{
    const struct fixture *fixture = *state;
    struct candidate_row row;
    fixture_candidate(3, &row);
    for (int64_t n = 1;; n++) {
        struct store *store = NULL;
        struct run_row run;
        row_clear(TABLE_RUN, &run);
        memory_fail_after(n);
        enum status status = store_open(fixture->path, STORE_WRITE, &store, NULL);
        if (status == STATUS_OK)
            status = store_begin_run(store, &run, NULL);
        if (status == STATUS_OK)
            status = store_put_candidates(store, run.id, &row, 1, 1, NULL);
        memory_fail_after(-1);
        store_close(store);
        if (status == STATUS_OK) {
            assert_true(n > 5);
            return;
        }
        assert_int_equal(status, STATUS_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_file(what_is_stored_is_read_back),
        cmocka_unit_test(every_column_of_the_contract_is_there),
        with_file(runs_are_kept_apart),
        with_file(a_batch_is_stored_whole_or_not_at_all),
        with_file(a_replaced_set_is_all_that_stays),
        with_file(the_front_is_what_was_marked_last),
        with_file(rows_of_the_other_tables_come_back),
        with_file(a_published_value_is_stored_once),
        with_file(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
