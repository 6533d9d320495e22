/* Stacks of block classes: found, copied, named, printed and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "model/stack_json.h"

enum { MAX_LAYERS = 40 };

/* Blocks of at most five kinds that differ in one field each. */
static int64_t random_blocks(struct rng *rng, struct block *blocks)
{
    const struct block kinds[] = {
        {.mixer = MIXER_ATTENTION, .n_heads = 8, .n_kv_heads = 2, .d_head = 64, .d_ff = 512},
        {.mixer = MIXER_ATTENTION, .n_heads = 8, .n_kv_heads = 4, .d_head = 64, .d_ff = 512},
        {.mixer = MIXER_ATTENTION,
         .n_heads = 8,
         .n_kv_heads = 2,
         .d_head = 64,
         .window = 128,
         .d_ff = 512},
        {.mixer = MIXER_NONE, .d_ff = 512},
        {.mixer = MIXER_ATTENTION,
         .n_heads = 8,
         .n_kv_heads = 2,
         .d_head = 64,
         .d_ff = 512,
         .reruns = 2},
    };
    int64_t n = rng_between(rng, 1, MAX_LAYERS), n_kinds = rng_between(rng, 1, 5);
    for (int64_t i = 0; i < n; i++)
        blocks[i] = kinds[rng_between(rng, 0, n_kinds - 1)];
    return n;
}

static bool holds(const struct stack *stack, const struct block *blocks, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!block_equal(stack_block(stack, i), &blocks[i]))
            return false;
    return true;
}

static void classes_are_distinct_and_in_order_of_first_appearance(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    struct stack stack = {0};
    for (int round = 0; round < 300; round++) {
        struct block blocks[MAX_LAYERS];
        int64_t n = random_blocks(&rng, blocks);
        assert_int_equal(stack_set(&stack, blocks, n, NULL), STATUS_OK);
        assert_true(holds(&stack, blocks, n));
        assert_int_equal(stack_is_uniform(&stack), stack_n_classes(&stack) == 1);
        int seen = 0;
        for (int64_t i = 0; i < n; i++) {
            assert_true(stack_class_of(&stack, i) <= seen);
            seen += stack_class_of(&stack, i) == seen;
        }
        assert_int_equal(seen, stack_n_classes(&stack));
        for (int a = 0; a < seen; a++)
            for (int b = 0; b < a; b++)
                assert_false(block_equal(stack_class(&stack, a), stack_class(&stack, b)));
    }
    stack_release(&stack);
}

static void ids_into_a_table_make_the_stack_of_their_blocks(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    struct stack by_id = {0}, by_block = {0};
    for (int round = 0; round < 200; round++) {
        struct block table[MAX_LAYERS], blocks[MAX_LAYERS];
        int ids[MAX_LAYERS];
        int64_t n_table = random_blocks(&rng, table), n = rng_between(&rng, 1, MAX_LAYERS);
        for (int64_t i = 0; i < n; i++) {
            ids[i] = (int)rng_between(&rng, 0, n_table - 1);
            blocks[i] = table[ids[i]];
        }
        assert_int_equal(stack_set_classes(&by_id, table, ids, n, NULL), STATUS_OK);
        assert_int_equal(stack_set(&by_block, blocks, n, NULL), STATUS_OK);
        assert_true(holds(&by_id, blocks, n));
        assert_int_equal(stack_n_classes(&by_id), stack_n_classes(&by_block));
        assert_true(stack_hash(&by_id, n) == stack_hash(&by_block, n));
    }
    stack_release(&by_id);
    stack_release(&by_block);
}

static void runs_cover_the_stack_and_break_where_the_class_does(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    struct stack stack = {0};
    for (int round = 0; round < 200; round++) {
        struct block blocks[MAX_LAYERS];
        int64_t n = random_blocks(&rng, blocks), at = 0, previous = -1;
        assert_int_equal(stack_set(&stack, blocks, n, NULL), STATUS_OK);
        while (at < n) {
            int64_t run = stack_run(&stack, n, at);
            assert_true(run >= 1);
            assert_int_not_equal(stack_class_of(&stack, at), previous);
            for (int64_t i = at; i < at + run; i++)
                assert_int_equal(stack_class_of(&stack, i), stack_class_of(&stack, at));
            previous = stack_class_of(&stack, at);
            at += run;
        }
        assert_int_equal(at, n);
    }
    stack_release(&stack);
}

static void hashes_differ_with_any_field_and_with_the_order(void **state)
{
    (void)state;
    const struct block plain = {
        .mixer = MIXER_ATTENTION, .n_heads = 8, .n_kv_heads = 2, .d_head = 64, .d_ff = 512};
    struct block changed[] = {plain, plain, plain, plain, plain, plain, plain};
    changed[0].n_heads = 4;
    changed[1].n_kv_heads = 1;
    changed[2].d_head = 32;
    changed[3].window = 1;
    changed[4].d_ff = 1 << 20;
    changed[5] = (struct block){.mixer = MIXER_NONE, .d_ff = 512};
    changed[6].reruns = 1;
    uint64_t hashes[14];
    struct stack stack = {0};
    for (int i = 0; i < 14; i++) {
        struct block blocks[3] = {plain, plain, plain};
        blocks[i / 7] = changed[i % 7];
        assert_int_equal(stack_set(&stack, blocks, 3, NULL), STATUS_OK);
        hashes[i] = stack_hash(&stack, 3);
        for (int k = 0; k < i; k++)
            assert_true(hashes[k] != hashes[i]);
    }
    stack_release(&stack);
}

