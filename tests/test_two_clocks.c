/* The simulator beside the closed form and the paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "device/device.h"
#include "fit/fit.h"
#include "simulator/simulate.h"
#include "tests/random_net.h"
#include "tests/simulator_fixture.h"

/* One resource dominates: all others are out of the way. */
enum dominant {
    DOMINANT_SRAM,
    DOMINANT_DRAM,
    DOMINANT_COMPUTE,
};

static void dominated_machine(struct rng *rng, enum dominant by, struct machine *m)
{
    plain_machine(rng, m);
    m->layer_ns = m->pass_ns = 0;
    memset(m->op_ns, 0, sizeof m->op_ns);
    m->overlap_frac = 1;
    m->levels[0].capacity_bytes = by == DOMINANT_DRAM ? 4 << 20 : INT64_C(1) << 40;
    m->levels[m->dram].capacity_bytes = INT64_C(1) << 41;
    for (int level = 0; level < m->dram + 1; level++) {
        double gbps = by == DOMINANT_DRAM && level == m->dram ? 12 : 1e6;
        gbps = by == DOMINANT_SRAM && level == 0 ? 60 : gbps;
        m->kv_gbps[level] = m->levels[level].write_gbps = gbps;
        m->levels[level].read_gbps = 1e6;
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][level] = gbps;
    }
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = by == DOMINANT_COMPUTE ? 50 : 1e9;
}

static void both_clocks_agree_to_a_thousandth_where_one_resource_dominates(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 26);
    for (int i = 0; i < 36; i++) {
        struct transformer net;
        struct machine m;
        struct price price;
        struct simulation simulation = usual();
        simulation.tile_bytes = 0;
        int64_t kv = rng_between(&rng, 1, 3), groups = rng_between(&rng, 1, 4);
        transformer_init(&net, 128 * rng_between(&rng, 4, 8), 1, kv * groups, kv, 64,
                         512 * rng_between(&rng, 2, 6), rng_between(&rng, 1000, 20000));
        net.schedule = random_schedule(&rng, 6);
        if (i % 3 == DOMINANT_DRAM) /* shared blocks would take turns between DRAM and SRAM */
            net.schedule.repeats = 1, net.schedule.sharing = SHARING_NONE,
            net.schedule.share_ffn = false;
        dominated_machine(&rng, (enum dominant)(i % 3), &m);
        assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                         STATUS_OK);
        struct simulated out = run(&net, &m, &simulation);
        double ratio = out.price.decode_ns / price.decode_ns;
        if (fabs(ratio - 1) >= 1e-3)
            fail_msg("%d: %.6f of the closed form", i, ratio);
        assert_true(fabs(out.price.load_ns / price.load_ns - 1) < 1e-9);
        assert_true(fabs(out.price.init_ns / price.init_ns - 1) < 1e-9);
    }
}

/* Elsewhere: the closed form starts an operator when the one before is done and lets its slowest
 * resource run all the time; the simulator fills and drains a pipeline for each (slower, without
 * prefetch) and works ahead (faster, with it). Printed values are in docs/simulator.md. */
static void both_clocks_stay_within_6_percent_on_every_shipped_device(void **state)
{
    (void)state;
    static const char *const models[] = {"mobilellm-125m", "mobilellm-ls-125m"};
    char **names = NULL;
    int n = 0;
    struct simulation simulation = usual();
    simulation.workload = (struct workload){DEFAULT_PROMPT, DEFAULT_CONTEXT};
    simulation.tile_bytes = 0;
    simulation.prefill = false;
    assert_int_equal(device_names(&names, &n, NULL), STATUS_OK);
    for (int d = 0; d < n; d++)
        for (int i = 0; i < 2; i++) {
            struct transformer net;
            struct machine m;
            struct price price;
            m = shipped_machine(names[d]);
            open_preset(models[i], &net);
            assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                             STATUS_OK);
            double ratio = run(&net, &m, &simulation).price.decode_ns / price.decode_ns;
            if (ratio < 0.94 || ratio > 1.06)
                fail_msg("%s on %s: %.4f of the closed form", models[i], names[d], ratio);
            transformer_release(&net);
        }
    device_names_free(names, n);
}

