#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "timing/timing.h"

static void count(void *context)
{
    ++*(int64_t *)context;
}

static void every_sample_is_kept_and_summarised(void **state)
{
    (void)state;
    int64_t calls = 0;
    struct timing timing;
    struct timing_plan plan = {.sample_ns = 1e4, .budget_ns = 1e6, .spread_frac = 0};
    timing_run(count, &calls, &plan, &timing);
    assert_in_range(timing.n, TIMING_MIN_SAMPLES, TIMING_MAX_SAMPLES);
    assert_true(calls > timing.n * timing.calls_per_sample);
    assert_true(timing.min_ns <= timing.median_ns && timing.mad_ns >= 0);
    int below = 0;
    for (int i = 0; i < timing.n; i++) {
        assert_true(timing.samples_ns[i] >= timing.min_ns);
        below += timing.samples_ns[i] <= timing.median_ns;
    }
    assert_true(below >= timing.n / 2);
}

static void a_spread_that_is_wide_enough_ends_at_the_fewest_samples(void **state)
{
    (void)state;
    int64_t calls = 0;
    struct timing timing;
    struct timing_plan plan = {.sample_ns = 1e4, .budget_ns = 1e12, .spread_frac = 1e6};
    timing_run(count, &calls, &plan, &timing);
    assert_int_equal(timing.n, TIMING_MIN_SAMPLES);
    assert_true(timing.steady);
}

static void a_spent_budget_still_gives_the_fewest_samples(void **state)
{
    (void)state;
    int64_t calls = 0;
    struct timing timing;
    struct timing_plan plan = {.sample_ns = 1e4, .budget_ns = 0, .spread_frac = -1};
    timing_run(count, &calls, &plan, &timing);
    assert_int_equal(timing.n, TIMING_MIN_SAMPLES);
    assert_false(timing.steady);
}

static void disturbed_samples_are_left_out(void **state)
{
    (void)state;
    struct timing timing = {.n = 7, .min_ns = 10, .samples_ns = {11, 10, 900, 12, 11, 4000, 15}};
    struct timing_summary calm = timing_undisturbed(&timing);
    assert_int_equal(calm.n, 5);
    assert_true(calm.median_ns == 11 && calm.mad_ns == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_kept_and_summarised),
        cmocka_unit_test(a_spread_that_is_wide_enough_ends_at_the_fewest_samples),
        cmocka_unit_test(disturbed_samples_are_left_out),
        cmocka_unit_test(a_spent_budget_still_gives_the_fewest_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
