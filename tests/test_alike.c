/* Groups of rows that cannot be told apart, on constructed cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

#include "base/stats.h"
#include "search/alike.h"
#include "tests/quality_fixture.h"

static struct quality_law law;

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return 0;
}

/* 125M parameters or so, at a depth; decode known to 4 %. */
static struct alike_row row(double layers, double decode_ns)
{
    struct alike_row out = {.decode_ns_low = decode_ns * 0.96,
                            .decode_ns_high = decode_ns * 1.04,
                            .has_loss = true,
                            .vocab = 32000};
    const struct quality_shape shape = {.d_model = 576 * sqrt(30 / layers),
                                        .n_layers = layers,
                                        .repeats = 1,
                                        .n_heads = 9,
                                        .n_kv_heads = 3,
                                        .d_head = 64,
                                        .d_ff = 1536 * sqrt(30 / layers),
                                        .vocab = 32000,
                                        .gated = true};
    quality_predict(&law, QUALITY_NO_RECIPE, &shape, 1e12, &out.loss);
    return out;
}

static void a_group_is_what_its_first_cannot_be_told_from(void **state)
{
    /* alike; alike in loss only; alike in decode only, loss far; like the third but not like the
     * second; alike again */
    struct alike_row rows[] = {row(30, 100), row(32, 101), row(31, 120),
                               row(2, 121),  row(30, 122), row(28, 125)};
    struct alike_place places[6];
    const size_t expected[] = {0, 0, 1, 2, 3, 3}, first[] = {0, 0, 2, 3, 4, 4};
    (void)state;
    assert_int_equal(alike_group(&law, rows, 6, NULL, places), 4);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(places[i].group, expected[i]);
        assert_int_equal(places[i].first, first[i]);
        assert_int_equal(isnan(places[i].loss_better_probability), first[i] == (size_t)i);
    }
    assert_true(places[1].loss_better_probability > 0.2 && places[1].loss_better_probability < 0.8);
    assert_int_equal(alike_group(&law, rows, 0, NULL, places), 0);
}

/* Each neighbour overlaps with the next, the chain's ends do not: groups end where the first does. */
static void a_chain_does_not_become_one_group(void **state)
{
    struct alike_row rows[6];
    struct alike_place places[6];
    (void)state;
    for (int i = 0; i < 6; i++)
        rows[i] = row(30, 100 * pow(1.05, i));
    assert_int_equal(alike_group(&law, rows, 6, NULL, places), 3);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(places[i].group, i / 2);
}

static void what_is_unknown_is_a_group_of_its_own(void **state)
{
    struct alike_row rows[] = {row(30, 100), row(30, 100), row(30, 100), row(30, 100)};
    struct alike_place places[4];
    (void)state;
    rows[1].decode_ns_low = rows[1].decode_ns_high = (double)NAN;
    rows[2].has_loss = false;
    rows[3].vocab = 50257;
    assert_int_equal(alike_group(&law, rows, 4, NULL, places), 4);
    rows[1] = rows[0];
    rows[0].vocab = rows[2].vocab = rows[1].vocab;
    rows[2].has_loss = rows[3].has_loss = false;
    assert_int_equal(alike_group(NULL, rows + 2, 2, NULL, places),
                     2); /* a run that compared no losses */
    assert_int_equal(alike_group(&law, rows, 2, NULL, places), 1);
}

static bool told_better(const struct alike_row *a, const struct alike_row *b)
{
    struct quality_difference difference;
    quality_compare(&law, &a->loss, &b->loss, &difference);
    return difference.nats < 0 && !difference.indistinguishable;
}

static bool overlap(const struct alike_row *a, const struct alike_row *b)
{
    return a->decode_ns_low <= b->decode_ns_high && b->decode_ns_low <= a->decode_ns_high;
}

/* Decode known to 4 %: 2 layers are as fast as 3 as far as can be told, and worse beyond doubt. */
static void who_is_as_fast_and_worse_is_outdone(void **state)
{
    struct alike_row rows[] = {row(24, 150), row(2, 100), row(3, 103), row(30, 152), row(4, 109)};
    struct alike_place places[5];
    size_t by[5];
    const size_t none = ALIKE_NONE;
    (void)state;
    assert_true(told_better(&rows[2], &rows[1]) && overlap(&rows[2], &rows[1]));
    assert_int_equal(alike_outdone(&law, rows, 5, by), 1);
    assert_int_equal(by[1], 2);
    for (size_t i = 0; i < 5; i++)
        assert_true(i == 1 || by[i] == none);
    assert_int_equal(alike_group(&law, rows, 5, by, places), 4);
    assert_true(places[1].group == none && places[1].first == none);
    assert_int_equal(places[2].group, 1);
    assert_int_equal(places[4].group, 3);
}

