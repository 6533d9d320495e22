/* What each case of a calibration says of itself, on the fewest and shortest samples. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kernels/cpu.h"
#include "timing/timed_cases.h"

enum { DATA_BYTES = 4 << 20 };

static int open_space(void **state)
{
    static struct timed_space space;
    unsigned isa;
    if (cpu_isa("best", &isa, NULL) != STATUS_OK ||
        timed_space_init(&space, isa, DATA_BYTES, NULL) != STATUS_OK)
        return -1;
    space.plan = (struct timing_plan){.sample_ns = 1, .budget_ns = 1, .spread_frac = 1e9};
    *state = &space;
    return 0;
}

static int close_space(void **state)
{
    timed_space_release(*state);
    return 0;
}

static void is_sampled(const struct kernel_time *time, const char *what, int threads)
{
    assert_string_equal(time->what, what);
    assert_int_equal(time->threads, threads);
    assert_string_equal(time->cache_state, "hot");
    assert_int_equal(time->timing.n, TIMING_MIN_SAMPLES);
    assert_true(time->timing.steady);
}

static void all_are_numbers(const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        assert_true(isfinite(y[i]));
}

static void a_read_takes_what_is_asked_and_at_most_what_there_is(void **state)
{
    static struct kernel_time time;
    time_read(*state, 1 << 20, 1, &time);
    is_sampled(&time, "read", 1);
    assert_int_equal(time.bytes, 1 << 20);
    assert_int_equal(time.working_set_bytes, 1 << 20);
    time_read(*state, INT64_C(1) << 40, 2, &time);
    is_sampled(&time, "read", 2);
    assert_int_equal(time.bytes, DATA_BYTES);
}

static void products_run_over_rows_that_are_numbers(void **state)
{
    static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0, DTYPE_Q4_0};
    static struct kernel_time time;
    struct timed_space *space = *state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int64_t row = dtype_row_bytes(types[i], 512);
        time_matvec(space, types[i], 512, 64 * row, 1, &time);
        is_sampled(&time, "matvec", 1);
        assert_int_equal(time.kernel->dtype, types[i]);
        assert_int_equal(time.shape.n, 64);
        assert_int_equal(time.flop, 2 * 64 * 512);
        assert_int_equal(time.bytes, 64 * row);
        assert_int_equal(time.working_set_bytes, 64 * row);
        all_are_numbers(space->y, 64);
    }
    time_matmul(space, DTYPE_Q8_0, 2, &time);
    is_sampled(&time, "matmul", 2);
    assert_int_equal(time.flop, INT64_C(2) * 128 * 512 * 1024);
    all_are_numbers(space->y, 128 * 512);
}

static void attention_walks_as_many_caches_as_fit(void **state)
{
    static struct kernel_time time;
    struct timed_space *space = *state;
    int64_t cache =
        2 * 4 * 64 * (2 * 64); /* k and v of 4 heads, 63 positions and the token's own */
    time_attention(space, 63, 5 * cache + 1, 1, &time);
    is_sampled(&time, "attention", 1);
    assert_int_equal(time.working_set_bytes, 5 * cache);
    assert_int_equal(time.bytes, cache);
    assert_int_equal(time.flop, 4 * 64 * 12 * 64);
    all_are_numbers(space->y, 12 * 64);
    time_attention(space, 63, 1, 1, &time); /* one at least */
    assert_int_equal(time.working_set_bytes, cache);
}

static void every_small_operator_has_a_kernel_and_its_own_name(void **state)
{
    static struct kernel_time times[N_SMALL_OPS];
    for (int op = 0; op < N_SMALL_OPS; op++) {
        time_small_op(*state, (enum small_op)op, &times[op]);
        is_sampled(&times[op], times[op].what, 1);
        assert_non_null(times[op].kernel);
        assert_int_equal(times[op].working_set_bytes, 0);
        for (int other = 0; other < op; other++)
            assert_string_not_equal(times[op].what, times[other].what);
    }
}

static void meetings_have_no_kernel(void **state)
{
    static struct kernel_time barrier, region;
    time_barrier(*state, 2, &barrier);
    time_region(*state, 2, &region);
    is_sampled(&barrier, "barrier", 2);
    is_sampled(&region, "region", 2);
    assert_null(barrier.kernel);
    assert_null(region.kernel);
    assert_int_equal(barrier.timing.calls_per_sample % 1000, 0);
}

static void disturbed_are_timings_of_which_most_samples_are_far_from_the_fastest(void **state)
{
    static struct kernel_time times[3];
    (void)state;
    for (int t = 0; t < 3; t++) {
        times[t].timing.n = 20;
        times[t].timing.min_ns = 1;
        for (int i = 0; i < 20; i++) /* none, ten and eleven of twenty */
            times[t].timing.samples_ns[i] = i >= (t == 0 ? 20 : t == 1 ? 10 : 9) ? 1.6 : 1.4;
    }
    assert_int_equal(kernel_times_disturbed(times, 3), 1);
    assert_int_equal(kernel_times_disturbed(times, 2), 0);
}

static void a_space_without_memory_is_refused_and_leaks_nothing(void **state)
{
    struct timed_space space;
    struct err err;
    int n = 1;
    (void)state;
    for (enum status status = STATUS_NOMEM; status != STATUS_OK; n++) {
        memory_fail_after(n);
        status = timed_space_init(&space, 0, 1 << 20, &err);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || (status == STATUS_NOMEM && space.data == NULL));
    }
    assert_true(n > 3);
    timed_space_release(&space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_takes_what_is_asked_and_at_most_what_there_is),
        cmocka_unit_test(products_run_over_rows_that_are_numbers),
        cmocka_unit_test(attention_walks_as_many_caches_as_fit),
        cmocka_unit_test(every_small_operator_has_a_kernel_and_its_own_name),
        cmocka_unit_test(meetings_have_no_kernel),
        cmocka_unit_test(disturbed_are_timings_of_which_most_samples_are_far_from_the_fastest),
        cmocka_unit_test(a_space_without_memory_is_refused_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, open_space, close_space);
}
