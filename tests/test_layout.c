#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stats.h"
#include "plots/layout.h"

static void tics_are_few_ordered_inside_and_told_apart(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 3000; i++) {
        bool is_log = i % 2 == 0;
        double low = exp(20 * rng_uniform(&rng) - 10);
        double high = low * (1.001 + exp(12 * rng_uniform(&rng) - 6));
        int want = (int)rng_between(&rng, 2, 12);
        struct scale scale = {.low = low, .high = high, .log = is_log, .start = 0, .end = 100};
        struct tics tics;
        layout_tics(&scale, want, &tics);
        assert_in_range(tics.n, 0, 3 * want + 4);
        for (int j = 0; j < tics.n; j++) {
            double place = scale_place(&scale, tics.at[j]);
            assert_true(place > -1e-3 && place < 100.001);
            assert_true(j == 0 || tics.at[j] > tics.at[j - 1]);
            assert_true(j == 0 || strcmp(tics.label[j], tics.label[j - 1]) != 0);
        }
        if (high / low > 2 && !is_log)
            assert_in_range(tics.n, 1, LAYOUT_TICS);
    }
}

static void every_log_axis_of_a_decade_has_tics(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (int i = 0; i < 1000; i++) {
        double low = exp(20 * rng_uniform(&rng) - 10);
        struct scale scale = {
            .low = low, .high = low * (10 + 1e5 * rng_uniform(&rng)), .log = true, .end = 1};
        struct tics tics;
        layout_tics(&scale, 4, &tics);
        assert_true(tics.n >= 1);
    }
}

static void names_with_room_never_cover_one_another(void **state)
{
    (void)state;
    enum { NAMES = 24 };
    struct rng rng;
    rng_init(&rng, 3);
    struct box area = {0, 900, 0, 600};
    for (int i = 0; i < 40; i++) {
        struct place places[NAMES] = {{0}};
        for (int j = 0; j < NAMES; j++)
            places[j] = (struct place){.x = 900 * rng_uniform(&rng),
                                       .y = 600 * rng_uniform(&rng),
                                       .width = 40 + 80 * rng_uniform(&rng),
                                       .height = 13,
                                       .reach = 4};
        layout_places(&area, NULL, 0, false, places, NAMES);
        for (int j = 0; j < NAMES; j++) {
            const struct box *box = &places[j].box;
            assert_false(places[j].crowded);
            assert_true(box->x0 >= 0 && box->x1 <= 900 && box->y0 >= 0 && box->y1 <= 600);
            for (int k = 0; k < j; k++)
                assert_true(box_overlap(box, &places[k].box) <= 0);
        }
    }
}

static void spread_rows_keep_their_order_and_distance(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int i = 0; i < 500; i++) {
        enum { ROWS = 12 };
        double y[ROWS], before[ROWS];
        for (int j = 0; j < ROWS; j++)
            before[j] = y[j] = 300 * rng_uniform(&rng);
        layout_spread(y, ROWS, 15, 0, 300);
        for (int j = 0; j < ROWS; j++) {
            assert_true(y[j] > 7.4 && y[j] < 292.6);
            for (int k = 0; k < j; k++) {
                assert_true(fabs(y[j] - y[k]) > 15 - 1e-6);
                assert_true((y[j] > y[k]) == (before[j] > before[k]));
            }
        }
    }
}

static void rows_with_room_stay_where_they_are(void **state)
{
    (void)state;
    double y[] = {100, 20, 60};
    layout_spread(y, 3, 15, 0, 120);
    assert_float_equal(y[0], 100, 1e-9);
    assert_float_equal(y[1], 20, 1e-9);
    assert_float_equal(y[2], 60, 1e-9);
}

static void wrapped_lines_fit_and_lose_no_word(void **state)
{
    (void)state;
    const char *text = "iphone-13, budget 125M, f16: some words of different length to be wrapped";
    for (double width = 60; width < 700; width += 7) {
        char all[256] = "";
        for (const char *rest = text; *rest; rest += strspn(rest, " ")) {
            size_t length = layout_wrap(rest, 12, width, false);
            char line[256] = "";
            assert_true(length > 0);
            memcpy(line, rest, length);
            assert_true(layout_text_width(line, 12, false) <= width || !strchr(line, ' '));
            strcat(all, all[0] ? " " : "");
            strcat(all, line);
            rest += length;
        }
        assert_string_equal(all, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tics_are_few_ordered_inside_and_told_apart),
        cmocka_unit_test(every_log_axis_of_a_decade_has_tics),
        cmocka_unit_test(names_with_room_never_cover_one_another),
        cmocka_unit_test(spread_rows_keep_their_order_and_distance),
        cmocka_unit_test(rows_with_room_stay_where_they_are),
        cmocka_unit_test(wrapped_lines_fit_and_lose_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