/* The step begins with the row that may be fastest, known badly, and reaches as far as its interval. */
static void a_step_begins_with_who_may_be_fastest(void **state)
{
    struct alike_row rows[] = {row(30, 152), row(30, 125), row(2, 200)};
    size_t by[3];
    (void)state;
    rows[0].decode_ns_low = 100;
    rows[0].decode_ns_high = 205;
    assert_true(overlap(&rows[0], &rows[2]) && !overlap(&rows[1], &rows[2]));
    assert_true(told_better(&rows[0], &rows[2]));
    assert_int_equal(alike_outdone(&law, rows, 3, by), 1);
    assert_int_equal(by[2], 0);
}

/* Each row is worth its time over the one before, the end is far slower than the start: the list
 * still begins as fast as can be told. */
static void a_chain_does_not_leave_its_slow_end_alone(void **state)
{
    struct alike_row rows[8];
    size_t by[8];
    const double layers[] = {2, 3, 4, 5, 6, 8, 10, 13};
    (void)state;
    for (int i = 0; i < 8; i++)
        rows[i] = row(layers[i], 100 * pow(1.05, i));
    for (int i = 0; i + 1 < 5; i++)
        assert_true(overlap(&rows[i], &rows[i + 1]) && told_better(&rows[i + 1], &rows[i]));
    alike_outdone(&law, rows, 8, by);
    assert_int_equal(by[0], 1);
    assert_true(by[1] == ALIKE_NONE);
    assert_int_equal(by[2], 3);
    assert_true(by[3] == ALIKE_NONE && by[7] == ALIKE_NONE);
}

static void what_is_unknown_is_not_outdone(void **state)
{
    struct alike_row rows[] = {row(2, 100), row(30, 100)};
    size_t by[2];
    (void)state;
    assert_int_equal(alike_outdone(&law, rows, 2, by), 1);
    rows[1].vocab = 50257;
    assert_int_equal(alike_outdone(&law, rows, 2, by), 0);
    rows[1].vocab = rows[0].vocab;
    rows[1].has_loss = false;
    assert_int_equal(alike_outdone(&law, rows, 2, by), 0);
    rows[1] = row(30, 100);
    rows[0].decode_ns_low = rows[0].decode_ns_high = (double)NAN;
    assert_int_equal(alike_outdone(&law, rows, 2, by), 0);
    assert_true(by[0] == ALIKE_NONE && by[1] == ALIKE_NONE);
    assert_int_equal(alike_outdone(NULL, rows, 0, by), 0);
}

enum { N_ROWS = 40 };

static void draw_rows(struct rng *rng, struct alike_row *rows)
{
    double error = 1 + 0.1 * rng_uniform(rng);
    for (int i = 0; i < N_ROWS; i++) {
        rows[i] = row(2 + floor(60 * rng_uniform(rng)), 100);
        double decode_ns = 100 + 100 * rng_uniform(rng);
        rows[i].decode_ns_low = decode_ns / error;
        rows[i].decode_ns_high = decode_ns * error;
        rows[i].vocab = rng_uniform(rng) < 0.2 ? 50257 : 32000;
    }
}

static void who_outdoes_is_listed_as_fast_and_better(void **state)
{
    struct rng rng;
    struct alike_row rows[N_ROWS], reversed[N_ROWS];
    size_t by[N_ROWS], back[N_ROWS], n_outdone = 0;
    (void)state;
    rng_init(&rng, 13);
    for (int round = 0; round < 200; round++) {
        draw_rows(&rng, rows);
        n_outdone += alike_outdone(&law, rows, N_ROWS, by);
        for (size_t i = 0; i < N_ROWS; i++) {
            bool has_lowest = true, is_near = false;
            reversed[N_ROWS - 1 - i] = rows[i];
            for (size_t k = 0; k < N_ROWS; k++)
                if (rows[k].vocab == rows[i].vocab) {
                    has_lowest = has_lowest && rows[i].loss.loss_nats <= rows[k].loss.loss_nats;
                    is_near = is_near || (by[k] == ALIKE_NONE && overlap(&rows[i], &rows[k]));
                }
            assert_true(is_near); /* a listed row is as fast as any, as far as can be told */
            if (by[i] == ALIKE_NONE)
                continue;
            assert_false(has_lowest);
            assert_true(by[by[i]] == ALIKE_NONE && rows[by[i]].vocab == rows[i].vocab);
            assert_true(overlap(&rows[by[i]], &rows[i]) && told_better(&rows[by[i]], &rows[i]));
        }
        alike_outdone(&law, reversed, N_ROWS, back);
        for (size_t i = 0; i < N_ROWS; i++)
            assert_int_equal(by[i] == ALIKE_NONE, back[N_ROWS - 1 - i] == ALIKE_NONE);
    }
    assert_true(n_outdone > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_what_its_first_cannot_be_told_from),
        cmocka_unit_test(a_chain_does_not_become_one_group),
        cmocka_unit_test(what_is_unknown_is_a_group_of_its_own),
        cmocka_unit_test(who_is_as_fast_and_worse_is_outdone),
        cmocka_unit_test(a_step_begins_with_who_may_be_fastest),
        cmocka_unit_test(a_chain_does_not_leave_its_slow_end_alone),
        cmocka_unit_test(what_is_unknown_is_not_outdone),
        cmocka_unit_test(who_outdoes_is_listed_as_fast_and_better),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
