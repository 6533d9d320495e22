/* A law beside published forms, and over a user's own runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "quality/own_runs.h"
#include "quality/published_fit.h"
#include "quality/scores.h"
#include "tests/quality_fixture.h"

static struct quality_law shipped, law;
static struct quality_runs published;

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&shipped);
    read_published_runs(&published);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    quality_runs_release(&published);
    return 0;
}

/* Three runs of a recipe that no law knows. */
static void add_own(struct quality_runs *runs, double times)
{
    static const struct {
        double d_model, n_layers, tokens, loss;
    } own[] = {{256, 24, 5e9, 3.62}, {512, 12, 5e9, 3.35}, {512, 24, 20e9, 3.02}};
    for (int i = 0; i < 3; i++) {
        struct quality_run run = {
            .recipe = "mine",
            .shape = {.d_model = own[i].d_model,
                      .n_layers = own[i].n_layers,
                      .repeats = 1,
                      .n_heads = own[i].d_model / 64,
                      .n_kv_heads = own[i].d_model / 64,
                      .d_head = 64,
                      .d_ff = 3 * own[i].d_model,
                      .vocab = 32000,
                      .gated = true},
            .tokens = own[i].tokens,
            .loss = own[i].loss * (i == 0 ? times : 1),
            .accuracy = (double)NAN,
            .line = 2 + i,
        };
        assert_int_equal(quality_runs_add(runs, &run, NULL), STATUS_OK);
    }
    quality_runs_group(runs);
}

static void own_runs_add_their_recipe_to_the_law(void **state)
{
    struct quality_runs runs = {0};
    struct text notes = {0};
    (void)state;
    law = shipped;
    add_own(&runs, 1);
    assert_int_equal(quality_fit_own(&law, &runs, 0, NULL, "my runs", &notes, NULL), STATUS_OK);
    int mine = quality_find_recipe(&law, "mine");
    assert_int_equal(law.n_recipes, shipped.n_recipes + 1);
    assert_int_equal(mine, shipped.n_recipes);
    assert_string_equal(law.recipes[mine].source, "my runs");
    assert_string_equal(law.recipes[0].source, shipped.recipes[0].source);
    assert_null(notes.data);
    quality_runs_release(&runs);
}

static void a_run_behind_the_law_is_not_counted_again(void **state)
{
    struct quality_runs runs = {0};
    struct text notes = {0};
    (void)state;
    law = shipped;
    add_own(&runs, 1);
    assert_int_equal(quality_fit_own(&law, &runs, 0, NULL, "my runs", &notes, NULL), STATUS_OK);
    size_t first = runs.n;
    add_own(&runs, 1);
    runs.items[first].tokens = 6e9; /* one of three is new */
    assert_int_equal(quality_fit_own(&law, &runs, first, NULL, "more", &notes, NULL), STATUS_OK);
    assert_int_equal(runs.n, first + 1);
    assert_string_equal(notes.data,
                        "line 3: 2 runs from here to line 4 are behind the law already\n");
    assert_string_equal(law.recipes[shipped.n_recipes].source, "my runs");
    /* and the law stays as it is when all are known */
    const struct quality_law before = law;
    first = runs.n;
    assert_int_equal(quality_runs_add(&runs, &runs.items[0], NULL), STATUS_OK);
    assert_int_equal(quality_fit_own(&law, &runs, first, NULL, "again", &notes, NULL), STATUS_OK);
    assert_non_null(strstr(notes.data, "no run is new: the law stays as it is"));
    assert_int_equal(law.rows, before.rows);
    assert_memory_equal(law.theta, before.theta, sizeof before.theta);
    text_release(&notes);
    quality_runs_release(&runs);
}

static void a_published_run_is_behind_the_laws_that_were_fitted_to_all_of_them(void **state)
{
    struct quality_runs runs = {0};
    (void)state;
    law = shipped;
    assert_int_equal(quality_runs_add(&runs, &published.items[0], NULL), STATUS_OK);
    assert_int_equal(quality_fit_own(&law, &runs, 0, &published, "again", NULL, NULL), STATUS_OK);
    assert_int_equal(runs.n, 0);
    assert_int_equal(law.rows, shipped.rows);
    /* another checkpoint counts, but is no further shape, and the error is that of all rows */
    int recipe = quality_find_recipe(&law, published.items[0].recipe);
    struct quality_run more = published.items[0];
    more.tokens *= 0.97;
    assert_int_equal(quality_runs_add(&runs, &more, NULL), STATUS_OK);
    assert_int_equal(quality_fit_own(&law, &runs, 0, &published, "more", NULL, NULL), STATUS_OK);
    assert_int_equal(law.recipes[recipe].rows, shipped.recipes[recipe].rows + 1);
    assert_int_equal(law.recipes[recipe].shapes, shipped.recipes[recipe].shapes);
    assert_true(fabs(law.recipes[recipe].error_frac - shipped.recipes[recipe].error_frac) < 1e-4);
    /* a law of fewer rows may not have seen it */
    law = shipped;
    law.recipes[recipe].rows /= 2;
    runs.items[0] = published.items[0];
    assert_int_equal(quality_fit_own(&law, &runs, 0, &published, "new", NULL, NULL), STATUS_OK);
    assert_int_equal(runs.n, 1);
    quality_runs_release(&runs);
}

