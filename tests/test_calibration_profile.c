/* What a calibration writes is a profile that lathe reads back, with levels that slow down, whatever
 * the noise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate/calibration_judge.h"
#include "tests/calibration_fixture.h"

static void a_profile_reads_back_as_it_was_measured(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
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
    struct calibration c;
    make_up(&c);
    transformer_init(&net, 64, 2, 2, 1, 32, 128, 256);
    struct trial trial = {.net = &net, .threads = 1, .n_rounds = 1, .decode_ns = {1e6}};
    c.trials = &trial;
    c.n_trials = 1;
    c.sourced.device.timed_d_in = c.sourced.device.timed_tokens = 128;
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
    struct calibration c;
    make_up(&c);
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
    struct calibration c;
    make_up(&c);
    struct device device = read_back(&c);
    assert_true(device.levels[1].read_gbps.value[1] <= device.levels[0].read_gbps.value[1]);
}

static void storage_that_outruns_memory_is_not_believed(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    c.flash_gbps.value = 200;
    struct device device = read_back(&c);
    assert_true(device.levels[2].read_gbps.value[0] <= 20);
}

static void storage_that_was_not_tested_is_assumed(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    c.flash_gbps.by.n = 0;
    strcpy(c.flash_note, "not tested");
    struct device device = read_back(&c);
    assert_true(device.levels[2].read_gbps.value[0] > 0);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
