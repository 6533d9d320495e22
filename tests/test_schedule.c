/* The order in which shared blocks run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/schedule.h"

static void orders_are_those_of_the_paper(void **state)
{
    (void)state;
    static const struct {
        struct schedule schedule;
        int64_t order[6];
        int64_t n;
    } cases[] = {
        {{SHARING_NONE, 3, 1, false}, {0, 1, 2}, 3},
        {{SHARING_IMMEDIATE, 3, 2, false}, {0, 0, 1, 1, 2, 2}, 6},
        {{SHARING_IMMEDIATE, 2, 3, false}, {0, 0, 0, 1, 1, 1}, 6},
        {{SHARING_REPEAT_ALL, 3, 2, false}, {0, 1, 2, 0, 1, 2}, 6},
        {{SHARING_REVERSE, 3, 2, false}, {0, 1, 2, 2, 1, 0}, 6},
        {{SHARING_REVERSE, 2, 3, false}, {0, 1, 1, 0, 0, 1}, 6},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        assert_int_equal(schedule_executions(&cases[c].schedule), cases[c].n);
        for (int64_t i = 0; i < cases[c].n; i++)
            assert_int_equal(schedule_block(&cases[c].schedule, i), cases[c].order[i]);
    }
}

static void every_block_runs_exactly_repeats_times(void **state)
{
    (void)state;
    for (int sharing = SHARING_IMMEDIATE; sharing <= SHARING_REVERSE; sharing++) {
        for (int64_t n = 1; n < 20; n++) {
            for (int64_t repeats = 2; repeats < 6; repeats++) {
                struct schedule s = {(enum sharing)sharing, n, repeats, false};
                int64_t runs[20] = {0};
                for (int64_t i = 0; i < schedule_executions(&s); i++)
                    runs[schedule_block(&s, i)]++;
                for (int64_t b = 0; b < n; b++)
                    assert_int_equal(runs[b], repeats);
            }
        }
    }
}

static void names_are_read_back_and_slips_are_named(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHARINGS; i++) {
        enum sharing back;
        assert_int_equal(sharing_parse(sharing_name((enum sharing)i), &back, NULL), STATUS_OK);
        assert_int_equal(back, i);
    }
    struct err err;
    enum sharing unused;
    assert_int_equal(sharing_parse("imediate", &unused, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "did you mean 'immediate'"));
}

/* Bytes between members say nothing. */
static void equal_is_by_member(void **state)
{
    (void)state;
    struct schedule a, b;
    memset(&a, 0x00, sizeof a);
    memset(&b, 0xff, sizeof b);
    a.sharing = b.sharing = SHARING_IMMEDIATE;
    a.n_layers = b.n_layers = 3;
    a.repeats = b.repeats = 2;
    a.share_ffn = b.share_ffn = true;
    assert_true(schedule_equal(&a, &b));
    b.share_ffn = false;
    assert_false(schedule_equal(&a, &b));
    b = a;
    b.sharing = SHARING_REVERSE;
    assert_false(schedule_equal(&a, &b));
    b = a;
    b.n_layers = 4;
    assert_false(schedule_equal(&a, &b));
    b = a;
    b.repeats = 3;
    assert_false(schedule_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_those_of_the_paper),
        cmocka_unit_test(every_block_runs_exactly_repeats_times),
        cmocka_unit_test(names_are_read_back_and_slips_are_named),
        cmocka_unit_test(equal_is_by_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