/* Accuracies alone leave the level of a recipe as unknown as it was; differences they tell. */
static void accuracies_tell_no_level(void **state)
{
    struct quality_runs runs = {0};
    struct quality_prediction said[3], unknown[3];
    (void)state;
    law = shipped;
    add_own(&runs, 1);
    quality_predict_runs(&law, &runs, unknown);
    for (size_t i = 0; i < runs.n; i++) {
        runs.items[i].loss = (double)NAN;
        runs.items[i].accuracy = 44 + (double)i;
    }
    assert_int_equal(quality_fit_own(&law, &runs, 0, NULL, "tasks", NULL, NULL), STATUS_OK);
    assert_true(law.recipes[shipped.n_recipes].accuracies);
    quality_predict_runs(&law, &runs, said);
    for (size_t i = 0; i < runs.n; i++)
        assert_true(log(said[i].high_nats / said[i].low_nats) >
                    0.7 * log(unknown[i].high_nats / unknown[i].low_nats));
    quality_runs_release(&runs);
}

static void a_loss_far_from_the_law_is_named_with_its_line(void **state)
{
    struct quality_runs runs = {0};
    struct text notes = {0};
    (void)state;
    law = shipped;
    add_own(&runs, 1.3);
    assert_int_equal(quality_fit_own(&law, &runs, 0, NULL, "my runs", &notes, NULL), STATUS_OK);
    assert_non_null(notes.data);
    assert_ptr_equal(strstr(notes.data, "line 2: a loss of 4.706 is "), notes.data);
    assert_non_null(strstr(notes.data, "% above what the law and the other rows say"));
    assert_null(strstr(notes.data, "line 3"));
    text_release(&notes);
    quality_runs_release(&runs);
}

static void the_law_comes_first_then_its_rivals_then_the_stand_in(void **state)
{
    struct quality_score scores[N_QUALITY_SCORES];
    struct quality_pairs pairs = {0};
    struct quality_marks own;
    struct quality_prediction *said = memory_new(published.n, sizeof *said);
    (void)state;
    assert_int_equal(quality_pairs_of(published.items, NULL, published.n, &pairs, NULL), STATUS_OK);
    quality_predict_runs(&shipped, &published, said);
    assert_int_equal(
        quality_score_forms(&shipped, &published, &published, said, &pairs, scores, NULL),
        STATUS_OK);
    quality_mark(&shipped, said, published.items, NULL, published.n, &pairs, &own);
    assert_ptr_equal(scores[0].form, shipped.form);
    assert_true(scores[0].marks.error_frac == own.error_frac);
    for (int i = 1; i < N_QUALITY_SCORES - 1; i++) {
        assert_ptr_equal(scores[i].form, quality_rivals[i - 1]);
        assert_int_equal(scores[i].marks.n, own.n);
        assert_true(scores[i].marks.error_frac > own.error_frac);
    }
    assert_null(scores[N_QUALITY_SCORES - 1].form);
    assert_true(isnan(scores[N_QUALITY_SCORES - 1].marks.error_frac)); /* it only orders */
    assert_true(scores[N_QUALITY_SCORES - 1].marks.blocks.order_frac > 0.5);
    quality_pairs_release(&pairs);
    memory_free(said);
}

static void rows_of_other_recipes_cannot_be_kept_back(void **state)
{
    struct quality_runs runs = {0};
    (void)state;
    law = (struct quality_law){.form = &quality_floors};
    quality_constants_default(&law.constants);
    assert_int_equal(quality_judge_kept_back(&published, &law, NULL), STATUS_OK);
    assert_true(fabs(law.held_out_error_frac - shipped.held_out_error_frac) < 1e-6);
    assert_true(fabs(law.held_out_cover_frac - shipped.held_out_cover_frac) < 1e-6);
    add_own(&runs, 1);
    assert_int_equal(quality_judge_kept_back(&runs, &law, NULL), STATUS_OK);
    assert_true(isnan(law.held_out_error_frac) && isnan(law.held_out_cover_frac));
    quality_runs_release(&runs);
}

static void a_folder_without_runs_gives_no_law(void **state)
{
    struct text notes = {0};
    struct err err = {""};
    (void)state;
    assert_int_not_equal(quality_fit_folder(LATHE_SOURCE_DIR "/data/devices", &law, &notes, &err),
                         STATUS_OK);
    assert_int_not_equal(strlen(err.message), 0);
    text_release(&notes);
}

static void every_failing_allocation_is_reported(void **state)
{
    struct quality_runs runs = {0};
    struct quality_pairs none = {0};
    struct quality_score scores[N_QUALITY_SCORES];
    struct quality_prediction said[3];
    (void)state;
    add_own(&runs, 1);
    for (int64_t n = 1;; n++) {
        law = shipped;
        memory_fail_after(n);
        enum status status = quality_fit_own(&law, &runs, 0, NULL, "my runs", NULL, NULL);
        if (status == STATUS_OK) {
            quality_predict_runs(&law, &runs, said);
            status = quality_score_forms(&law, &runs, &runs, said, &none, scores, NULL);
        }
        memory_fail_after(-1);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
    }
    quality_runs_release(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_runs_add_their_recipe_to_the_law),
        cmocka_unit_test(a_run_behind_the_law_is_not_counted_again),
        cmocka_unit_test(a_published_run_is_behind_the_laws_that_were_fitted_to_all_of_them),
        cmocka_unit_test(accuracies_tell_no_level),
        cmocka_unit_test(a_loss_far_from_the_law_is_named_with_its_line),
        cmocka_unit_test(the_law_comes_first_then_its_rivals_then_the_stand_in),
        cmocka_unit_test(rows_of_other_recipes_cannot_be_kept_back),
        cmocka_unit_test(a_folder_without_runs_gives_no_law),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
