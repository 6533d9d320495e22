#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "base/stats.h"

static void budgets_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max, target;
    } cases[] = {
        {"125M", 122500000, 127500000, 125000000},
        {"125m", 122500000, 127500000, 125000000},
        {"125M+-4%", 120000000, 130000000, 125000000},
        {"125M\xc2\xb1"
         "4%",
         120000000, 130000000, 125000000},
        {"125M +- 4 %", 0, 0, 0},
        {"125M +-4%", 120000000, 130000000, 125000000},
        {"124635456+-0%", 124635456, 124635456, 124635456},
        {"100M..130M", 100000000, 130000000, 115000000},
        {"1T+-0%", 1000000000000, 1000000000000, 1000000000000},
        {"1.5B+-0%", 1500000000, 1500000000, 1500000000},
        {"1.5G+-0%", 1500000000, 1500000000, 1500000000},
        {"7..7", 7, 7, 7},
        {"1", 1, 1, 1},
        {"9223372036854775807..9223372036854775807", INT64_MAX, INT64_MAX, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct budget budget = {0};
        struct err err;
        enum status status = parse_budget(cases[i].text, &budget, &err);
        assert_int_equal(status, cases[i].target > 0 ? STATUS_OK : STATUS_USAGE);
        assert_int_equal(budget.min, cases[i].min);
        assert_int_equal(budget.max, cases[i].max);
        assert_int_equal(budget.target, cases[i].target);
    }
}

static const char *const nonsense[] = {
    "",         " ",
    "M",        "-1",
    "+5",       "nan",
    "inf",      "1e999",
    "0x10",     "12Q",
    "12MM",     "1..2..3",
    "3M..",     "..3M",
    "5M..4M",   "0",
    "0..5",     "-5..5",
    "5M+-",     "5M+-x",
    "5M+-5",    "5M+-%",
    "5M+--1%",  "5M+-100%",
    "5M+-1e9%", "1.5",
    "0.3",      "9999999999999999999999",
    "1e30",     "9223372036854775808",
    "9.3e18",
};

static void nonsense_is_no_budget_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        struct budget budget = {1, 2, 3};
        struct err err = {""};
        assert_int_equal(parse_budget(nonsense[i], &budget, &err), STATUS_USAGE);
        assert_true(strlen(err.message) > 0);
        assert_int_equal(budget.min + budget.max + budget.target, 6);
    }
}

static void whole_numbers_of_any_size_are_read_exactly(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 2000; i++) {
        int64_t number = (int64_t)(rng_next(&rng) >> rng_between(&rng, 1, 60)), read, sized;
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)number);
        assert_int_equal(parse_count(text, &read, NULL), STATUS_OK);
        assert_int_equal(parse_bytes(text, &sized, NULL), STATUS_OK);
        assert_true(read == number && sized == number);
    }
}

static void sizes_are_decimal_or_binary_by_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {
        {"512", 512},
        {"20MiB", 20971520},
        {"8GB", 8000000000},
        {"1.5 GiB", 1610612736},
        {"0.5kB", 500},
        {"1KiB", 1024},
        {"2TB", 2000000000000},
        {"1TiB", 1099511627776},
        {"7B", 7},
        {"0", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t bytes = -1;
        assert_int_equal(parse_bytes(cases[i].text, &bytes, NULL), STATUS_OK);
        assert_int_equal(bytes, cases[i].bytes);
    }
    int64_t bytes = -1;
    static const char *const wrong[] = {"", "MB", "1Mib2", "1MBit", "-1", "1e40", "5 m", "0.3B"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(parse_bytes(wrong[i], &bytes, NULL), STATUS_USAGE);
    assert_int_equal(bytes, -1);
}

static void a_time_has_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double ns;
    } cases[] = {
        {"20ms", 20e6}, {"1.5s", 1.5e9}, {"300us", 300e3}, {"300\xc2\xb5s", 300e3},
        {"40ns", 40},   {"2min", 120e9}, {"0.5 ns", 0.5},
    };
    double ns = -1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse_time_ns(cases[i].text, &ns, NULL), STATUS_OK);
        assert_true(fabs(ns - cases[i].ns) <= 1e-9 * cases[i].ns);
    }
    static const char *const wrong[] = {"20", "", "ms", "-1s", "1h", "nans", "infs", "1e999s"};
    ns = -1;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(parse_time_ns(wrong[i], &ns, NULL), STATUS_USAGE);
    assert_true(ns == -1);
}

static void assert_formats(char *got, const char *expected)
{
    assert_string_equal(got, expected);
}

static void tables_show_three_or_four_digits(void **state)
{
    (void)state;
    char b[32];
    assert_formats(format_count(124635456, b, sizeof b), "124.6M");
    assert_formats(format_count(4096, b, sizeof b), "4096");
    assert_formats(format_count_short(4100, b, sizeof b), "4100");
    assert_formats(format_count_short(125000000, b, sizeof b), "125M");
    assert_formats(format_count_short(124600000, b, sizeof b), "124.6M");
    assert_formats(format_count_short(1000000000000, b, sizeof b), "1T");
    assert_formats(format_count_short(1500000000, b, sizeof b), "1.5B");
    assert_formats(format_count_short(100000000, b, sizeof b), "100M");
    assert_formats(format_count_short(0, b, sizeof b), "0");
    assert_formats(format_count(1005461760, b, sizeof b), "1.005B");
    assert_formats(format_count(999999, b, sizeof b), "1.000M");
    assert_formats(format_count(-3, b, sizeof b), "-3");
    assert_formats(format_bytes(249270912, b, sizeof b), "249 MB");
    assert_formats(format_bytes(12, b, sizeof b), "12 B");
    assert_formats(format_bytes(999.6, b, sizeof b), "1.00 kB");
    assert_formats(format_time_ns(15.6e6, b, sizeof b), "15.6 ms");
    assert_formats(format_time_ns(9.999e6, b, sizeof b), "10.0 ms");
    assert_formats(format_time_ns(99.99e6, b, sizeof b), "100 ms");
    assert_formats(format_time_ns(NAN, b, sizeof b), "-");
    assert_formats(format_time_ns(0, b, sizeof b), "0 ns");
    assert_formats(format_time_ns(7.2e12, b, sizeof b), "7200 s");
    assert_formats(format_energy_pj(12.5e9, b, sizeof b), "12.5 mJ");
}

static void what_is_shown_is_within_half_a_digit_of_what_is(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (int i = 0; i < 5000; i++) {
        double ns = exp(rng_uniform(&rng) * 27), shown;
        char buffer[32];
        format_time_ns(ns, buffer, sizeof buffer);
        assert_int_equal(parse_time_ns(buffer, &shown, NULL), STATUS_OK);
        assert_true(fabs(shown - ns) <= 0.00501 * ns);
        int64_t count = (int64_t)ns, parsed;
        char *plain = format_count(count, buffer, sizeof buffer);
        if (count < 10000) {
            assert_int_equal(parse_count(plain, &parsed, NULL), STATUS_OK);
            assert_int_equal(parsed, count);
        } else {
            assert_int_equal(strcspn(plain, "KMBT"), 5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_read_as_people_write_them),
        cmocka_unit_test(nonsense_is_no_budget_and_changes_nothing),
        cmocka_unit_test(whole_numbers_of_any_size_are_read_exactly),
        cmocka_unit_test(sizes_are_decimal_or_binary_by_their_unit),
        cmocka_unit_test(a_time_has_a_unit),
        cmocka_unit_test(tables_show_three_or_four_digits),
        cmocka_unit_test(what_is_shown_is_within_half_a_digit_of_what_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
