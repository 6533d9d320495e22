/* The law of loss: derivatives, the fit's numbers, what it says of rows kept back, its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "quality/rivals.h"
#include "quality/splits.h"
#include "tests/quality_fixture.h"

static struct quality_runs runs;
static struct quality_law law;

static int setup(void **state)
{
    (void)state;
    read_published_runs(&runs);
    fit_published(&runs, NULL, &quality_floors, &law);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    quality_runs_release(&runs);
    return 0;
}

static void test_derivatives(void **state)
{
    const struct quality_form *forms[1 + N_QUALITY_RIVALS] = {&quality_floors};
    (void)state;
    memcpy(forms + 1, quality_rivals, sizeof quality_rivals);
    for (size_t f = 0; f < 1 + N_QUALITY_RIVALS; f++) {
        const struct quality_form *form = forms[f];
        double shared[QUALITY_SHARED], own[QUALITY_OWN], gradient[QUALITY_LOCAL];
        for (int k = 0; k < form->n_shared; k++)
            shared[k] = form->shared[k].mean * 1.1;
        for (int k = 0; k < form->n_own; k++)
            own[k] = form->own[k].mean * 0.9;
        for (size_t i = 0; i < runs.n; i += 37) {
            struct quality_point point;
            quality_point_of(&law, 0, &runs.items[i].shape, runs.items[i].tokens, &point);
            form->loss(&law, shared, own, &point, gradient);
            for (int k = 0; k < form->n_shared + form->n_own; k++) {
                double *at = k < form->n_shared ? &shared[k] : &own[k - form->n_shared];
                double was = *at, step = 1e-6;
                *at = was + step;
                double above = form->loss(&law, shared, own, &point, NULL);
                *at = was - step;
                double below = form->loss(&law, shared, own, &point, NULL);
                *at = was;
                double expected = (above - below) / (2 * step);
                assert_true(fabs(gradient[k] - expected) < 1e-6 * (1 + fabs(expected)));
            }
        }
    }
}

/* An independent implementation in another language gave these. */
static const double fitted[] = {
    0.074462, -1.353758, -1.564286,                      /* alpha, ln w, ln d */
    0.702123, 0.440799,  -1.076698, -0.485092, 0.166634, /* gemstones */
    0.697975, 0.393103,  -0.969682, -0.585934, 0.149527, /* -cooled */
    0.677990, 0.429258,  -0.757193, -0.596478, 0.144926, /* -half */
    0.820081, 0.381639,  -1.526761, -0.509152, 0.105476, /* misfitting */
    1.085082, 0.351976,  -0.946819, -0.201193, 0.049118, /* morph */
    0.430534, 0.209611,  -1.301996, -1.079291, 0.200005, /* steplaw */
};
static const double spreads[] = {
    0.003138, 0.044792, 0.047242, 0.066509, 0.035003, 0.038388, 0.079622, 0.014670,
};

static void test_fit_of_all_rows(void **state)
{
    (void)state;
    int n = quality_n_theta(&law);
    assert_int_equal(n, 33);
    assert_int_equal(law.rows, 532);
    assert_true(fabs(law.cost - 90.5038) < 1e-3);
    for (int i = 0; i < n; i++)
        assert_true(fabs(law.theta[i] - fitted[i]) < 2e-4 * fmax(1, fabs(fitted[i])));
    for (int i = 0; i < 8; i++)
        assert_true(fabs(sqrt(law.covariance[i * n + i]) - spreads[i]) < 2e-5);
    assert_string_equal(law.recipes[0].name, "gemstones");
    assert_int_equal(law.recipes[0].rows, 160);
    assert_int_equal(law.recipes[0].shapes, 16);
    assert_true(fabs(law.recipes[0].error_frac - 0.00164) < 1e-5);
    assert_false(law.recipes[3].gated);
}

static struct quality_shape gemstones_shape(double width, double layers)
{
    double heads = width / 128, kv = width == 384 ? 1 : fmax(1, floor(heads / 2));
    return (struct quality_shape){.d_model = width,
                                  .n_layers = layers,
                                  .repeats = 1,
                                  .n_heads = heads,
                                  .n_kv_heads = kv,
                                  .d_head = 128,
                                  .d_ff = 4 * width,
                                  .vocab = 50304,
                                  .gated = true};
}

