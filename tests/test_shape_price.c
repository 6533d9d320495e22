/* The closed form in two steps, a shape and then its stacks: equal to the bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "costmodel/shape_price.h"
#include "tests/price_fixture.h"
#include "tests/random_net.h"

static void two_steps_give_what_one_gives_to_the_bit(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 17);
    for (int i = 0; i < 200; i++) {
        struct transformer net;
        struct machine m;
        struct workload workload = {rng_between(&rng, 1, 200), rng_between(&rng, 0, 500)};
        static struct shape_price shape;
        random_net(&rng, &net);
        net.head_dtype = net.embedding_dtype;
        random_machine(&rng, &m);
        price_shape(&net, &m, &workload, &shape);
        for (int k = 0; k < 8; k++) {
            struct price two, one;
            memset(&one, 0, sizeof one);
            memset(&two, 0, sizeof two);
            net.schedule = random_schedule(&rng, 40);
            net.tie_embeddings = rng_between(&rng, 0, 1);
            price_schedule(&shape, &net.schedule, net.tie_embeddings, &two);
            assert_int_equal(price_network(&net, &m, &workload, &one, NULL, NULL), STATUS_OK);
            assert_memory_equal(&one, &two, sizeof one);
        }
    }
}

static void different_blocks_cost_their_own(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 18);
    for (int i = 0; i < 200; i++) {
        struct transformer net;
        struct machine m;
        int class_of_block[40] = {0};
        random_net(&rng, &net);
        random_machine(&rng, &m);
        double uniform = price(&net, &m, 100).decode_ns;
        struct block wider = net.stack.first;
        wider.d_ff += 256; /* rows still divide by what they did: no other type */
        net.stack.class_of_block = class_of_block;
        assert_near(price(&net, &m, 100).decode_ns / uniform, 1, 1e-9);
        if (!net.schedule.share_ffn) {
            net.stack.n_others = 1;
            net.stack.others = &wider;
            class_of_block[0] = 1;
            assert_true(price(&net, &m, 100).decode_ns >= uniform);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_steps_give_what_one_gives_to_the_bit),
        cmocka_unit_test(different_blocks_cost_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
