#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "timing/machine_load.h"
#include "timing/trial.h"

/* One reading, of a file with this first line, at `now` seconds with `own` seconds of its own. */
static struct machine_load reading(const char *line, double now, double own)
{
    struct machine_load load;
    assert_int_equal(file_write("stat-test", line, NULL), STATUS_OK);
    machine_load_read("stat-test", &load);
    assert_int_equal(unlink("stat-test"), 0);
    assert_true(load.now_ns > 0 && load.own_s >= 0);
    load.now_ns = (int64_t)(1e9 * now);
    load.own_s = own;
    return load;
}

static void what_others_took_is_what_is_neither_idle_nor_ours(void **state)
{
    (void)state;
    double hz = (double)sysconf(_SC_CLK_TCK);
    char first[128], then[128];
    /* user nice system idle iowait irq softirq steal, in ticks of 1 / hz */
    snprintf(first, sizeof first, "cpu %.0f 0 0 %.0f 0 0 0 0 0 0\n", hz, 10 * hz);
    snprintf(then, sizeof then, "cpu %.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f 0 0\n", 7 * hz, hz, hz,
             16 * hz, hz, hz, hz, 2 * hz);
    struct machine_load from = reading(first, 100, 1), to = reading(then, 110, 5);
    /* 10 s passed on two processors, of which 2 s were stolen and 7 s idle: 10 busy, 4 of them ours */
    assert_true(fabs(to.all_s - 30) < 1e-6 && fabs(to.busy_s - 11) < 1e-6);
    assert_true(fabs(machine_load_steal_frac(&from, &to) - 2.0 / 19) < 1e-6);
    assert_true(fabs(machine_load_others_busy(&from, &to) - 0.6) < 1e-6);
    to.own_s = 50; /* more than the file says: rounding, not less than nobody */
    assert_true(machine_load_others_busy(&from, &to) <= 0);
}

static void no_time_between_readings_tells_nothing(void **state)
{
    (void)state;
    struct machine_load load = reading("cpu 1 0 0 1 0 0 0 0\n", 1, 0);
    assert_true(isnan(machine_load_steal_frac(&load, &load)));
    assert_true(isnan(machine_load_others_busy(&load, &load)));
}

static void a_file_that_is_absent_or_another_is_not_known(void **state)
{
    (void)state;
    struct machine_load load = reading("intr 1 2 3\n", 1, 0);
    assert_true(isnan(load.all_s) && isnan(load.busy_s) && isnan(load.stolen_s));
    machine_load_read("no/such/file", &load);
    assert_true(isnan(load.all_s) && isnan(machine_load_others_busy(&load, &load)));
    machine_load_read(MACHINE_LOAD_STAT, &load);
    assert_true(load.now_ns > 0);
}

static void a_session_is_busy_by_its_spread_or_by_its_share_of_the_processor(void **state)
{
    (void)state;
    char said[TRIAL_NOTE_SIZE] = "";
    struct trial_report report = {.sentinel_spread_frac = 0.15, .processor_frac = 0.9};
    assert_false(trial_report_busy(&report, said, sizeof said));
    assert_string_equal(said, "");
    report.sentinel_spread_frac = 0.2;
    assert_true(trial_report_busy(&report, said, sizeof said));
    assert_string_equal(said, "the sentinel's rate varied by 20 % and this process got 90 % of the "
                              "processor: the machine was busy");
    report = (struct trial_report){.sentinel_spread_frac = 0, .processor_frac = 0.5};
    assert_true(trial_report_busy(&report, said, sizeof said));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_took_is_what_is_neither_idle_nor_ours),
        cmocka_unit_test(no_time_between_readings_tells_nothing),
        cmocka_unit_test(a_file_that_is_absent_or_another_is_not_known),
        cmocka_unit_test(a_session_is_busy_by_its_spread_or_by_its_share_of_the_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
