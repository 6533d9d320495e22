/* What the timings of kernels tell of a machine, on one that is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate/calibrate_kernels.h"
#include "tests/calibration_fixture.h"

static void kernels_tell_levels_rates_and_constants(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    take_kernels(&m, &c, &options);
    const struct device *device = &c.sourced.device;
    assert_true(device->levels[0].usable_frac == 1);
    assert_true(is_about(device->levels[1].usable_frac, 0.5, 0.01));
    assert_true(is_about(device->levels[0].read_gbps.value[1], 2 * l2_gbps, 0.02));
    assert_true(is_about(device->levels[1].read_gbps.value[0], l3_gbps, 0.02));
    assert_true(is_about(device->levels[2].read_gbps.value[0], dram_gbps, 0.02));
    assert_true(is_about(device->peak_gflops[DTYPE_F32].value[1], 80, 0.02));
    assert_true(
        is_about(device->timing_ns[TIMING_ROW + DTYPE_Q8_0].value[0], row_constant_ns, 0.05));
    assert_true(is_about(device->timing_ns[TIMING_QUERY].value[0], 1, 0.02));
    assert_true(is_about(device->pass_ns.value[1], 1500, 0.02) && device->pass_ns.value[0] == 0);
    assert_true(is_about(device->op_ns[OP_ATTENTION].value[1], 768 + 200, 0.02));
    assert_int_equal(device->default_threads, 2);
    assert_string_equal(c.note, "");
    calibration_release(&c);
}

static void the_number_of_timings_is_known_before_the_first(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true, .progress = note_progress};
    start(&m, &c);
    last_done = 0;
    int expected = count_kernel_timings(&c, m.space.data_bytes);
    take_kernels(&m, &c, &options);
    assert_int_equal(m.n_timings, expected);
    assert_int_equal(c.n_times, expected);
    assert_int_equal(last_total, expected);
    assert_int_equal(last_done, expected - 1);
    calibration_release(&c);
}

static void a_thorough_grid_of_rows_is_refined_where_it_bends(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.thorough = true};
    start(&m, &c);
    m.noise_frac = 0.3;
    int straight = count_kernel_timings(&c, m.space.data_bytes);
    take_kernels(&m, &c, &options);
    assert_true(m.n_timings > straight);
    calibration_release(&c);
}

static void threads_that_lost_their_processors_are_tried_again_and_not_believed(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    m.stolen_from_two = 4;
    n_waits = 0;
    take_kernels(&m, &c, &options);
    const struct device *device = &c.sourced.device;
    assert_true(n_waits == 2 * device->n_levels);
    assert_non_null(strstr(c.note, "other programs had the processors"));
    assert_int_equal(device->default_threads, 1);
    for (int level = 0; level < device->n_levels; level++)
        assert_true(device->levels[level].read_gbps.value[1] ==
                    device->levels[level].read_gbps.value[0]);
    assert_true(device->peak_gflops[DTYPE_F16].value[1] == device->peak_gflops[DTYPE_F16].value[0]);
    calibration_release(&c);
}

static void a_level_between_whose_edges_no_set_lies_keeps_what_it_was_told(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    c.sourced.device.levels[1].capacity_bytes = L2_BYTES + 4096;
    take_kernels(&m, &c, &options);
    assert_true(c.sourced.device.levels[0].usable_frac == 1);
    assert_true(c.sourced.device.levels[1].usable_frac > 0.99);
    calibration_release(&c);
}

static void a_stop_between_kernels_keeps_what_was_timed(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct err err;
    const struct calibration_options options = {
        .quick = true, .stop = &stop_now, .progress = stop_after_ten};
    start(&m, &c);
    stop_now = 0;
    assert_int_equal(calibrate_kernels(&options, &made_up_timer, &m.space, &c, &err),
                     STATUS_INTERRUPTED);
    assert_int_equal(c.n_times, 11);
    calibration_release(&c);
}

static void storage_is_timed_or_says_why_not(void **state)
{
    (void)state;
    struct calibration c;
    struct calibration_options options = {.flash_directory = "here"};
    calibration_init(&c);
    calibrate_storage(&options, &made_up_timer, &c);
    assert_true(c.flash_gbps.value == 1.25 && c.flash_gbps.by.n > 1);
    assert_string_equal(c.flash_note, "");
    calibration_init(&c);
    options.flash_directory = "full";
    calibrate_storage(&options, &made_up_timer, &c);
    assert_int_equal(c.flash_gbps.by.n, 0);
    assert_string_equal(c.flash_note, "no room");
    options.flash_directory = NULL;
    calibrate_storage(&options, &made_up_timer, &c);
    assert_string_equal(c.flash_note, "not tested");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_tell_levels_rates_and_constants),
        cmocka_unit_test(the_number_of_timings_is_known_before_the_first),
        cmocka_unit_test(a_thorough_grid_of_rows_is_refined_where_it_bends),
        cmocka_unit_test(threads_that_lost_their_processors_are_tried_again_and_not_believed),
        cmocka_unit_test(a_level_between_whose_edges_no_set_lies_keeps_what_it_was_told),
        cmocka_unit_test(a_stop_between_kernels_keeps_what_was_timed),
        cmocka_unit_test(storage_is_timed_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
