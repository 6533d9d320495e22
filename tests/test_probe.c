/* What to time: gains fall, picks differ, every type gets its turn, and a fit to them is good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/memory.h"
#include "fit/fit_device.h"
#include "fit/probe.h"
#include "tests/shipped_device.h"

enum { N_NETS = 40, N_PICKS = 8 };

static void make_networks(struct transformer *nets)
{
    const enum dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0};
    for (int i = 0; i < N_NETS; i++) {
        int64_t layers = 2 + (i / 2) * 6, width = 64 * (20 - i / 2 * 4 / 5);
        transformer_init(&nets[i], width, layers, width / 64, width / 64, 64, 2 * width, 32000);
        transformer_set_dtype(&nets[i], types[i % 2]);
        assert_int_equal(transformer_check(&nets[i], NULL), STATUS_OK);
    }
}

static void design(const char *name, const struct transformer *nets, size_t *picked, double *gain)
{
    struct device device = shipped_device(name);
    struct machine machine;
    struct err err;
    assert_int_equal(machine_resolve(&device, 0, &machine, &err), STATUS_OK);
    if (probe_design(&machine, nets, N_NETS, N_PICKS, picked, gain, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void gains_fall_and_no_network_is_picked_twice(void **state)
{
    (void)state;
    const char *const names[] = {"iphone-13", "rpi5", "generic-phone", "snapdragon-8-elite-cpu"};
    struct transformer nets[N_NETS];
    make_networks(nets);
    for (int d = 0; d < 4; d++) {
        size_t picked[N_PICKS];
        double gain[N_PICKS];
        design(names[d], nets, picked, gain);
        for (int i = 0; i < N_PICKS; i++) {
            assert_true(gain[i] > 0 && (i == 0 || gain[i] <= gain[i - 1] + 1e-9));
            for (int k = 0; k < i; k++)
                assert_true(picked[k] != picked[i]);
        }
    }
}

static void the_first_four_hold_both_types_and_both_deep_and_shallow(void **state)
{
    (void)state;
    struct transformer nets[N_NETS];
    size_t picked[N_PICKS];
    double gain[N_PICKS];
    int of_type[N_DTYPES] = {0};
    int64_t least = INT64_MAX, most = 0;
    make_networks(nets);
    design("rpi5", nets, picked, gain);
    for (int i = 0; i < 4; i++) {
        int64_t layers = nets[picked[i]].schedule.n_layers;
        of_type[nets[picked[i]].block_dtype]++;
        least = layers < least ? layers : least;
        most = layers > most ? layers : most;
    }
    assert_true(of_type[DTYPE_Q8_0] > 0 && of_type[DTYPE_Q4_0] > 0);
    assert_true(most >= 3 * least);
}

/* The loop: probe, time (another device stands in for the timing), fit, predict the rest. */
static void a_fit_to_the_picks_predicts_the_networks_that_were_not_timed(void **state)
{
    (void)state;
    struct transformer nets[N_NETS];
    size_t picked[N_PICKS];
    double gain[N_PICKS];
    struct device guess = shipped_device("generic-phone"), real = shipped_device("iphone-15-pro");
    struct machine truth, fitted;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct text notes = {0};
    struct err err;
    make_networks(nets);
    design("generic-phone", nets, picked, gain);
    assert_int_equal(machine_resolve(&real, 0, &truth, &err), STATUS_OK);
    for (int i = 0; i < N_PICKS; i++)
        for (int64_t context = PROBE_SHORT_CONTEXT; context <= PROBE_LONG_CONTEXT; context *= 64) {
            struct fit_row row = {.net = nets[picked[i]],
                                  .prompt = 1,
                                  .context = context,
                                  .prefill_ns = NAN,
                                  .load_ns = NAN};
            assert_int_equal(fit_predict(&truth, &row, FIT_DECODE, &row.decode_ns, &err),
                             STATUS_OK);
            assert_int_equal(fit_rows_add(&rows, &row, &err), STATUS_OK);
        }
    if (fit_device(&guess, &rows, &fit, &notes, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    fit_machine(&fit.groups[0].base, &fit.groups[0].theta, &fitted);
    for (int i = 0; i < N_NETS; i++) {
        const struct fit_row row = {.net = nets[i], .prompt = 1, .context = 256};
        double ns, expected;
        assert_int_equal(fit_predict(&truth, &row, FIT_DECODE, &expected, &err), STATUS_OK);
        assert_int_equal(fit_predict(&fitted, &row, FIT_DECODE, &ns, &err), STATUS_OK);
        assert_true(fabs(ns / expected - 1) < 0.05);
    }
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gains_fall_and_no_network_is_picked_twice),
        cmocka_unit_test(the_first_four_hold_both_types_and_both_deep_and_shallow),
        cmocka_unit_test(a_fit_to_the_picks_predicts_the_networks_that_were_not_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
