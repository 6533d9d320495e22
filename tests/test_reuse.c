/* Reuse distances against a stack kept by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "costmodel/reuse.h"
#include "tests/random_net.h"

/* An LRU stack of named pieces of memory: touching one returns the bytes of all pieces touched
 * since its last use, itself included, or -1 the first time. */
struct lru_stack {
    int n;
    int64_t id[512], bytes[512];
};

static int64_t touch(struct lru_stack *stack, int64_t id, int64_t bytes)
{
    int64_t distance = 0;
    int at = 0;
    while (at < stack->n && stack->id[at] != id)
        distance += stack->bytes[at++];
    bool known = at < stack->n;
    if (!known) {
        assert_true(stack->n < 512);
        at = stack->n++;
    }
    for (; at > 0; at--) {
        stack->id[at] = stack->id[at - 1];
        stack->bytes[at] = stack->bytes[at - 1];
    }
    stack->id[0] = id;
    stack->bytes[0] = bytes;
    return known ? distance + bytes : -1;
}

enum { ATTENTION = 1000, FFN = 2000, CACHE = 3000, EDGES = 4000 };

/* Distances of a second pass over the stack. */
static void walk_by_hand(const struct schedule *s, const struct reuse_sizes *sizes,
                         int64_t *attention, int64_t *ffn)
{
    struct lru_stack stack = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < schedule_executions(s); i++) {
            int64_t b = schedule_block(s, i);
            attention[i] = touch(&stack, ATTENTION + b, sizes->attention);
            touch(&stack, CACHE + i, sizes->kv);
            ffn[i] = touch(&stack, FFN + (s->share_ffn ? 0 : b), sizes->ffn);
        }
        touch(&stack, EDGES, sizes->edges);
    }
}

static void distances_are_those_of_an_lru_stack(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 6);
    for (int round = 0; round < 2000; round++) {
        struct schedule s = random_schedule(&rng, 12);
        struct reuse_sizes sizes = {rng_between(&rng, 1, 1000), rng_between(&rng, 1, 1000),
                                    rng_between(&rng, 0, 100), rng_between(&rng, 1, 5000)};
        int64_t attention[64], ffn[64];
        walk_by_hand(&s, &sizes, attention, ffn);
        for (int64_t i = 0; i < schedule_executions(&s); i++) {
            struct reuse_run run;
            reuse_distance(&s, &sizes, i, &run);
            assert_int_equal(run.attention_distance, attention[i]);
            assert_int_equal(run.ffn_distance, ffn[i]);
        }
    }
}

static int level_of(const int64_t *capacities, int n, int64_t distance)
{
    int level = 0;
    while (level < n && capacities[level] < distance)
        level++;
    return level;
}

/* Runs merge executions, but each level gets as many as execution by execution. */
static void runs_count_every_execution_at_its_level(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 2000; round++) {
        struct transformer net;
        struct operator_list list;
        struct reuse_walk walk;
        struct reuse_run run;
        random_net(&rng, &net);
        assert_int_equal(ops_decode(&net, rng_between(&rng, 0, 500), &list, NULL), STATUS_OK);
        int64_t whole = reuse_pass_bytes(&list);
        int64_t capacities[2] = {rng_between(&rng, 1, whole), 0};
        capacities[1] = rng_between(&rng, capacities[0], 2 * whole);
        int64_t counted[2][3] = {{0}}, expected[2][3] = {{0}}, immediate = 0;
        assert_int_equal(reuse_walk_start(&walk, &list, capacities, 2, NULL), STATUS_OK);
        while (reuse_walk_next(&walk, &run)) {
            counted[0][level_of(capacities, 2, run.attention_distance)] += run.count;
            counted[1][level_of(capacities, 2, run.ffn_distance)] += run.count;
            immediate += run.immediate ? run.count : 0;
        }
        for (int64_t i = 0; i < schedule_executions(&net.schedule); i++) {
            reuse_distance(&net.schedule, &walk.sizes, i, &run);
            expected[0][level_of(capacities, 2, run.attention_distance)]++;
            expected[1][level_of(capacities, 2, run.ffn_distance)]++;
        }
        reuse_walk_end(&walk);
        assert_memory_equal(counted, expected, sizeof counted);
        if (net.schedule.sharing == SHARING_IMMEDIATE)
            assert_int_equal(immediate, net.schedule.n_layers * (net.schedule.repeats - 1));
    }
}

static void a_list_of_equal_blocks_walks_like_a_uniform_stack(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 8);
    for (int round = 0; round < 300; round++) {
        struct transformer net;
        struct operator_list uniform, list;
        struct reuse_walk a, b;
        struct reuse_run run, expected;
        const int class_of_block[40] = {0};
        int64_t context = rng_between(&rng, 0, 500);
        random_net(&rng, &net);
        assert_int_equal(ops_decode(&net, context, &uniform, NULL), STATUS_OK);
        net.stack.class_of_block = class_of_block;
        assert_int_equal(ops_decode(&net, context, &list, NULL), STATUS_OK);
        assert_int_equal(reuse_pass_bytes(&list), reuse_pass_bytes(&uniform));
        assert_int_equal(reuse_walk_start(&a, &uniform, NULL, 0, NULL), STATUS_OK);
        assert_int_equal(reuse_walk_start(&b, &list, NULL, 0, NULL), STATUS_OK);
        for (int64_t i = 0; reuse_walk_next(&b, &run); i++) {
            reuse_distance(&net.schedule, &a.sizes, i, &expected);
            assert_int_equal(run.attention_distance, expected.attention_distance);
            assert_int_equal(run.ffn_distance, expected.ffn_distance);
            assert_int_equal(run.immediate, expected.immediate);
        }
        reuse_walk_end(&b);
        ops_release(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_an_lru_stack),
        cmocka_unit_test(runs_count_every_execution_at_its_level),
        cmocka_unit_test(a_list_of_equal_blocks_walks_like_a_uniform_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