static struct quality_shape full_heads(double width, double layers, double d_ff, bool gated)
{
    return (struct quality_shape){.d_model = width,
                                  .n_layers = layers,
                                  .repeats = 1,
                                  .n_heads = width / 64,
                                  .n_kv_heads = width / 64,
                                  .d_head = 64,
                                  .d_ff = d_ff,
                                  .vocab = 50432,
                                  .gated = gated};
}

static void test_rows_and_pairs(void **state)
{
    const struct {
        const char *recipe;
        struct quality_shape shape;
        double tokens, loss, half_percent;
    } rows[] = {
        {"gemstones", gemstones_shape(256, 23), 10003415040, 3.61158, 0.537485},
        {"gemstones", gemstones_shape(1024, 28), 100034150400, 2.77157, 0.53206},
        {"gemstones", gemstones_shape(2048, 32), 350e9, 2.48031, 1.01962},
        {"gemstones", gemstones_shape(3072, 12), 200e9, 2.57156, 0.892802},
        {"gemstones-cooled", gemstones_shape(768, 45), 99027517440, 2.72259, 0.540259},
        {"gemstones-half", gemstones_shape(1792, 7), 50e9, 2.94152, 0.531549},
        {"morph", full_heads(1024, 16, 2816, true), 49392123904, 3.0991, 0.518736},
        {"morph", full_heads(2048, 24, 5632, true), 30e9, 2.88838, 0.525569},
        {"misfitting", full_heads(1792, 26, 7168, false), 20971520000, 2.69679, 0.614395},
        {"misfitting", full_heads(448, 5, 1792, false), 4194304000, 3.67179, 0.576012},
    };
    const struct {
        int a, b;
        double difference, sd;
    } pairs[] = {{0, 1, 0.264733, 0.004602},
                 {1, 2, 0.111028, 0.005658},
                 {2, 3, -0.036130, 0.006264},
                 {6, 7, 0.070417, 0.004022},
                 {8, 9, -0.308617, 0.005321}};
    struct quality_prediction predicted[10];
    (void)state;
    for (int i = 0; i < 10; i++) {
        int recipe = quality_find_recipe(&law, rows[i].recipe);
        quality_predict(&law, recipe, &rows[i].shape, rows[i].tokens, &predicted[i]);
        assert_true(fabs(predicted[i].loss_nats - rows[i].loss) < 2e-5);
        assert_true(fabs(164.5 * predicted[i].sd - rows[i].half_percent) < 2e-4);
        assert_true(predicted[i].low_nats < rows[i].loss && rows[i].loss < predicted[i].high_nats);
    }
    /* far beyond the data the interval grows and is marked */
    assert_int_equal(predicted[0].outside, 0);
    assert_true(predicted[2].outside & QUALITY_PARAMS);
    for (int i = 0; i < 5; i++) {
        struct quality_difference d;
        const struct quality_prediction *a = &predicted[pairs[i].a], *b = &predicted[pairs[i].b];
        quality_compare(&law, a, b, &d);
        double mean = sqrt(a->loss_nats * b->loss_nats);
        assert_true(fabs(log(a->loss_nats / b->loss_nats) - pairs[i].difference) < 1e-5);
        assert_true(d.nats == a->loss_nats - b->loss_nats);
        assert_true(fabs(d.sd_nats / mean - pairs[i].sd) < 1e-5);
        assert_true((d.probability > 0.5) == (d.nats < 0));
        assert_false(d.indistinguishable);
    }
}

static void test_rows_kept_back(void **state)
{
    struct quality_marks marks;
    struct err err = {""};
    bool *kept = memory_new(runs.n, sizeof *kept);
    (void)state;
    quality_kept_back(&runs, kept);
    assert_int_equal(quality_judge(&runs, &quality_floors, kept, kept, &marks, &err), STATUS_OK);
    assert_int_equal(marks.n, 303);
    assert_int_equal(marks.total.n_apart, 422);
    assert_int_equal(marks.blocks.n_apart, 201);
    assert_true(fabs(marks.error_frac - 0.002969) < 1e-6);
    assert_true(fabs(marks.cover_frac - 0.9604) < 1e-4);
    assert_true(fabs(marks.total.order_frac - 0.9929) < 1e-4);
    assert_true(fabs(marks.blocks.order_frac - 0.9900) < 1e-4);
    memory_free(kept);
}

