#include "tests/store_fixture.h"

#include "base/memory.h"
#include "cli/published_rows.h"

static int64_t n_rows(struct store *store, const char *where)
{
    struct rows rows = {0};
    must(query_rows(store, TABLE_PUBLISHED, where, NULL, &rows, &must_err));
    int64_t n = (int64_t)rows.n;
    rows_release(&rows);
    return n;
}

static void published_figures_are_stored_once(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    must(published_store(store, &must_err));
    int64_t n = n_rows(store, NULL);
    must(published_store(store, &must_err));
    assert_int_equal(n_rows(store, NULL), n);
    assert_int_equal(n_rows(store, "metric = 'avg'"), 17 + 26);
    assert_int_equal(n_rows(store, "metric = 'avg' AND conditions = 'zero-shot, table3'"), 17);
    assert_int_equal(n_rows(store, "metric = 'params' AND model = 'mobilellm-125m' "
                                   "AND value = 124635456"),
                     1);
    assert_int_equal(n_rows(store, "model = 'opt-125m' AND metric = 'hellaswag' AND value = 31.1"),
                     1);
    store_close(store);
}

static void a_failed_allocation_stores_nothing_by_halves(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n += 211) {
        memory_fail_after(n);
        status = published_store(store, NULL);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        if (status != STATUS_OK)
            assert_int_equal(n_rows(store, NULL), 0);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_figures_are_stored_once, fixture_make,
                                        fixture_remove),
        cmocka_unit_test_setup_teardown(a_failed_allocation_stores_nothing_by_halves, fixture_make,
                                        fixture_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
