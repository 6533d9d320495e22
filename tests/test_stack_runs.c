/* Stacks as short runs: read back as printed, and what is no run is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/stack_runs.h"

static const struct stack_usual usual = {9, 64, 1024};

static void runs_are_read_back_as_they_were_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "12F3/1536 8W1/768 N/2048",
        "F9/1",
        "N/64",
        "2N/64 3N/65",
        "F3x1/64 W6x2@256/128 2W1/9",
        "30F3/1536",
        "2F3/64x2 N/64x3 F3/64",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct stack stack;
        struct err err;
        int64_t n;
        if (stack_runs_parse(texts[i], &usual, &stack, &n, &err))
            fail_msg("%s", err.message);
        char *printed = stack_runs_print(&stack, n, &usual);
        assert_string_equal(printed, texts[i]);
        memory_free(printed);
        stack_release(&stack);
    }
}

static void a_run_says_how_many_blocks_of_what(void **state)
{
    (void)state;
    struct stack stack;
    int64_t n;
    assert_int_equal(stack_runs_parse("2F3/1536  W1@16/8", &usual, &stack, &n, NULL), STATUS_OK);
    assert_int_equal(n, 3);
    const struct block expected[] = {
        {.mixer = MIXER_ATTENTION, .n_heads = 9, .n_kv_heads = 3, .d_head = 64, .d_ff = 1536},
        {.mixer = MIXER_ATTENTION, .n_heads = 9, .n_kv_heads = 3, .d_head = 64, .d_ff = 1536},
        {.mixer = MIXER_ATTENTION,
         .n_heads = 9,
         .n_kv_heads = 1,
         .d_head = 64,
         .window = 16,
         .d_ff = 8}};
    for (int i = 0; i < 3; i++)
        assert_true(block_equal(stack_block(&stack, i), &expected[i]));
    struct stack_usual found = stack_usual(&stack, n);
    assert_int_equal(found.n_heads, 9);
    assert_int_equal(found.window, 16);
    stack_release(&stack);
}

static void what_is_no_run_is_named(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",           "F3",      "0F3/64",  "F/64",   "F3/0",    "X1/2",
        "F2/64",      "W1@0/3",  "N3/64",   "F3/64,", "-F3/1",   "9999999999F3/64",
        "70000F3/64", "F3/64 8", "F3/64x1", "F3/64x", "F3/64x65"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct stack stack;
        struct err err = {""};
        int64_t n;
        assert_int_equal(stack_runs_parse(texts[i], &usual, &stack, &n, &err), STATUS_INPUT);
        assert_non_null(strstr(err.message, texts[i][0] ? "expected such as" : "at least one"));
    }
}

static void a_failed_allocation_is_an_error(void **state)
{
    (void)state;
    bool done = false;
    for (int n = 1; !done; n++) {
        struct stack stack;
        struct err err;
        int64_t layers;
        memory_fail_after(n);
        enum status status = stack_runs_parse("2F3/64 N/64", &usual, &stack, &layers, &err);
        memory_fail_after(-1);
        done = status == STATUS_OK;
        if (!done)
            assert_int_equal(status, STATUS_NOMEM);
        stack_release(&stack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_read_back_as_they_were_printed),
        cmocka_unit_test(a_run_says_how_many_blocks_of_what),
        cmocka_unit_test(what_is_no_run_is_named),
        cmocka_unit_test(a_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
