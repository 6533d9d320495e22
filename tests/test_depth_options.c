/* Deep or wide: the family of one total, and which depths are best by both. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/device.h"
#include "model/count.h"
#include "search/depth_options.h"
#include "tests/quality_fixture.h"

static struct quality_law law;
static struct depth_options depths;
static struct price prices[MAX_DEPTH_OPTIONS];

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return 0;
}

static void find(int64_t params)
{
    struct err err = {""};
    if (depth_options_find(params, 32000, &law, QUALITY_NO_RECIPE, 1e12, &depths, &err) !=
        STATUS_OK)
        fail_msg("%s", err.message);
}

static int64_t depth(size_t i)
{
    return depths.item[i].net.schedule.n_layers;
}

static void every_depth_has_the_same_parameters(void **state)
{
    static const int64_t totals[] = {20000000,   30000000,   125000000,  350000000,
                                     1000000000, 7000000000, 70000000000};
    (void)state;
    for (size_t k = 0; k < sizeof totals / sizeof *totals; k++) {
        find(totals[k]);
        assert_true(depths.n > 3);
        for (size_t i = 0; i < depths.n; i++) {
            struct param_count count;
            const struct transformer *net = &depths.item[i].net;
            assert_int_equal(transformer_check(net, NULL), STATUS_OK);
            transformer_count(net, &count);
            assert_int_equal(count.total, depths.item[i].params);
            assert_true(fabs((double)count.total / (double)totals[k] - 1) <= 0.01);
            assert_true(i == 0 || depth(i) > depth(i - 1));
            assert_true(depth(i) >= LEAST_DEPTH && depth(i) <= MOST_DEPTH);
            assert_int_equal(net->tie_embeddings, depths.item[0].net.tie_embeddings);
            assert_true(depths.item[i].answer.difference.nats >= 0);
        }
        assert_true(fabs(depths.item[depths.best].answer.difference.nats) < 1e-12);
    }
}

/* As docs/quality.md says of a continuous width. */
static void the_lowest_loss_at_125m_is_near_25_layers(void **state)
{
    (void)state;
    find(125000000);
    assert_true(depth(depths.best) >= 21 && depth(depths.best) <= 30);
    assert_true(depths.item[0].answer.difference.nats > 0.1);
    for (size_t i = 0; i < depths.n; i++)
        assert_int_equal(depths.item[i].answer.outside, 0);
}

/* Loss of every depth by hand: 0 at the best, then up on both sides. */
static void at(size_t i, double nats, double ns, double error)
{
    depths.item[i].answer.difference.nats = nats;
    prices[i] = (struct price){
        .decode_ns = ns, .decode_ns_low = ns / (1 + error), .decode_ns_high = ns * (1 + error)};
}

static void best_by_both_is_good_in_loss_and_as_fast_as_the_fastest_of_those(void **state)
{
    (void)state;
    find(125000000);
    depths.n = 5;
    depths.best = 2;
    at(0, 0.020, 10, 0.02); /* fastest, but worse */
    at(1, 0.009, 12, 0.02); /* the fastest that is good */
    at(2, 0, 12.4, 0.02);
    at(3, 0.01, 12.6, 0.02); /* its interval does not reach that of 1 */
    at(4, 0.011, 12, 0.02);
    struct depth_range good = depth_options_good(&depths), best;
    assert_int_equal(good.first, 1);
    assert_int_equal(good.last, 3);
    best = depth_options_best(&depths, prices);
    assert_int_equal(best.first, 1);
    assert_int_equal(best.last, 2);
    at(3, 0.01, 12.4, 0.02);
    assert_int_equal(depth_options_best(&depths, prices).last, 3);
    for (size_t i = 0; i < depths.n; i++)
        at(i, depths.item[i].answer.difference.nats, prices[i].decode_ns, NAN);
    best = depth_options_best(&depths, prices);
    assert_int_equal(best.first, 1);
    assert_int_equal(best.last, 1);
}

static void a_phone_hides_depth_and_a_small_board_does_not(void **state)
{
    static const char *const names[] = {"iphone-13", "rpi5"};
    const struct workload workload = {.prompt = 128, .context = 128};
    int64_t last[2];
    (void)state;
    find(125000000);
    for (int d = 0; d < 2; d++) {
        struct device device;
        struct machine machine;
        assert_int_equal(device_open(names[d], &device, NULL), STATUS_OK);
        assert_int_equal(machine_resolve(&device, 0, &machine, NULL), STATUS_OK);
        assert_int_equal(depth_options_price(&depths, &machine, &workload, prices, NULL),
                         STATUS_OK);
        last[d] = depth(depth_options_best(&depths, prices).last);
    }
    assert_true(last[0] > last[1]);
    const struct workload long_one = {.prompt = 128, .context = 1 << 20};
    struct device device;
    struct machine machine;
    assert_int_equal(device_open("rpi5", &device, NULL), STATUS_OK);
    assert_int_equal(machine_resolve(&device, 0, &machine, NULL), STATUS_OK);
    assert_int_equal(depth_options_price(&depths, &machine, &long_one, prices, NULL), STATUS_RANGE);
}

static void a_total_that_no_depth_reaches_is_refused(void **state)
{
    static const int64_t totals[] = {1, 1000000, INT64_C(1) << 62};
    (void)state;
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        struct err err = {""};
        assert_int_equal(
            depth_options_find(totals[i], 32000, &law, QUALITY_NO_RECIPE, 1e12, &depths, &err),
            STATUS_RANGE);
        assert_non_null(strstr(err.message, "no network of 3 to 80 layers"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_depth_has_the_same_parameters),
        cmocka_unit_test(the_lowest_loss_at_125m_is_near_25_layers),
        cmocka_unit_test(best_by_both_is_good_in_loss_and_as_fast_as_the_fastest_of_those),
        cmocka_unit_test(a_phone_hides_depth_and_a_small_board_does_not),
        cmocka_unit_test(a_total_that_no_depth_reaches_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
