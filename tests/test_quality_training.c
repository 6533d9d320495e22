/* Score per layer, training's cost, and which runs to train next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/csv.h"
#include "quality/next_runs.h"
#include "tests/quality_fixture.h"

/* The first three rows of the table, by an independent implementation. */
static void test_layer_score(void **state)
{
    static const struct scored_layer first[] = {
        {0, 0, 0, 0, 2560}, {0, 0, 0, 0, 2560}, {12, 6, 128, 480, 512}, {3, 3, 448, 512, 1536}};
    struct layer_score score;
    struct err err = {""};
    (void)state;
    assert_int_equal(layer_score_fit(QUALITY_DATA "/llmforge.csv", &score, &err), STATUS_OK);
    assert_int_equal(score.rows, 1371);
    assert_true(fabs(score.intercept + 0.290547) < 2e-5);
    assert_true(fabs(score.first[0][1] + 0.264617) < 2e-5);
    assert_in_range(1000 * score.spearman, 675, 705);
    assert_in_range(1000 * score.pairs_right_frac, 790, 815);
    assert_in_range(1000 * score.spearman_of_params, 270, 310);
    double sum = score.intercept;
    for (int i = 0; i < 4; i++)
        sum += layer_score_add(&score, 768, i, &first[i]);
    assert_true(fabs(sum + 0.511120) < 2e-5);
}

static void test_paper_recipe(void **state)
{
    static const struct {
        double width, layers, heads, kv, d_ff, days;
    } models[] = {{576, 30, 9, 3, 1536, 3},
                  {960, 32, 15, 5, 2560, 6},
                  {1152, 40, 18, 6, 3072, 8},
                  {1280, 54, 20, 5, 3584, 12},
                  {1600, 54, 25, 5, 4352, 18}};
    const struct training_gpu *a100 = NULL;
    struct err err = {""};
    (void)state;
    assert_true(training_tokens(&training_paper) == 1006632960000.0);
    assert_true(training_tokens(&training_paper_exploration) == 251658240000.0);
    assert_int_equal(training_gpu_find("a100", &a100, &err), STATUS_OK);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const struct quality_shape shape = {.d_model = models[i].width,
                                            .n_layers = models[i].layers,
                                            .repeats = 1,
                                            .n_heads = models[i].heads,
                                            .n_kv_heads = models[i].kv,
                                            .d_head = 64,
                                            .d_ff = models[i].d_ff,
                                            .vocab = 32000,
                                            .gated = true,
                                            .tied = true};
        struct training_cost cost;
        training_cost_of(&shape, training_tokens(&training_paper), a100, &cost);
        assert_true(fabs(training_days(&cost, 32) / models[i].days - 1) < 0.02);
        assert_false(cost.outside);
        assert_true(cost.utilisation_frac > 0.25 && cost.utilisation_frac < 0.65);
        assert_true(fabs(cost.flop / (6 * quality_total_params(&shape) * 1006632960000.0) - 1) <
                    1e-9);
    }
    assert_int_equal(training_gpu_find("b200", &a100, &err), STATUS_NOT_FOUND);
}

static void test_repeats_cost(void **state)
{
    struct quality_shape shape = quality_paper_shape(512, 16, 32000, true);
    struct training_cost once, twice;
    (void)state;
    training_cost_of(&shape, 1e10, &training_gpus[0], &once);
    shape.repeats = 2;
    training_cost_of(&shape, 1e10, &training_gpus[0], &twice);
    assert_true(fabs(twice.flop - once.flop - 6 * quality_block_params(&shape) * 1e10) < 1e6);
}

