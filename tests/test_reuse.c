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

enum { MAX_EXECUTIONS = 64, CACHE = 30000, EDGES = 40000 };

/* Blocks' groups of weights; a group that is shared is `shared` + its number for all. */
static int64_t group_id(int64_t block, int group, bool is_shared)
{
    return is_shared ? 20000 + group : block * MAX_BLOCK_GROUPS + group;
}

/* The block that each execution runs; returns how many there are. */
static int order_by_hand(const struct operator_list *list, int64_t *order)
{
    const struct schedule *s = &list->schedule;
    int n = 0;
    if (s->sharing != SHARING_BY_BLOCK)
        for (; n < schedule_executions(s); n++)
            order[n] = schedule_block(s, n);
    for (int64_t i = 0; s->sharing == SHARING_BY_BLOCK && i < s->n_layers; i++)
        for (int64_t again = 0; again <= list->classes[list->class_of_block[i]].reruns; again++)
            order[n++] = i;
    return n;
}

/* Distances of a second pass over a list, group by group: [executions][MAX_BLOCK_GROUPS]. */
static void walk_by_hand(const struct operator_list *list, int64_t edges,
                         int64_t distance[][MAX_BLOCK_GROUPS])
{
    const struct schedule *s = &list->schedule;
    struct lru_stack stack = {0};
    int64_t order[MAX_EXECUTIONS];
    int n = order_by_hand(list, order);
    assert_int_equal(ops_executions(list), n);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < n; i++) {
            const struct block_ops *class = ops_class(list, i);
            assert_int_equal(ops_block(list, i), order[i]);
            for (int g = 0; g < class->n_groups; g++) {
                bool is_shared = s->share_ffn && class->groups[g].is_shareable;
                distance[i][g] =
                    touch(&stack, group_id(order[i], g, is_shared), class->groups[g].bytes);
                if (g == 0)
                    touch(&stack, CACHE + i, class->kv_read_bytes);
            }
        }
        touch(&stack, EDGES, edges);
    }
}

/* A block with these many groups; any but the first may be shared. */
static void draw_groups(struct rng *rng, int n_groups, struct block_ops *out)
{
    *out = (struct block_ops){.n_groups = n_groups};
    out->kv_read_bytes = rng_between(rng, 0, 100);
    for (int g = 0; g < n_groups; g++)
        out->groups[g] = (struct weight_group){
            .bytes = rng_between(rng, 1, 1000),
            .is_shareable = g > 0 && rng_between(rng, 0, 1),
        };
}

static void check_distances(struct rng *rng, struct operator_list *list)
{
    static int64_t expected[MAX_EXECUTIONS][MAX_BLOCK_GROUPS];
    struct reuse_walk walk;
    struct reuse_run run;
    list->n_epilogue = 1;
    list->epilogue[0].weight_bytes = rng_between(rng, 1, 5000);
    walk_by_hand(list, list->epilogue[0].weight_bytes, expected);
    assert_int_equal(reuse_walk_start(&walk, list, NULL, 0, NULL), STATUS_OK);
    for (int64_t i = 0; i < ops_executions(list); i++) {
        if (walk.runs)
            run = walk.runs[i];
        else
            reuse_distance(&list->schedule, &walk.sizes, i, &run);
        for (int g = 0; g < ops_class(list, i)->n_groups; g++)
            assert_int_equal(run.distance[g], expected[i][g]);
    }
    reuse_walk_end(&walk);
}

/* A block without attention may have one group, one with experts many. */
static void distances_are_those_of_an_lru_stack(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 6);
    for (int round = 0; round < 3000; round++) {
        struct operator_list list = {.schedule = random_schedule(&rng, 12), .n_classes = 1};
        list.classes = &list.uniform;
        draw_groups(&rng, round % 3 == 0 ? 2 : (int)rng_between(&rng, 1, 5), &list.uniform);
        check_distances(&rng, &list);
    }
}

/* Blocks of one, two, three and five groups in one stack; the shared group has one size. */
static void distances_of_different_blocks_are_those_of_an_lru_stack(void **state)
{
    (void)state;
    static const int n_groups[4] = {1, 2, 3, 5};
    struct rng rng;
    rng_init(&rng, 9);
    for (int round = 0; round < 1000; round++) {
        struct block_ops classes[4];
        int class_of_block[12];
        struct operator_list list = {.schedule = random_schedule(&rng, 12),
                                     .n_classes = 4,
                                     .classes = classes,
                                     .class_of_block = class_of_block};
        for (int c = 0; c < 4; c++) {
            draw_groups(&rng, n_groups[c], &classes[c]);
            for (int g = 1; g < n_groups[c]; g++)
                if (c > 1 && g < n_groups[1])
                    classes[c].groups[g] = classes[1].groups[g];
                else
                    classes[c].groups[g].is_shareable &= c == 1;
        }
        for (int i = 0; i < 12; i++)
            class_of_block[i] = (int)rng_between(&rng, 0, 3);
        if (round % 4 == 0) {
            list.schedule.sharing = SHARING_BY_BLOCK;
            list.schedule.repeats = 1;
            for (int c = 0; c < 4; c++)
                classes[c].reruns = rng_between(&rng, 0, 3);
        }
        for (int64_t i = 0; i < list.schedule.n_layers; i++)
            classes[class_of_block[i]].n_blocks++;
        check_distances(&rng, &list);
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
            for (int g = 0; g < 2; g++)
                counted[g][level_of(capacities, 2, run.distance[g])] += run.count;
            immediate += run.immediate ? run.count : 0;
        }
        for (int64_t i = 0; i < schedule_executions(&net.schedule); i++) {
            reuse_distance(&net.schedule, &walk.sizes, i, &run);
            for (int g = 0; g < 2; g++)
                expected[g][level_of(capacities, 2, run.distance[g])]++;
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
            assert_int_equal(run.distance[GROUP_OWN], expected.distance[GROUP_OWN]);
            assert_int_equal(run.distance[GROUP_FFN], expected.distance[GROUP_FFN]);
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
        cmocka_unit_test(distances_of_different_blocks_are_those_of_an_lru_stack),
        cmocka_unit_test(runs_count_every_execution_at_its_level),
        cmocka_unit_test(a_list_of_equal_blocks_walks_like_a_uniform_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
