/* A calibration from beginning to end, on a made-up machine: times are not asserted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate/calibrate.h"
#include "kernels/cpu.h"
#include "tests/calibration_fixture.h"

static void a_stop_ends_calibration_at_the_next_timing(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 1;
    struct calibration_options options = {.quick = true, .stop = &stop};
    struct calibration c;
    struct err err;
    assert_int_equal(calibrate(&options, &kernel_timer_here, &c, &err), STATUS_INTERRUPTED);
    assert_int_equal(c.n_times, 0);
    calibration_release(&c);
}

static void more_threads_than_cores_are_refused(void **state)
{
    (void)state;
    struct calibration_options options = {.quick = true, .max_threads = 100000};
    struct calibration c;
    struct err err;
    assert_int_equal(calibrate(&options, &kernel_timer_here, &c, &err), STATUS_RANGE);
    calibration_release(&c);
}

/* Kernels, then networks: each counts up to a total of its own. */
static int n_stages;
static void note_stage(void *context, int done, int total)
{
    (void)context;
    n_stages += total != last_total;
    assert_true(done <= total && (done >= last_done || total != last_total));
    last_done = done;
    last_total = total;
}

static void stop_at_the_last(void *context, int done, int total)
{
    (void)context;
    stop_now = done == total - 1;
}

/* As the system tells a machine; the made-up timer measures it. */
static void set_up_flow(struct made_up_machine *m, struct calibration *c,
                        struct calibration_options *options)
{
    start(m, c);
    m->calibration = c;
    *options = (struct calibration_options){.quick = true, .flash_directory = "here"};
    assert_int_equal(
        setenv("HWLOC_SYNTHETIC", "l3:1(size=8388608) l2:2(size=1048576) core:1 pu:1", 1), 0);
    assert_int_equal(cpu_isa("best", &options->isa, NULL), STATUS_OK);
    last_done = last_total = 0;
}

static void a_calibration_tells_of_levels_kernels_storage_and_networks(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct calibration_options options;
    struct err err = {""};
    set_up_flow(&m, &c, &options);
    options.progress = note_stage;
    n_stages = 0;
    if (calibrate(&options, &made_up_timer, &c, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    const struct device *device = &c.sourced.device;
    assert_int_equal(c.n_points, 2);
    assert_int_equal(c.threads[1], 2);
    assert_int_equal(device->n_levels, 3);
    assert_string_equal(device->levels[0].name, "l2");
    assert_true(device->levels[0].per_thread && !device->levels[1].per_thread);
    assert_int_equal(device->levels[1].capacity_bytes, L3_BYTES);
    assert_string_equal(device->levels[2].name, "dram");
    assert_true(is_about(device->levels[1].read_gbps.value[0], l3_gbps, 0.02));
    assert_int_equal(c.n_times, m.n_timings);
    assert_true(c.flash_gbps.value == 1.25);
    assert_int_equal(c.n_networks, 15);
    assert_true(device->timing_ns[TIMING_START + DTYPE_Q8_0].value[0] > 1000);
    assert_int_equal(device->default_threads, 2);
    assert_string_equal(c.note, "");
    assert_int_equal(n_stages, 2);
    assert_int_equal(m.n_open, 0);
    assert_int_equal(read_back(&c).n_levels, 4);
    calibration_release(&c);
}

static void fewer_threads_than_cores_are_all_that_is_timed(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct calibration_options options;
    struct err err = {""};
    set_up_flow(&m, &c, &options);
    options.max_threads = 1;
    options.flash_directory = NULL;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_OK);
    assert_int_equal(c.n_points, 1);
    for (size_t i = 0; i < c.n_times; i++)
        assert_int_equal(c.times[i].threads, 1);
    for (int i = 0; i < c.n_trials; i++)
        assert_int_equal(c.trials[i].threads, 1);
    assert_string_equal(c.flash_note, "not tested");
    calibration_release(&c);
    options.max_threads = 3;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_RANGE);
    assert_string_equal(err.message, "3 threads asked for, but there are 2 cores");
    calibration_release(&c);
}

static void a_calibration_that_fails_midway_says_why_and_gives_back_its_buffers(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct calibration_options options;
    struct err err = {""};
    set_up_flow(&m, &c, &options);
    m.has_no_memory = true;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_NOMEM);
    assert_int_equal(m.n_timings, 0);
    calibration_release(&c);
    m.has_no_memory = false;
    options.stop = &stop_now;
    stop_now = 0;
    options.progress = stop_after_ten;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_INTERRUPTED);
    assert_int_equal(m.n_open, 0);
    assert_int_equal(c.n_trials, 0);
    calibration_release(&c);
    stop_now = 0;
    options.progress = stop_at_the_last;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_INTERRUPTED);
    assert_true(c.n_trials > 0 && c.trials[0].n_rounds == 0);
    calibration_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_calibration_tells_of_levels_kernels_storage_and_networks),
        cmocka_unit_test(fewer_threads_than_cores_are_all_that_is_timed),
        cmocka_unit_test(a_calibration_that_fails_midway_says_why_and_gives_back_its_buffers),
        cmocka_unit_test(a_stop_ends_calibration_at_the_next_timing),
        cmocka_unit_test(more_threads_than_cores_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
