/* Networks drawn at random keep what was asked of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/count.h"
#include "model/draw.h"

static int64_t params(const struct transformer *net)
{
    struct param_count count;
    transformer_count(net, &count);
    return count.total;
}

static void a_drawn_network_is_valid_and_meets_its_budget(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 2000; i++) {
        struct transformer net;
        struct draw_options options = {.params = (int64_t)(8e6 * pow(50, rng_uniform(&rng))),
                                       .aspect = rng_uniform(&rng),
                                       .dtype = DTYPE_Q4_0,
                                       .share = rng_between(&rng, 0, 1)};
        draw_network(&rng, &options, &net);
        assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
        assert_int_equal(net.block_dtype, DTYPE_Q4_0);
        assert_true(options.share || net.schedule.sharing == SHARING_NONE);
        double off = (double)params(&net) / (double)options.params;
        assert_true(off > 0.94 && off < 1.06);
    }
}

static void a_higher_aspect_is_deeper_and_thinner(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (int i = 0; i < 200; i++) {
        struct transformer wide, deep;
        struct draw_options options = {.params = 60000000, .aspect = 0.1};
        draw_network(&rng, &options, &wide);
        options.aspect = 0.9;
        draw_network(&rng, &options, &deep);
        assert_true(deep.d_model < wide.d_model);
        assert_true(deep.schedule.n_layers > wide.schedule.n_layers);
    }
}

static void the_same_seed_draws_the_same_network(void **state)
{
    (void)state;
    struct transformer a, b;
    struct draw_options options = {.params = 60000000, .aspect = 0.5, .share = true};
    for (int i = 0; i < 2; i++) {
        struct rng rng;
        rng_init(&rng, 3);
        draw_network(&rng, &options, i == 0 ? &a : &b);
    }
    assert_true(transformer_same_shape(&a, &b));
    assert_string_equal(a.name, b.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drawn_network_is_valid_and_meets_its_budget),
        cmocka_unit_test(a_higher_aspect_is_deeper_and_thinner),
        cmocka_unit_test(the_same_seed_draws_the_same_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