static void test_next_runs(void **state)
{
    static struct quality_law law, fitted;
    struct quality_plan plan = {.total_params = 125e6, .tokens = 1e12, .vocab = 32000};
    struct quality_next_run picked[3];
    struct quality_run runs[3];
    struct err err = {""};
    int n = 0;
    (void)state;
    read_shipped_law(&law);
    assert_int_equal(
        quality_next_runs(&law, NULL, &training_gpus[0], 100, &plan, 3, picked, &n, &err),
        STATUS_OK);
    assert_int_equal(n, 3);
    assert_true(plan.n_contenders > 8);
    assert_true(plan.contenders_gpu_hours > 1e4);
    for (int i = 0; i < n; i++) {
        assert_true(picked[i].cost.gpu_hours <= 100);
        assert_true(i == 0 || picked[i].half_nats < picked[i - 1].half_nats);
    }
    assert_true(picked[2].half_nats < plan.half_nats);
    /* what the probe promises is what the fit of such runs gives */
    for (int i = 0; i < n; i++) {
        struct quality_point point;
        runs[i] = (struct quality_run){.recipe = "mine", .shape = picked[i].shape, .group = i};
        runs[i].tokens = picked[i].tokens;
        quality_point_of(&law, QUALITY_NO_RECIPE, &runs[i].shape, runs[i].tokens, &point);
        runs[i].loss = quality_loss(&law, QUALITY_NO_RECIPE, &point, NULL);
    }
    fitted = law;
    assert_int_equal(quality_fit(runs, NULL, 3, &law, &fitted, &err), STATUS_OK);
    struct quality_plan after = plan;
    assert_int_equal(
        quality_next_runs(&fitted, "mine", &training_gpus[0], 1, &after, 0, picked, &n, &err),
        STATUS_OK);
    assert_int_equal(n, 0);
    assert_true(fabs(after.half_nats - picked[2].half_nats) < 1e-9);
}

static void test_given_contenders(void **state)
{
    static struct quality_law law;
    struct quality_plan plan = {.tokens = 1e12,
                                .vocab = 32000,
                                .n_given = 2,
                                .contenders = {quality_paper_shape(576, 30, 32000, false),
                                               quality_paper_shape(1024, 8, 32000, false)}};
    struct quality_prediction of[2];
    struct quality_difference difference;
    struct training_cost cost[2];
    struct quality_next_run picked[3];
    int n = 0;
    (void)state;
    read_shipped_law(&law);
    assert_int_equal(
        quality_next_runs(&law, NULL, &training_gpus[0], 100, &plan, 3, picked, &n, NULL),
        STATUS_OK);
    for (int i = 0; i < 2; i++) {
        quality_predict(&law, QUALITY_NO_RECIPE, &plan.contenders[i], 1e12, &of[i]);
        training_cost_of(&plan.contenders[i], 1e12, &training_gpus[0], &cost[i]);
    }
    quality_compare(&law, &of[0], &of[1], &difference);
    assert_int_equal(plan.n_contenders, 2);
    assert_true(fabs(plan.half_nats - (difference.high_nats - difference.nats)) < 1e-9);
    assert_true(plan.contenders_gpu_hours == cost[0].gpu_hours + cost[1].gpu_hours);
    assert_true(n == 3 && picked[2].half_nats < plan.half_nats);
}

static void test_no_next_run(void **state)
{
    static struct quality_law law;
    struct quality_plan plan = {.total_params = 125e6, .tokens = 1e12, .vocab = 32000};
    struct quality_next_run picked[1];
    struct err err = {""};
    int n = 7;
    (void)state;
    read_shipped_law(&law);
    assert_int_equal(
        quality_next_runs(&law, NULL, &training_gpus[0], 0.001, &plan, 1, picked, &n, &err),
        STATUS_OK);
    assert_int_equal(n, 0);
    plan.total_params = 1e5;
    assert_int_equal(
        quality_next_runs(&law, NULL, &training_gpus[0], 100, &plan, 1, picked, &n, &err),
        STATUS_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_score),      cmocka_unit_test(test_paper_recipe),
        cmocka_unit_test(test_repeats_cost),     cmocka_unit_test(test_next_runs),
        cmocka_unit_test(test_given_contenders), cmocka_unit_test(test_no_next_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
