/* The law, fitted without any MobileLLM figure, on the paper's tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "model/count.h"
#include "model/preset.h"
#include "model/transformer.h"
#include "quality/delta.h"
#include "quality/paper_check.h"
#include "quality/shape_of.h"
#include "tests/quality_fixture.h"

static struct quality_law law;

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return 0;
}

static void test_sweep(void **state)
{
    struct quality_sweep sweep;
    struct err err = {""};
    (void)state;
    assert_int_equal(quality_paper_sweep(&law, &sweep, &err), STATUS_OK);
    assert_true(fabs(sweep.spearman_125m - 0.917) < 1e-3);
    assert_true(fabs(sweep.spearman_350m - 0.855) < 1e-3);
    assert_true(fabs(sweep.left_out_points - 0.422) < 1e-3);
    assert_true(fabs(sweep.left_out_blocks_points - 0.509) < 1e-3);
    assert_true(fabs(sweep.slope + 22.07) < 0.01);
}

static void test_forty_comparisons(void **state)
{
    struct quality_comparison comparisons[MAX_QUALITY_COMPARISONS];
    struct err err = {""};
    int n = 0, of_forty = 0, inside = 0;
    (void)state;
    assert_int_equal(quality_paper_comparisons(&law, comparisons, &n, &err), STATUS_OK);
    for (int i = 0; i < n; i++) {
        of_forty += comparisons[i].of_roadmap ? 0 : 1;
        inside += !comparisons[i].of_roadmap && comparisons[i].inside ? 1 : 0;
    }
    assert_int_equal(n, 48);
    assert_int_equal(of_forty, 40);
    assert_int_equal(inside, 38);
}

/* Heads of 64, full, FFN of 8/3 width, the width whatever the total asks for. */
static struct quality_shape at_total(double total, double layers, double vocab, double tables)
{
    double low = 8, high = 30000;
    for (int i = 0; i < 80; i++) {
        double width = (low + high) / 2;
        bool above = vocab * width * tables + layers * 12 * width * width > total;
        high = above ? width : high;
        low = above ? low : width;
    }
    return (struct quality_shape){.d_model = low,
                                  .n_layers = layers,
                                  .repeats = 1,
                                  .n_heads = low / 64,
                                  .n_kv_heads = low / 64,
                                  .d_head = 64,
                                  .d_ff = 8 * low / 3,
                                  .vocab = vocab,
                                  .gated = true,
                                  .tied = tables < 2};
}

static int best_depth(double total, double tokens, double tables)
{
    double least = INFINITY;
    int best = 0;
    for (int layers = 2; layers <= 130; layers++) {
        struct quality_shape shape = at_total(total, layers, 32000, tables);
        struct quality_point point;
        quality_point_of(&law, QUALITY_NO_RECIPE, &shape, tokens, &point);
        double loss = quality_loss(&law, QUALITY_NO_RECIPE, &point, NULL);
        if (loss < least) {
            least = loss;
            best = layers;
        }
    }
    return best;
}

static void test_best_depths(void **state)
{
    (void)state;
    assert_int_equal(best_depth(134e6, 0.25e12, 2), 31);
    assert_int_equal(best_depth(125e6, 1e12, 2), 31);
    assert_int_equal(best_depth(125e6, 2.5e9, 2), 20);
    assert_int_equal(best_depth(125e6, 1e12, 1), 25);
    assert_int_equal(best_depth(380e6, 0.25e12, 2), 41);
}

static struct quality_shape shape(double width, double layers, double heads, double kv, double d_ff,
                                  double repeats, bool tied)
{
    return (struct quality_shape){.d_model = width,
                                  .n_layers = layers,
                                  .repeats = repeats,
                                  .n_heads = heads,
                                  .n_kv_heads = kv,
                                  .d_head = width / heads,
                                  .d_ff = d_ff,
                                  .vocab = 32000,
                                  .gated = true,
                                  .tied = tied};
}

