/* How sure a prediction is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "device/interval.h"

static double frac_of(double median, double p90)
{
    const struct machine machine = {.error_median_frac = median, .error_p90_frac = p90};
    return interval_frac(&machine);
}

static void the_90th_percentile_is_the_interval_and_the_median_stands_in_for_it(void **state)
{
    (void)state;
    assert_true(fabs(frac_of(0.05, 0.2) - 0.2) < 1e-12);
    assert_true(fabs(frac_of(0.05, NAN) - 0.122) < 1e-12);
    assert_true(isnan(frac_of(NAN, NAN)));
    assert_true(frac_of(0.0001, 0.0002) > 0.01); /* luck */
}

static void what_was_measured_within_the_error_lies_in_the_interval(void **state)
{
    (void)state;
    for (double frac = 0; frac < 0.9; frac += 0.1)
        for (double error = -frac / (1 + frac); error <= frac; error += 0.01) {
            double measured = 100, predicted = measured * (1 + error);
            assert_true(interval_low(predicted, frac) <= measured * (1 + 1e-12));
            assert_true(interval_high(predicted, frac) >= measured * (1 - 1e-12));
        }
}

static void intervals_that_touch_overlap_and_unknown_ones_never_do(void **state)
{
    (void)state;
    assert_true(intervals_overlap(1, 3, 3, 5));
    assert_true(intervals_overlap(3, 5, 1, 3));
    assert_true(intervals_overlap(1, 9, 3, 4));
    assert_false(intervals_overlap(1, 2, 3, 4));
    assert_false(intervals_overlap(NAN, NAN, 3, 4));
    assert_false(intervals_overlap(interval_low(1, NAN), interval_high(1, NAN), 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_90th_percentile_is_the_interval_and_the_median_stands_in_for_it),
        cmocka_unit_test(what_was_measured_within_the_error_lies_in_the_interval),
        cmocka_unit_test(intervals_that_touch_overlap_and_unknown_ones_never_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
