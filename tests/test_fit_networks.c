/* What the times of whole networks tell beyond those of kernels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "calibrate/calibration_judge.h"
#include "calibrate/calibration_profile.h"
#include "calibrate/fit_networks.h"
#include "calibrate/networks_drawn.h"
#include "tests/calibration_fixture.h"

static void networks_are_drawn_with_twins_and_the_same_each_time(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c, again;
    start(&m, &c);
    start(&m, &again);
    assert_int_equal(draw_networks(15, 80e6, &c, NULL), STATUS_OK);
    assert_int_equal(draw_networks(15, 80e6, &again, NULL), STATUS_OK);
    assert_int_equal(c.n_trials, 15 * trials_of_network(&c));
    assert_memory_equal(c.networks, again.networks, 15 * sizeof *c.networks);
    int n_pairs = 0, n_of_type[N_DTYPES] = {0};
    for (int i = 0; i < c.n_networks; i++) {
        struct param_count count;
        transformer_count(&c.networks[i], &count);
        assert_true(count.total > 3000000 && count.total < 120000000);
        n_of_type[c.networks[i].block_dtype]++;
    }
    for (int i = 0; i < N_RUN_TYPES; i++)
        assert_true(n_of_type[run_types[i]] >= 3);
    for (int i = 0; i < c.n_trials; i++) {
        const struct trial *trial = &c.trials[i];
        assert_true(trial->context <= (int64_t)c.sourced.device.timed_context);
        assert_true(trial->prompt <= (int64_t)c.sourced.device.timed_tokens);
        if (!is_half_of_pair(&c, i))
            continue;
        const struct trial *twin = trial + trials_of_network(&c);
        assert_int_equal(trial->net->schedule.sharing, SHARING_IMMEDIATE);
        assert_int_equal(twin->net->schedule.sharing, SHARING_NONE);
        assert_true(twin->context == trial->context && twin->threads == trial->threads);
        n_pairs++;
    }
    assert_true(n_pairs >= 2 * trials_of_network(&c));
    calibration_release(&c);
    calibration_release(&again);
}

static void calibrate_made_up(struct calibration *c, int n_networks, double slowed_by_two)
{
    struct made_up_machine m;
    struct err err = {""};
    const struct calibration_options options = {.quick = true};
    start(&m, c);
    take_kernels(&m, c, &options);
    assert_int_equal(draw_networks(n_networks, 80e6, c, &err), STATUS_OK);
    run_trials(c, 0.02, slowed_by_two, c->trials, c->n_trials, &c->trial_report);
    if (fit_networks(c, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    calibration_compare_threads(c);
    calibration_judge(c);
}

static void networks_tell_what_kernels_alone_do_not(void **state)
{
    (void)state;
    struct calibration c;
    calibrate_made_up(&c, 30, 1);
    const struct device *device = &c.sourced.device;
    assert_true(device->error_median_frac > 0 && device->error_median_frac < 0.03);
    assert_true(device->error_p90_frac < 0.1 && c.prefill_error_median_frac < 0.05);
    assert_true(is_about(device->matvec_gbps[DTYPE_Q8_0][2].value[0],
                         0.8 * dram_gbps / (1 + row_constant_ns * dram_gbps / 1088), 0.2));
    for (int i = 0; i < N_RUN_TYPES; i++) /* 2500, from a first guess of 500 */
        assert_true(device->timing_ns[TIMING_START + (int)run_types[i]].value[0] > 1000);
    assert_true(is_about(device->levels[1].spill_frac / device->levels[1].usable_frac, 4, 0.01));
    assert_true(is_about(device->levels[1].reread_lost_frac, 0.5, 0.2));
    assert_int_equal(device->timing_ns[TIMING_START + DTYPE_B1].n, 0);
    assert_int_equal(device->default_threads, 2);
    assert_string_equal(c.note, "");

    struct device again = read_back(&c);
    struct machine machine, settled;
    assert_int_equal(machine_resolve(&again, 2, &machine, NULL), STATUS_OK);
    assert_int_equal(calibration_machine(&c, 2, &settled, NULL), STATUS_OK);
    assert_memory_equal(&machine, &settled, sizeof machine);
    calibration_release(&c);
}

