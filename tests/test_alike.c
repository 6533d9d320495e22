/* Groups of rows that cannot be told apart, on constructed cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>

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
    assert_int_equal(alike_group(&law, rows, 6, places), 4);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(places[i].group, expected[i]);
        assert_int_equal(places[i].first, first[i]);
        assert_int_equal(isnan(places[i].loss_better_probability), first[i] == (size_t)i);
    }
    assert_true(places[1].loss_better_probability > 0.2 && places[1].loss_better_probability < 0.8);
    assert_int_equal(alike_group(&law, rows, 0, places), 0);
}

/* Each neighbour overlaps with the next, the chain's ends do not: groups end where the first does. */
static void a_chain_does_not_become_one_group(void **state)
{
    struct alike_row rows[6];
    struct alike_place places[6];
    (void)state;
    for (int i = 0; i < 6; i++)
        rows[i] = row(30, 100 * pow(1.05, i));
    assert_int_equal(alike_group(&law, rows, 6, places), 3);
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
    assert_int_equal(alike_group(&law, rows, 4, places), 4);
    rows[1] = rows[0];
    rows[0].vocab = rows[2].vocab = rows[1].vocab;
    rows[2].has_loss = rows[3].has_loss = false;
    assert_int_equal(alike_group(NULL, rows + 2, 2, places), 2); /* a run that compared no losses */
    assert_int_equal(alike_group(&law, rows, 2, places), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_what_its_first_cannot_be_told_from),
        cmocka_unit_test(a_chain_does_not_become_one_group),
        cmocka_unit_test(what_is_unknown_is_a_group_of_its_own),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