static const struct quality_marks *split(const struct quality_split *splits, int n,
                                         const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(splits[i].name, name) == 0)
            return &splits[i].marks;
    fail_msg("no split '%s'", name);
    return NULL;
}

static void test_bars(void **state)
{
    struct quality_split ours[MAX_QUALITY_SPLITS], rival[MAX_QUALITY_SPLITS];
    struct err err = {""};
    int n = 0;
    (void)state;
    assert_int_equal(quality_splits(&runs, &quality_floors, 1, ours, &n, &err), STATUS_OK);
    const struct quality_marks *kept = split(ours, n, "kept back");
    assert_true(kept->error_frac < 0.004);
    assert_true(kept->cover_frac > 0.85 && kept->cover_frac < 0.97);
    assert_true(kept->total.order_frac > 0.98 && kept->blocks.order_frac > 0.98);
    assert_true(kept->total.right_frac > 0.97 && kept->blocks.right_frac > 0.97);
    assert_true(fabs(split(ours, n, "larger only")->error_frac - 0.0031) < 1e-4);
    assert_true(fabs(split(ours, n, "longer only")->error_frac - 0.0022) < 1e-4);
    assert_true(fabs(split(ours, n, "one shape left out")->error_frac - 0.0023) < 1e-4);
    const struct quality_marks *fresh = split(ours, n, "mean of new recipes");
    assert_true(fresh->error_frac < 0.01);
    assert_true(fresh->cover_frac > 0.85 && fresh->cover_frac < 0.97);
    assert_true(fresh->total.order_frac > 0.97 && fresh->blocks.order_frac > 0.98);
    assert_true(fresh->total.right_frac > 0.97 && fresh->blocks.right_frac > 0.97);
    /* published forms on the same rows: none is as near, kept back or new */
    for (int i = 0; i < N_QUALITY_RIVALS; i++) {
        assert_int_equal(quality_splits(&runs, quality_rivals[i], 1, rival, &n, &err), STATUS_OK);
        assert_true(split(rival, n, "kept back")->error_frac > 2 * kept->error_frac);
        assert_true(split(rival, n, "mean of new recipes")->error_frac > fresh->error_frac);
    }
    assert_int_equal(quality_splits(&runs, NULL, 1, rival, &n, &err), STATUS_OK);
    assert_true(fabs(split(rival, n, "kept back")->total.order_frac - 0.872) < 1e-3);
    assert_true(fabs(split(rival, n, "kept back")->blocks.order_frac - 0.766) < 1e-3);
}

/* The posterior as a prior for a recipe's runs says what one fit of everything says. */
static void test_sequential_is_joint(void **state)
{
    static struct quality_law base, joint, sequential;
    struct err err = {""};
    bool *others = memory_new(runs.n, sizeof *others), *all = memory_new(runs.n, sizeof *all);
    bool *own = memory_new(runs.n, sizeof *own);
    int given = 0;
    (void)state;
    for (size_t i = 0; i < runs.n; i++) {
        others[i] = strcmp(runs.items[i].recipe, "morph") != 0;
        own[i] = !others[i] && i % 7 == 0 && given++ < 3;
        all[i] = others[i] || own[i];
    }
    fit_published(&runs, others, &quality_floors, &base);
    fit_published(&runs, all, &quality_floors, &joint);
    sequential = base;
    assert_int_equal(quality_fit(runs.items, own, runs.n, &base, &sequential, &err), STATUS_OK);
    assert_int_equal(quality_find_recipe(&sequential, "morph"), base.n_recipes);
    for (size_t i = 0; i < runs.n; i++) {
        struct quality_prediction a, b;
        if (others[i])
            continue;
        const struct quality_run *run = &runs.items[i];
        quality_predict(&joint, quality_find_recipe(&joint, "morph"), &run->shape, run->tokens, &a);
        quality_predict(&sequential, base.n_recipes, &run->shape, run->tokens, &b);
        assert_true(fabs(log(a.loss_nats / b.loss_nats)) < 2e-4);
        assert_true(fabs(a.sd - b.sd) < 1e-4);
    }
    memory_free(others);
    memory_free(all);
    memory_free(own);
}

