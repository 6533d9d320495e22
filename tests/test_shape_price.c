/* The closed form in two steps, a shape and then its stacks: equal to the bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "costmodel/price.h"
#include "costmodel/shape_price.h"
#include "model/count.h"
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
        assert_int_equal(price_shape(&net, &m, &workload, &shape, NULL), STATUS_OK);
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

/* A table of classes that differ in what may differ from layer to layer. */
static void random_classes(struct rng *rng, const struct transformer *net, struct block *classes,
                           int n)
{
    for (int c = 0; c < n; c++) {
        classes[c] = net->stack.first;
        if (!net->schedule.share_ffn)
            classes[c].d_ff = 32 * rng_between(rng, 1, 60);
        if (rng_between(rng, 0, 1))
            classes[c].window = rng_between(rng, 1, 300);
        if (rng_between(rng, 0, 2) == 0)
            classes[c].n_kv_heads = classes[c].n_heads;
        if (rng_between(rng, 0, 3) == 0)
            classes[c] = (struct block){.mixer = MIXER_NONE, .d_ff = classes[c].d_ff};
    }
}

/* Short runs, so that some sequences are of one class only. */
static void random_sequence(struct rng *rng, int n_classes, int64_t n, int *ids)
{
    int64_t same = rng_between(rng, 1, n);
    for (int64_t i = 0; i < n; i++)
        ids[i] = i % same == 0 ? (int)rng_between(rng, 0, n_classes - 1) : ids[i - 1];
}

static void stacks_of_classes_cost_what_their_network_does_to_the_bit(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 19);
    int n_uniform = 0;
    for (int i = 0; i < 150; i++) {
        struct transformer net;
        struct machine m;
        struct block classes[6];
        struct workload workload = {rng_between(&rng, 1, 200), rng_between(&rng, 0, 500)};
        int ids[40], in_order[6] = {0, 1, 2, 3, 4, 5};
        static struct shape_price shape;
        random_net(&rng, &net);
        net.head_dtype = net.embedding_dtype;
        random_machine(&rng, &m);
        int n_classes = (int)rng_between(&rng, 1, 6);
        random_classes(&rng, &net, classes, n_classes);
        struct transformer table = net;
        assert_int_equal(stack_set_classes(&table.stack, classes, in_order, n_classes, NULL),
                         STATUS_OK);
        n_classes = stack_n_classes(&table.stack);
        assert_int_equal(price_shape(&table, &m, &workload, &shape, NULL), STATUS_OK);
        for (int k = 0; k < 12; k++) {
            struct price two, one;
            struct param_count params;
            memset(&one, 0, sizeof one);
            memset(&two, 0, sizeof two);
            bool share_ffn = net.schedule.share_ffn;
            net.schedule = random_schedule(&rng, 40);
            net.schedule.share_ffn = share_ffn;
            net.tie_embeddings = rng_between(&rng, 0, 1);
            random_sequence(&rng, n_classes, net.schedule.n_layers, ids);
            struct block blocks[40];
            for (int64_t b = 0; b < net.schedule.n_layers; b++)
                blocks[b] = *stack_class(&table.stack, ids[b]);
            assert_int_equal(stack_set(&net.stack, blocks, net.schedule.n_layers, NULL), STATUS_OK);
            n_uniform += stack_is_uniform(&net.stack);
            assert_int_equal(
                price_sequence(&shape, ids, &net.schedule, net.tie_embeddings, &two, NULL),
                STATUS_OK);
            assert_int_equal(price_network(&net, &m, &workload, &one, NULL, NULL), STATUS_OK);
            assert_memory_equal(&one, &two, sizeof one);
            transformer_count(&net, &params);
            assert_memory_equal(&params, &shape.counted.params, sizeof params);
            stack_release(&net.stack);
        }
        price_shape_release(&shape);
        transformer_release(&table);
    }
    assert_true(n_uniform > 50 && n_uniform < 1500);
}

static void pricing_classes_without_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct rng rng;
    struct transformer net;
    struct machine m;
    struct price out;
    struct block classes[2];
    const struct workload workload = {16, 16};
    const int ids[2] = {0, 1};
    static struct shape_price shape;
    rng_init(&rng, 20);
    plain_machine(&m, 1 << 20);
    transformer_init(&net, 64, 2, 2, 1, 32, 64, 100);
    classes[0] = classes[1] = net.stack.first;
    classes[1].window = 8;
    assert_int_equal(stack_set(&net.stack, classes, 2, NULL), STATUS_OK);
    for (int64_t n = 1;; n++) {
        memory_fail_after(n);
        enum status status = price_shape(&net, &m, &workload, &shape, NULL);
        if (status == STATUS_OK) {
            status = price_sequence(&shape, ids, &net.schedule, true, &out, NULL);
            price_shape_release(&shape);
        }
        memory_fail_after(-1);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_true(n < 20);
    }
    transformer_release(&net);
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
        wider.d_ff += 64;
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
        cmocka_unit_test(stacks_of_classes_cost_what_their_network_does_to_the_bit),
        cmocka_unit_test(pricing_classes_without_memory_is_reported_and_leaks_nothing),
        cmocka_unit_test(different_blocks_cost_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
