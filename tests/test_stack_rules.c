/* Rules of stacks one by one, on short sequences of kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "exact/stack_rules.h"

static const enum layer_kind kinds[] = {LAYER_FULL, LAYER_WINDOWED, LAYER_NONE, LAYER_SKIP};

/* Letters F W N and - in the order of `kinds`. */
static bool keeps(struct stack_rules rules, const char *stack)
{
    const struct rule_automaton automaton = {
        .rules = rules, .n_places = (int64_t)strlen(stack), .n_choices = 4, .kind = kinds};
    int64_t state = RULE_STATE_START;
    for (int64_t i = 0; i < automaton.n_places && state != RULE_STATE_DEAD; i++)
        state = rule_step(&automaton, state, i, (int)(strchr("FWN-", stack[i]) - "FWN-"));
    return state != RULE_STATE_DEAD && rule_accepts(&automaton, state);
}

static void a_stack_has_a_block(void **state)
{
    (void)state;
    assert_true(keeps((struct stack_rules){0}, "-N-"));
    assert_false(keeps((struct stack_rules){0}, "---"));
}

static void the_first_block_is_full(void **state)
{
    (void)state;
    const struct stack_rules rules = {.first_full = true};
    assert_true(keeps(rules, "FWN"));
    assert_true(keeps(rules, "--FW"));
    assert_false(keeps(rules, "-WF"));
}

static void so_many_are_full(void **state)
{
    (void)state;
    const struct stack_rules rules = {.min_full = 2};
    assert_true(keeps(rules, "WFNF"));
    assert_true(keeps(rules, "FFF"));
    assert_false(keeps(rules, "FWWW"));
}

static void windowed_blocks_do_not_go_on_for_long(void **state)
{
    (void)state;
    const struct stack_rules rules = {.max_windowed_run = 2};
    assert_true(keeps(rules, "WWFWW"));
    assert_true(keeps(rules, "WWNWW"));
    assert_false(keeps(rules, "FWWW"));
    assert_false(keeps(rules, "WW-W")); /* an empty place does not end a run */
}

static void a_pattern_goes_on(void **state)
{
    (void)state;
    const struct stack_rules rules = {.pattern = "FW."};
    assert_true(keeps(rules, "FWNFWFF"));
    assert_true(keeps(rules, "-WN--"));
    assert_false(keeps(rules, "FWNW"));
}

static void thirds_are_equal(void **state)
{
    (void)state;
    const struct stack_rules rules = {.equal_thirds = true};
    assert_true(keeps(rules, "FFWWNN"));
    assert_true(keeps(rules, "FFFWWNN")); /* 7: places 0 to 2, 3 and 4, 5 and 6 */
    assert_true(keeps(rules, "FF--FF"));
    assert_false(keeps(rules, "FFWNNN"));
    assert_true(keeps(rules, "FW"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_has_a_block),
        cmocka_unit_test(the_first_block_is_full),
        cmocka_unit_test(so_many_are_full),
        cmocka_unit_test(windowed_blocks_do_not_go_on_for_long),
        cmocka_unit_test(a_pattern_goes_on),
        cmocka_unit_test(thirds_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