/* A recipe without losses: wide level, and a difference whose level does not matter. */
static void test_no_recipe(void **state)
{
    struct quality_prediction narrow, deep;
    struct quality_difference d;
    const struct quality_shape a = full_heads(768, 12, 2048, true);
    const struct quality_shape b = full_heads(512, 30, 1536, true);
    (void)state;
    quality_predict(&law, QUALITY_NO_RECIPE, &a, 1e12, &narrow);
    quality_predict(&law, QUALITY_NO_RECIPE, &b, 1e12, &deep);
    quality_compare(&law, &narrow, &deep, &d);
    assert_true(narrow.high_nats - narrow.low_nats > 0.5);
    assert_true(d.high_nats - d.low_nats < 0.15);
    assert_true(d.nats > 0);
}

static void read_law_text(char **text)
{
    int64_t length;
    assert_int_equal(file_read(QUALITY_DATA "/law.json", 1 << 20, text, &length, NULL), STATUS_OK);
}

static void test_file(void **state)
{
    static struct quality_law shipped, rounded;
    (void)state;
    read_shipped_law(&shipped);
    rounded = law;
    quality_law_round(&rounded);
    int n = quality_n_theta(&shipped);
    assert_int_equal(n, 33);
    assert_memory_equal(shipped.theta, rounded.theta, (size_t)n * sizeof *shipped.theta);
    assert_memory_equal(shipped.covariance, rounded.covariance,
                        (size_t)(n * n) * sizeof *shipped.covariance);
    assert_memory_equal(&shipped.constants, &rounded.constants, sizeof shipped.constants);
    assert_true(shipped.has_layer_score);
    assert_true(shipped.held_out_error_frac < 0.004);
    assert_non_null(strstr(shipped.recipes[0].source, "gemstone-scaling-laws"));
}

static void expect_refusal(const char *from, const char *to, const char *message)
{
    static struct quality_law read;
    struct err err = {""};
    char *text = NULL;
    read_law_text(&text);
    const char *at = strstr(text, from);
    char *changed = memory_new(strlen(text) + strlen(to) + 1, 1);
    assert_non_null(at);
    memcpy(changed, text, (size_t)(at - text));
    strcat(changed, to);
    strcat(changed, at + strlen(from));
    assert_int_not_equal(quality_law_parse("law", changed, &read, NULL, &err), STATUS_OK);
    if (strstr(err.message, message) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, message);
    memory_free(text);
    memory_free(changed);
}

static void test_file_refusals(void **state)
{
    (void)state;
    expect_refusal("lathe-quality-law", "lathe-device", "is no law of loss");
    expect_refusal("\"version\": 1", "\"version\": 2", "version");
    expect_refusal("\"kind\": \"floors\"", "\"kind\": \"sum\"", "unknown kind of law 'sum'");
    expect_refusal("\"alpha\"", "\"alfa\"", "alfa");
    expect_refusal("\"ln_w\"", "\"_ln_w\"", "ln_w");
    expect_refusal("\"ffn\": \"gated\"", "\"ffn\": \"dense\"", "expected 'gated' or 'plain'");
    expect_refusal("\"gemstones-half\"", "\"gemstones\"", "is there twice");
    expect_refusal("\"width_exponent\": {", "\"width\": {", "width");
}

static void test_out_of_memory(void **state)
{
    static struct quality_law out;
    (void)state;
    for (int64_t n = 1;; n++) {
        struct quality_runs read = {0};
        struct err err = {""};
        out = (struct quality_law){.form = &quality_floors};
        quality_constants_default(&out.constants);
        memory_fail_after(n);
        const char *const path = QUALITY_DATA "/steplaw.csv";
        enum status status = quality_runs_read(&path, 1, QUALITY_TO_FIT, NULL, &read, NULL, &err);
        if (status == STATUS_OK)
            status = quality_fit(read.items, NULL, read.n, NULL, &out, &err);
        memory_fail_after(-1);
        quality_runs_release(&read);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives),    cmocka_unit_test(test_fit_of_all_rows),
        cmocka_unit_test(test_rows_and_pairs), cmocka_unit_test(test_rows_kept_back),
        cmocka_unit_test(test_bars),           cmocka_unit_test(test_sequential_is_joint),
        cmocka_unit_test(test_no_recipe),      cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_refusals),  cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
