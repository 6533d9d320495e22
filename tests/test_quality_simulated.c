/* Runs drawn from the law itself: the fit finds a recipe's coefficients again, and nine of ten
 * intervals hold what they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <math.h>

#include "base/stats.h"
#include "quality/law_interval.h"
#include "tests/quality_fixture.h"

enum { SEEDS = 40, GIVEN = 8, ASKED = 5 };

static const double given_runs[GIVEN][3] = {/* width, layers, tokens */
                                            {384, 12, 2e9},  {512, 12, 5e9},  {640, 10, 10e9},
                                            {512, 24, 10e9}, {768, 12, 20e9}, {448, 30, 5e9},
                                            {384, 24, 20e9}, {640, 20, 40e9}};
static const double asked_runs[ASKED][3] = {
    {512, 16, 50e9}, {768, 24, 50e9}, {1024, 24, 100e9}, {1024, 12, 30e9}, {512, 40, 10e9}};

static struct quality_run run_of(const double row[3])
{
    struct quality_run run = {.recipe = "simulated", .tokens = row[2], .accuracy = NAN};
    run.shape = (struct quality_shape){.d_model = row[0],
                                       .n_layers = row[1],
                                       .repeats = 1,
                                       .n_heads = row[0] / 64,
                                       .n_kv_heads = row[0] / 64,
                                       .d_head = 64,
                                       .d_ff = row[0] * 8 / 3,
                                       .vocab = 32000,
                                       .gated = true};
    return run;
}

/* The loss that `truth` gives, with a run's and a shape's own error. */
static void set_loss(const struct quality_law *truth, struct quality_run *run, struct rng *rng)
{
    const double *c = truth->constants.value;
    struct quality_point point;
    quality_point_of(truth, truth->n_recipes - 1, &run->shape, run->tokens, &point);
    run->loss = quality_loss(truth, truth->n_recipes - 1, &point, NULL) *
                exp(c[QUALITY_RUN] * rng_normal(rng) + c[QUALITY_SHAPE] * rng_normal(rng));
}

static void test_offsets_and_coverage(void **state)
{
    static struct quality_law shipped, truth, found;
    int covered = 0, own_covered[QUALITY_OWN] = {0};
    struct err err = {""};
    (void)state;
    read_shipped_law(&shipped);
    for (int seed = 0; seed < SEEDS; seed++) {
        struct quality_run given[GIVEN];
        struct rng rng;
        rng_init(&rng, (uint64_t)seed);
        truth = shipped;
        truth.recipes[truth.n_recipes] =
            (struct quality_recipe){.name = "simulated", .gated = true, .rows = 1};
        double *own = truth.theta + 3 + 5 * truth.n_recipes++;
        for (int k = 0; k < 5; k++)
            own[k] = quality_floors.own[k].mean + quality_floors.own[k].sd * rng_normal(&rng);
        for (int i = 0; i < GIVEN; i++) {
            given[i] = run_of(given_runs[i]);
            given[i].group = i;
            set_loss(&truth, &given[i], &rng);
        }
        found = shipped;
        assert_int_equal(quality_fit(given, NULL, GIVEN, &shipped, &found, &err), STATUS_OK);
        int recipe = quality_find_recipe(&found, "simulated"), n = quality_n_theta(&found);
        for (int k = 0; k < 5; k++) {
            int at = 3 + 5 * recipe + k;
            double sd = sqrt(found.covariance[at * n + at]);
            own_covered[k] += fabs(found.theta[at] - own[k]) < QUALITY_Z90 * sd ? 1 : 0;
        }
        for (int i = 0; i < ASKED; i++) {
            struct quality_run asked = run_of(asked_runs[i]);
            struct quality_prediction p;
            set_loss(&truth, &asked, &rng);
            quality_predict(&found, recipe, &asked.shape, asked.tokens, &p);
            covered += p.low_nats < asked.loss && asked.loss < p.high_nats ? 1 : 0;
        }
    }
    assert_in_range(covered, 0.85 * SEEDS * ASKED, SEEDS * ASKED);
    for (int k = 0; k < 5; k++)
        assert_in_range(own_covered[k], 0.8 * SEEDS, SEEDS);
}

/* Many runs without error: the coefficients themselves come back. */
static void test_exact_runs(void **state)
{
    static struct quality_law shipped, truth, found;
    static struct quality_run given[96];
    static const double own[] = {0.9, 0.45, -1.0, -0.5, 0.13};
    struct err err = {""};
    size_t n = 0;
    (void)state;
    read_shipped_law(&shipped);
    truth = shipped;
    truth.recipes[truth.n_recipes++] = (struct quality_recipe){.name = "simulated", .gated = true};
    for (int k = 0; k < 5; k++)
        truth.theta[quality_n_theta(&truth) - 5 + k] = own[k];
    for (double width = 256; width <= 1536; width += 256)
        for (double layers = 6; layers <= 24; layers += 6)
            for (double tokens = 2e9; tokens < 2e12; tokens *= 8) {
                const double row[] = {width, layers, tokens};
                struct quality_point point;
                given[n] = run_of(row);
                given[n].group = (int)n;
                quality_point_of(&truth, truth.n_recipes - 1, &given[n].shape, tokens, &point);
                given[n].loss = quality_loss(&truth, truth.n_recipes - 1, &point, NULL);
                n++;
            }
    found = shipped;
    assert_int_equal(quality_fit(given, NULL, n, &shipped, &found, &err), STATUS_OK);
    for (int k = 0; k < 5; k++)
        assert_true(fabs(found.theta[quality_n_theta(&found) - 5 + k] - own[k]) < 0.03);
}

/* Accuracies tell how networks differ, not where their losses lie. */
static void test_accuracies(void **state)
{
    static struct quality_law shipped, found;
    struct quality_run given[GIVEN];
    struct err err = {""};
    (void)state;
    read_shipped_law(&shipped);
    for (int i = 0; i < GIVEN; i++) {
        struct quality_point point;
        given[i] = run_of(given_runs[i]);
        given[i].group = i;
        given[i].loss = NAN;
        quality_point_of(&shipped, QUALITY_NO_RECIPE, &given[i].shape, given[i].tokens, &point);
        given[i].accuracy = 45 - 22 * (quality_loss(&shipped, QUALITY_NO_RECIPE, &point, NULL) - 3);
    }
    found = shipped;
    assert_int_equal(quality_fit(given, NULL, GIVEN, &shipped, &found, &err), STATUS_OK);
    const struct quality_recipe *recipe = &found.recipes[found.n_recipes - 1];
    assert_true(recipe->accuracies);
    assert_int_equal(recipe->rows, GIVEN);
    assert_true(recipe->error_frac < 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets_and_coverage),
        cmocka_unit_test(test_exact_runs),
        cmocka_unit_test(test_accuracies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