/* Operators with timings of their own are not overlapped by either clock. */
static void both_clocks_stay_within_8_percent_where_operators_are_timed(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 29);
    for (int i = 0; i < 20; i++) {
        struct transformer net;
        struct machine m;
        struct price price;
        struct simulation simulation = usual();
        simulation.tile_bytes = 0;
        simulation.prefill = false;
        transformer_init(&net, 128 * rng_between(&rng, 4, 8), rng_between(&rng, 1, 6), 8, 4, 64,
                         512 * rng_between(&rng, 2, 6), rng_between(&rng, 1000, 20000));
        plain_machine(&rng, &m);
        m.has_timings = m.is_timed[DTYPE_F16] = true;
        m.timing_ns[TIMING_START + DTYPE_F16] = (double)rng_between(&rng, 0, 2000);
        m.overlap_frac = 0;
        assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                         STATUS_OK);
        double ratio = run(&net, &m, &simulation).price.decode_ns / price.decode_ns;
        if (ratio < 0.92 || ratio > 1.08)
            fail_msg("%d: %.4f of the closed form", i, ratio);
    }
}

/* Bandwidth and cost per layer from the two unshared models; the shared one is a prediction. */
static void table_7_without_the_shared_model_predicts_it_within_2_percent(void **state)
{
    (void)state;
    struct fit_row rows[2] = {{.prompt = 128}, {.prompt = 128}};
    const struct fit_row *used[2] = {&rows[0], &rows[1]};
    struct fit_theta theta = {0};
    struct device device;
    struct machine base, m;
    struct simulation simulation = usual();
    simulation.workload = (struct workload){128, 128};
    simulation.tile_bytes = 0;
    for (int i = 0; i < 2; i++) {
        open_preset(table_7[2 * i].name, &rows[i].net);
        rows[i].context = 128;
        rows[i].decode_ns = table_7[2 * i].execute_ms * 1e6;
        rows[i].prefill_ns = rows[i].load_ns = NAN;
    }
    assert_int_equal(device_open("iphone-13", &device, NULL), STATUS_OK);
    assert_int_equal(fit_base_machine(&device, 0, used, 2, &base, NULL), STATUS_OK);
    assert_int_equal(fit_solve(&base, used, 2, FIT_DECODE,
                               FIT_TERM(FIT_BYTE + DTYPE_F16) | FIT_TERM(FIT_LAYER), &theta, NULL,
                               NULL),
                     STATUS_OK);
    fit_machine(&base, &theta, &m);
    for (int i = 0; i < 3; i++) {
        struct transformer net;
        open_preset(table_7[i].name, &net);
        double ms = run(&net, &m, &simulation).price.decode_ns / 1e6;
        if (fabs(ms / table_7[i].execute_ms - 1) >= 0.02)
            fail_msg("%s: %.3f ms, printed %.1f", table_7[i].name, ms, table_7[i].execute_ms);
        transformer_release(&net);
    }
    transformer_release(&rows[0].net);
    transformer_release(&rows[1].net);
}

static void the_shipped_phone_reproduces_table_7_within_1_percent(void **state)
{
    (void)state;
    struct machine m;
    m = shipped_machine("iphone-13");
    struct simulation simulation = usual();
    simulation.workload = (struct workload){128, 128};
    simulation.tile_bytes = 0;
    for (int i = 0; i < 3; i++) {
        struct transformer net;
        open_preset(table_7[i].name, &net);
        double ms = run(&net, &m, &simulation).price.decode_ns / 1e6;
        assert_true(fabs(ms / table_7[i].execute_ms - 1) < 0.01);
        transformer_release(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_clocks_agree_to_a_thousandth_where_one_resource_dominates),
        cmocka_unit_test(both_clocks_stay_within_6_percent_on_every_shipped_device),
        cmocka_unit_test(both_clocks_stay_within_8_percent_where_operators_are_timed),
        cmocka_unit_test(table_7_without_the_shared_model_predicts_it_within_2_percent),
        cmocka_unit_test(the_shipped_phone_reproduces_table_7_within_1_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
