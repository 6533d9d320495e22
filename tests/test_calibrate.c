/* Calibration is timing, and times are not asserted: what it writes must be a profile that lathe
 * reads back, with levels that slow down, whatever the noise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "calibrate/calibrate.h"

static struct measured_by_threads numbers(double one, double two)
{
    return (struct measured_by_threads){
        {{one, one / 50, 15, 0, false}, {two, two / 50, 12, 3, false}}};
}

/* A made-up machine whose noise turned the levels round at two threads. */
static struct calibration made_up(void)
{
    struct calibration c = {.topology = {.cpu = "made up", .n_cores = 2},
                            .measured_at = "2026-11-22T05:04:33Z",
                            .n_points = 2,
                            .threads = {1, 2},
                            .n_levels = 2};
    strcpy(c.levels[0].name, "l2");
    c.levels[0].capacity_bytes = 1 << 20;
    c.levels[0].per_thread = true;
    c.levels[0].usable_frac = 0.75;
    c.levels[0].read_gbps = numbers(101.23456, 40);
    strcpy(c.levels[1].name, "dram");
    c.levels[1].capacity_bytes = (int64_t)8 << 30;
    c.levels[1].usable_frac = 1;
    c.levels[1].read_gbps = numbers(20, 45);
    c.peak_gflops[DTYPE_F32] = numbers(60, 110);
    c.matvec_gbps[DTYPE_Q8_0][0] = numbers(50, 90);
    c.matvec_gbps[DTYPE_Q8_0][1] = numbers(18, 30);
    c.op_ns[OP_NORM] = numbers(100, 120);
    c.attention_gbps = numbers(10, 18);
    c.pass_ns = numbers(0, 900);
    c.timing_ns[TIMING_START + DTYPE_Q8_0] = numbers(700, 900);
    c.matvec_step[DTYPE_Q8_0] = 128;
    c.cache_gbps[1] = numbers(7, 12);
    c.flash_gbps = (struct measured){.value = 1.5, .mad = 0.1, .n = 5};
    return c;
}

static struct device read_back(const struct calibration *c)
{
    char *text = NULL;
    struct err err = {""};
    struct json_doc *doc = NULL;
    struct json root;
    struct device device;
    assert_int_equal(calibration_profile(c, &text, &err), STATUS_OK);
    assert_int_equal(json_parse("profile", text, (int64_t)strlen(text), &doc, &root, &err),
                     STATUS_OK);
    if (device_parse(&root, &device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    json_close(doc);
    memory_free(text);
    return device;
}

static void a_profile_reads_back_as_it_was_measured(void **state)
{
    (void)state;
    struct calibration c = made_up();
    struct device device = read_back(&c);
    assert_int_equal(device.basis, BASIS_CALIBRATED);
    assert_int_equal(device.n_levels, 3);
    assert_int_equal(device.max_threads, 2);
    assert_true(device.levels[0].per_thread);
    assert_true(fabs(device.levels[0].usable_frac - 0.75) < 1e-9);
    assert_true(fabs(device.levels[0].read_gbps.value[0] - 101.2) < 1e-9);
    assert_true(fabs(device.matvec_gbps[DTYPE_Q8_0][1].value[1] - 30) < 1e-9);
    assert_true(fabs(device.op_ns[OP_NORM].value[1] - 120) < 1e-9);
    assert_true(fabs(device.levels[2].read_gbps.value[0] - 1.5) < 1e-9);
    assert_true(device.pass_ns.value[0] == 0);
}

static void what_networks_told_reads_back_too(void **state)
{
    (void)state;
    struct transformer net;
    struct calibration c = made_up();
    transformer_init(&net, 64, 2, 2, 1, 32, 128, 256);
    struct trial trial = {.net = &net, .threads = 1, .n_rounds = 1, .decode_ns = {1e6}};
    c.trials = &trial;
    c.n_trials = 1;
    c.timed_d_in = c.timed_tokens = 128;
    struct device device = read_back(&c);
    struct machine machine;
    assert_int_equal(machine_resolve(&device, 2, &machine, NULL), STATUS_OK);
    assert_true(machine.has_timings);
    assert_true(fabs(machine.timing_ns[TIMING_START + DTYPE_Q8_0] - 900) < 1e-9);
    assert_true(machine.matvec_step[DTYPE_Q8_0] == 128 && machine.matvec_step[DTYPE_F16] == 0);
    assert_true(fabs(machine.kv_gbps[1] - 12) < 1e-9);
    assert_true(fabs(machine.kv_gbps[0] - machine.levels[0].read_gbps) < 1e-9);
}

/* A core that was never quiet shows: its best is slower than one core's alone. */
static void a_session_that_was_not_quiet_is_told(void **state)
{
    (void)state;
    struct calibration c = made_up();
    c.trial_report = (struct trial_report){
        .processor_frac = 1,
        .state = {2, {1, 2}, {{1e5, 30, 1}, {1.02e5, 50, 70}}},
    };
    calibration_judge(&c);
    assert_string_equal(c.note, "");
    c.trial_report.state.at[1].sum_ns = 1.2e5;
    calibration_judge(&c);
    assert_non_null(strstr(c.note, "20 % slower"));
    *c.note = '\0';
    c.trial_report.processor_frac = 0.8;
    calibration_judge(&c);
    assert_non_null(strstr(c.note, "80 % of the processor"));
}

static void a_level_that_noise_made_faster_is_cut(void **state)
{
    (void)state;
    struct calibration c = made_up();
    struct device device = read_back(&c);
    assert_true(device.levels[1].read_gbps.value[1] <= device.levels[0].read_gbps.value[1]);
}

static void storage_that_outruns_memory_is_not_believed(void **state)
{
    (void)state;
    struct calibration c = made_up();
    c.flash_gbps.value = 200;
    struct device device = read_back(&c);
    assert_true(device.levels[2].read_gbps.value[0] <= 20);
}

static void storage_that_was_not_tested_is_assumed(void **state)
{
    (void)state;
    struct calibration c = made_up();
    c.flash_gbps.n = 0;
    strcpy(c.flash_note, "not tested");
    struct device device = read_back(&c);
    assert_true(device.levels[2].read_gbps.value[0] > 0);
}

static void a_stop_ends_calibration_at_the_next_timing(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 1;
    struct calibration_options options = {.quick = true, .stop = &stop};
    struct calibration c;
    struct err err;
    assert_int_equal(calibrate(&options, &c, &err), STATUS_INTERRUPTED);
    assert_int_equal(c.n_times, 0);
    calibration_release(&c);
}

static void more_threads_than_cores_are_refused(void **state)
{
    (void)state;
    struct calibration_options options = {.quick = true, .max_threads = 100000};
    struct calibration c;
    struct err err;
    assert_int_equal(calibrate(&options, &c, &err), STATUS_RANGE);
    calibration_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_reads_back_as_it_was_measured),
        cmocka_unit_test(what_networks_told_reads_back_too),
        cmocka_unit_test(a_session_that_was_not_quiet_is_told),
        cmocka_unit_test(a_level_that_noise_made_faster_is_cut),
        cmocka_unit_test(storage_that_outruns_memory_is_not_believed),
        cmocka_unit_test(storage_that_was_not_tested_is_assumed),
        cmocka_unit_test(a_stop_ends_calibration_at_the_next_timing),
        cmocka_unit_test(more_threads_than_cores_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