static void a_few_networks_are_fitted_without_a_claim_of_their_error(void **state)
{
    (void)state;
    struct calibration c;
    calibrate_made_up(&c, 6, 3);
    assert_true(isnan(c.sourced.device.error_median_frac));
    assert_int_equal(c.sourced.device.default_threads, 1);
    assert_non_null(strstr(c.note, "as fast with 2 threads as with 1"));
    calibration_release(&c);
}

static void a_thread_count_without_a_trial_cannot_be_fitted(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct err err = {""};
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    take_kernels(&m, &c, &options);
    assert_int_equal(draw_networks(3, 80e6, &c, &err), STATUS_OK);
    assert_int_equal(fit_networks(&c, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "no network was timed"));
    calibration_release(&c);
}

/* Of a machine without caches nothing gives way. */
static void a_machine_that_tells_no_caches_is_fitted_too(void **state)
{
    (void)state;
    struct calibration c;
    struct err err = {""};
    make_up(&c);
    c.sourced.device.n_levels = 1;
    c.sourced.device.levels[0] = c.sourced.device.levels[1];
    for (int i = 0; i < N_RUN_TYPES; i++) {
        put(&c, &c.sourced.device.matvec_gbps[run_types[i]][0], 18, 30);
        put(&c, &c.sourced.device.timing_ns[TIMING_ROW + (int)run_types[i]], 10, 6);
    }
    assert_int_equal(draw_networks(3, 20e6, &c, &err), STATUS_OK);
    for (int i = 0; i < c.n_trials; i++) {
        c.trials[i].n_rounds = 1;
        c.trials[i].decode_ns[0] = c.trials[i].prefill_ns[0] = 5e6;
    }
    assert_int_equal(fit_networks(&c, &err), STATUS_OK);
    assert_true(isnan(c.sourced.device.levels[0].spill_frac));
    calibration_release(&c);
}

static enum status fit_and_write(struct err *err)
{
    struct calibration c;
    char *text = NULL;
    make_up(&c);
    for (int i = 0; i < N_RUN_TYPES; i++) {
        put(&c, &c.sourced.device.matvec_gbps[run_types[i]][1], 18, 30);
        put(&c, &c.sourced.device.timing_ns[TIMING_ROW + (int)run_types[i]], 10, 6);
    }
    enum status status = draw_networks(3, 20e6, &c, err);
    for (int i = 0; i < c.n_trials && status == STATUS_OK; i++) {
        c.trials[i].n_rounds = 1;
        c.trials[i].decode_ns[0] = c.trials[i].prefill_ns[0] = 5e6;
    }
    if (status == STATUS_OK)
        status = fit_networks(&c, err);
    if (status == STATUS_OK)
        status = calibration_profile(&c, &text, err);
    memory_free(text);
    calibration_release(&c);
    return status;
}

/* At every allocation of the first few, then at ever wider steps. */
static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n = n < 24 ? n + 1 : 2 * n) {
        struct err err = {""};
        memory_fail_after(n);
        status = fit_and_write(&err);
        memory_fail_after(-1);
        if (status != STATUS_OK && status != STATUS_NOMEM)
            fail_msg("allocation %d: %s", (int)n, err.message);
        assert_true(n < 1 << 24);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_drawn_with_twins_and_the_same_each_time),
        cmocka_unit_test(networks_tell_what_kernels_alone_do_not),
        cmocka_unit_test(a_few_networks_are_fitted_without_a_claim_of_their_error),
        cmocka_unit_test(a_thread_count_without_a_trial_cannot_be_fitted),
        cmocka_unit_test(a_machine_that_tells_no_caches_is_fitted_too),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