static void a_copy_is_its_own(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int round = 0; round < 100; round++) {
        struct block blocks[MAX_LAYERS];
        struct stack stack = {0}, copy;
        int64_t n = random_blocks(&rng, blocks);
        assert_int_equal(stack_set(&stack, blocks, n, NULL), STATUS_OK);
        assert_int_equal(stack_copy(&stack, n, &copy, NULL), STATUS_OK);
        assert_int_equal(stack_is_uniform(&copy), stack_is_uniform(&stack));
        stack_release(&stack);
        assert_true(stack_is_uniform(&stack));
        assert_true(holds(&copy, blocks, n));
        stack_release(&copy);
    }
}

static void a_printed_stack_is_read_back(void **state)
{
    (void)state;
    struct rng rng;
    struct err err;
    rng_init(&rng, 5);
    for (int round = 0; round < 200; round++) {
        struct block blocks[MAX_LAYERS];
        struct stack stack = {0}, back, none;
        int64_t n = random_blocks(&rng, blocks);
        assert_int_equal(stack_set(&stack, blocks, n, NULL), STATUS_OK);
        char *text = stack_print(&stack, n);
        assert_non_null(text);
        if (stack_parse("layers", text, n, &back, &err))
            fail_msg("%s", err.message);
        assert_true(holds(&back, blocks, n));
        assert_int_equal(stack_parse("layers", text, n + 1, &none, &err), STATUS_INPUT);
        if (n > 1)
            assert_int_equal(stack_parse("layers", text, n - 1, &none, &err), STATUS_INPUT);
        memory_free(text);
        stack_release(&stack);
        stack_release(&back);
    }
}

static void runs_are_printed_once_each(void **state)
{
    (void)state;
    const struct block full = {
        .mixer = MIXER_ATTENTION, .n_heads = 9, .n_kv_heads = 3, .d_head = 64, .d_ff = 1536};
    struct block blocks[] = {full, full, {.mixer = MIXER_NONE, .d_ff = 2048, .reruns = 1}, full};
    struct stack stack = {0};
    assert_int_equal(stack_set(&stack, blocks, 4, NULL), STATUS_OK);
    char *text = stack_print(&stack, 4);
    assert_string_equal(
        text,
        "[{\"n\":2,\"mixer\":\"attention\",\"n_heads\":9,\"n_kv_heads\":3,\"d_head\":64,"
        "\"window\":0,\"d_ff\":1536},{\"n\":1,\"mixer\":\"none\",\"d_ff\":2048,\"repeats\":2},"
        "{\"n\":1,\"mixer\":\"attention\",\"n_heads\":9,\"n_kv_heads\":3,\"d_head\":64,"
        "\"window\":0,\"d_ff\":1536}]");
    memory_free(text);
    stack_release(&stack);
}

static void bad_runs_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
        enum status status;
    } cases[] = {
        {"{}", "array", STATUS_INPUT},
        {"[", "layers", STATUS_INPUT},
        {"[]", "0 blocks", STATUS_INPUT},
        {"[{\"mixer\": \"none\", \"d_ff\": 8}]", "n", STATUS_INPUT},
        {"[{\"n\": 0, \"mixer\": \"none\", \"d_ff\": 8}]", "n", STATUS_RANGE},
        {"[{\"n\": 5, \"mixer\": \"none\", \"d_ff\": 8}]", "5 blocks", STATUS_INPUT},
        {"[{\"n\": 4, \"mixer\": \"mamba\", \"d_ff\": 8}]", "mamba", STATUS_INPUT},
        {"[{\"n\": 4, \"d_f\": 8}]", "d_ff", STATUS_INPUT},
        {"[{\"n\": 4, \"mixer\": \"none\", \"d_ff\": 8, \"repeats\": 0}]", "repeats", STATUS_RANGE},
        {"[4]", "", STATUS_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stack stack;
        struct err err = {0};
        assert_int_equal(stack_parse("layers", cases[i].text, 4, &stack, &err), cases[i].status);
        assert_non_null(strstr(err.message, cases[i].word));
    }
}

static void running_out_of_memory_changes_nothing_and_leaks_nothing(void **state)
{
    (void)state;
    const struct block full = {
        .mixer = MIXER_ATTENTION, .n_heads = 9, .n_kv_heads = 3, .d_head = 64, .d_ff = 1536};
    struct block blocks[] = {full, {.mixer = MIXER_NONE, .d_ff = 2048}, full};
    for (int64_t n = 1;; n++) {
        struct stack stack = {.first = full}, copy;
        memory_fail_after(n);
        enum status status = stack_set(&stack, blocks, 3, NULL);
        if (status == STATUS_OK && !(status = stack_copy(&stack, 3, &copy, NULL)))
            stack_release(&copy);
        memory_fail_after(-1);
        bool all = status == STATUS_OK;
        assert_true(all || status == STATUS_NOMEM);
        assert_true(all || stack_is_uniform(&stack) || holds(&stack, blocks, 3));
        stack_release(&stack);
        if (all)
            break;
        assert_true(n < 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_distinct_and_in_order_of_first_appearance),
        cmocka_unit_test(ids_into_a_table_make_the_stack_of_their_blocks),
        cmocka_unit_test(runs_cover_the_stack_and_break_where_the_class_does),
        cmocka_unit_test(hashes_differ_with_any_field_and_with_the_order),
        cmocka_unit_test(a_copy_is_its_own),
        cmocka_unit_test(a_printed_stack_is_read_back),
        cmocka_unit_test(runs_are_printed_once_each),
        cmocka_unit_test(bad_runs_are_named),
        cmocka_unit_test(running_out_of_memory_changes_nothing_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
