#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/ranges.h"
#include "base/stats.h"

enum { MOST = 64 };

static void assert_same(const struct ranges *ranges, const bool *in)
{
    int64_t gap = 0;
    struct range found;
    for (int64_t i = 0; i < MOST; i++)
        assert_int_equal(ranges_meet(ranges, i, i + 1) != NULL, in[i]);
    for (size_t i = 1; i < ranges->n; i++) /* the fewest ranges there can be */
        assert_true(ranges->range[i].first > ranges->range[i - 1].end);
    while (gap < MOST && in[gap])
        gap++;
    assert_int_equal(ranges_first_gap(ranges, MOST, &found), gap < MOST);
    if (gap < MOST) {
        assert_int_equal(found.first, gap);
        while (gap < MOST && !in[gap])
            gap++;
        assert_int_equal(found.end, gap);
    }
}

static void ranges_hold_the_numbers_that_were_added_in_any_order(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int round = 0; round < 200; round++) {
        struct ranges ranges = {0}, read = {0};
        bool in[MOST] = {false};
        assert_same(&ranges, in);
        for (int n = 0; n < 12; n++) {
            const int64_t first = rng_between(&rng, 0, MOST - 1);
            const int64_t end = rng_between(&rng, first + 1, first + 8 < MOST ? first + 8 : MOST);
            bool meets = false;
            for (int64_t i = first; i < end; i++)
                meets |= in[i];
            assert_int_equal(ranges_meet(&ranges, first, end) != NULL, meets);
            assert_int_equal(ranges_add(&ranges, first, end, NULL), STATUS_OK);
            for (int64_t i = first; i < end; i++)
                in[i] = true;
            assert_same(&ranges, in);
        }
        char *text = ranges_print(&ranges);
        assert_int_equal(ranges_parse(&read, "parts", text, NULL), STATUS_OK);
        assert_same(&read, in);
        memory_free(text);
        ranges_release(&ranges);
        ranges_release(&read);
    }
}

static void ranges_are_printed_as_pairs(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    char *none = ranges_print(&ranges);
    assert_string_equal(none, "[]");
    assert_int_equal(ranges_add(&ranges, 8, 12, NULL), STATUS_OK);
    assert_int_equal(ranges_add(&ranges, 0, 4, NULL), STATUS_OK);
    char *two = ranges_print(&ranges);
    assert_string_equal(two, "[[0,4],[8,12]]");
    memory_free(none);
    memory_free(two);
    ranges_release(&ranges);
}

static void damaged_ranges_are_refused(void **state)
{
    (void)state;
    static const char *const damaged[] = {"",        "{}",        "[1]",      "[[1]]",
                                          "[[3,3]]", "[[-1, 2]]", "[[1,2,3]]"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct ranges ranges = {0};
        struct err err = {""};
        assert_int_not_equal(ranges_parse(&ranges, "parts", damaged[i], &err), STATUS_OK);
        assert_non_null(strstr(err.message, "parts"));
        ranges_release(&ranges);
    }
}

static void no_memory_leaves_the_set_as_it_was(void **state)
{
    (void)state;
    struct ranges ranges = {0};
    memory_fail_after(1);
    assert_int_equal(ranges_add(&ranges, 0, 4, NULL), STATUS_NOMEM);
    assert_null(ranges_print(&ranges));
    memory_fail_after(-1);
    assert_null(ranges_meet(&ranges, 0, 4));
    ranges_release(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_hold_the_numbers_that_were_added_in_any_order),
        cmocka_unit_test(ranges_are_printed_as_pairs),
        cmocka_unit_test(damaged_ranges_are_refused),
        cmocka_unit_test(no_memory_leaves_the_set_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