static void test_differences_at_one_trillion(void **state)
{
    const struct quality_shape reference = shape(576, 30, 9, 3, 1536, 1, true);
    const struct {
        struct quality_shape shape;
        double nats, half;
    } rows[] = {
        {reference, 0, 0.01152},
        {shape(768, 12, 12, 12, 2048, 1, true), 0.03354, 0.04190},
        {shape(512, 30, 8, 8, 1536, 1, false), -0.00824, 0.03359},
        {shape(1280, 4, 20, 20, 3584, 1, false), 0.07893, 0.06273},
        {shape(384, 62, 6, 6, 1024, 1, false), -0.00097, 0.04868},
        {shape(576, 30, 9, 3, 1536, 2, true), -0.02263, 0.01984},
    };
    struct quality_question question;
    (void)state;
    quality_ask(&law, QUALITY_NO_RECIPE, 1e12, &reference, &question);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct quality_answer answer;
        quality_delta(&question, &rows[i].shape, &answer);
        assert_true(fabs(answer.difference.nats - rows[i].nats) < 3e-4);
        double half = (answer.difference.high_nats - answer.difference.low_nats) / 2;
        assert_true(fabs(half - rows[i].half) < 4e-4);
    }
    assert_true(quality_better(&question, &reference, &rows[3].shape) > 0.95);
    assert_true(fabs(quality_better(&question, &rows[1].shape, &rows[3].shape) +
                     quality_better(&question, &rows[3].shape, &rows[1].shape) - 1) < 1e-12);
}

static void test_preset_is_its_shape(void **state)
{
    const struct quality_shape expected = shape(576, 30, 9, 3, 1536, 1, true);
    struct transformer net;
    struct quality_shape got;
    struct err err = {""};
    struct param_count count;
    (void)state;
    assert_int_equal(preset_open("mobilellm-125m", &net, &err), STATUS_OK);
    assert_int_equal(quality_shape_of(&net, &got, &err), STATUS_OK);
    assert_true(got.d_model == expected.d_model && got.n_layers == expected.n_layers &&
                got.n_kv_heads == expected.n_kv_heads && got.d_ff == expected.d_ff && got.tied &&
                got.gated);
    transformer_count(&net, &count);
    assert_true(quality_block_params(&got) == (double)(count.attention + count.ffn));
    net.schedule = (struct schedule){SHARING_NONE, 30, 1, true};
    assert_int_equal(quality_shape_of(&net, &got, &err), STATUS_OK);
    transformer_count(&net, &count);
    assert_true(quality_block_params(&got) == (double)(count.attention + count.ffn));
    net.stack.first.mixer = MIXER_NONE;
    assert_int_equal(quality_shape_of(&net, &got, &err), STATUS_UNSUPPORTED);
    transformer_release(&net);
}

/* What a search asks is what the law says. */
static void test_pricer_is_the_law(void **state)
{
    struct quality_pricer pricer;
    (void)state;
    for (int recipe = QUALITY_NO_RECIPE; recipe < law.n_recipes; recipe++) {
        assert_int_equal(quality_pricer_init(&law, recipe, 3e11, 4096, &pricer, NULL), STATUS_OK);
        for (int layers = 1; layers <= 4096; layers += layers < 121 ? 8 : 663)
            for (int bits = 0; bits < 32; bits++) {
                struct quality_shape s = shape(448, layers, 7, bits & 1 ? 1 : 7, 1280, 1, bits & 2);
                struct quality_point point;
                struct quality_width width;
                struct quality_line line;
                s.weights = bits & 16 ? QUALITY_8_BIT_WEIGHTS : QUALITY_WIDE_WEIGHTS;
                s.shared_ffn = bits & 4;
                s.repeats = bits & 8 ? 3 : 1;
                s.gated = !(bits & 1);
                quality_point_of(&law, recipe, &s, 3e11, &point);
                quality_width_of(&pricer, &s, &width);
                struct quality_repeats repeats = quality_repeats_of(&pricer, s.repeats);
                quality_line_of(&pricer, &width, &repeats, s.tied, s.shared_ffn, &line);
                double fast = quality_price(&line, layers);
                assert_true(fabs(fast - quality_loss(&law, recipe, &point, NULL)) < 1e-12);
            }
        quality_pricer_release(&pricer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_forty_comparisons),
        cmocka_unit_test(test_best_depths),
        cmocka_unit_test(test_differences_at_one_trillion),
        cmocka_unit_test(test_preset_is_its_shape),
        cmocka_unit_test(test_pricer_is_the_law),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
