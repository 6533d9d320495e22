/* Scores of layers: from a table, whose mistakes are named, and from the ordering of stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "search/layer_scores.h"

static const struct block classes[] = {
    {.mixer = MIXER_ATTENTION, .n_heads = 4, .n_kv_heads = 2, .d_head = 64, .d_ff = 512},
    {.mixer = MIXER_ATTENTION,
     .n_heads = 4,
     .n_kv_heads = 2,
     .d_head = 64,
     .window = 128,
     .d_ff = 512},
    {.mixer = MIXER_NONE, .d_ff = 512},
};

static struct space_frame frame_of(int64_t n_places, bool may_be_empty)
{
    struct space_frame frame = {.classes = classes, .n_classes = 3, .may_be_empty = may_be_empty};
    transformer_init(&frame.net, 256, n_places, 4, 2, 64, 512, 1000);
    return frame;
}

static enum status read(const char *text, const struct space_frame *frame, int64_t **out,
                        struct err *err)
{
    struct csv *table;
    enum status status = csv_parse("scores.csv", text, (int64_t)strlen(text), &table, err);
    if (status)
        return status;
    status = layer_scores_read(table, frame, out, err);
    csv_close(table);
    return status;
}

static void a_table_gives_a_score_by_place_and_layer(void **state)
{
    (void)state;
    struct space_frame frame = frame_of(2, true);
    struct err err;
    int64_t *score;
    if (read("place,layer,score\nall,F2/512,1.5\nall,W2/512,1\nall,N/512,0.25\nall,-,0\n"
             "1,F2/512,-2\n",
             &frame, &score, &err))
        fail_msg("%s", err.message);
    const int64_t expected[] = {1500000, 1000000, 250000, 0, -2000000, 1000000, 250000, 0};
    assert_memory_equal(score, expected, sizeof expected);
    memory_free(score);
}

static void a_loss_is_better_when_it_is_less(void **state)
{
    (void)state;
    struct space_frame frame = frame_of(1, false);
    struct err err;
    int64_t *score;
    if (read("layer,place,loss\nF2/512,0,0.001\nW2@128/512,0,0.002\nN/512,0,3\n", &frame, &score,
             &err))
        fail_msg("%s", err.message);
    const int64_t expected[] = {-1000, -2000, -3000000};
    assert_memory_equal(score, expected, sizeof expected);
    memory_free(score);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"place,layer,scor\n", "score"},
        {"place,layer,score\n2,F2/512,1\n", "place"},
        {"place,layer,score\n0,F2/640,1\n", "the space has no layer 'F2/640'"},
        {"place,layer,score\n0,-,1\n", "the space has no layer '-'"},
        {"place,layer,score\n0,2F2/512,1\n", "'2F2/512' is more than one layer"},
        {"place,layer,score\n0,full,1\n", "'full' is no run of blocks"},
        {"place,layer,score\n0,F2/512,1\n0,F2/512,1\n", "a second score of the layer 'F2/512'"},
        {"place,layer,score\nall,F2/512,1\nall,N/512,1\n0,W2/512,1\n",
         "no score of the layer 'W2/512' in place 1"},
        {"place,layer,score\n0,F2/512,1e9\n", "score"},
    };
    struct space_frame frame = frame_of(2, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {""};
        int64_t *score;
        assert_int_not_equal(read(cases[i].text, &frame, &score, &err), STATUS_OK);
        assert_null(score);
        if (!strstr(err.message, cases[i].expected))
            fail_msg("'%s' does not say \"%s\"", err.message, cases[i].expected);
    }
}

static void the_ordering_of_stacks_adds_up_over_places(void **state)
{
    (void)state;
    struct layer_score law = {.intercept = 3};
    for (int i = 0; i < LAYER_SCORE_ANY; i++)
        law.any[i] = -0.01 * (i + 1);
    law.first[0][0] = -0.5;
    law.first[3][2] = -0.25;
    struct space_frame frame = frame_of(6, false);
    double whole = 0;
    struct err err;
    int64_t *score, sum = 0;
    assert_int_equal(layer_scores_of_law(&law, &frame, &score, &err), STATUS_OK);
    for (int place = 0; place < 6; place++) {
        const struct block *block = &classes[place % 3];
        const struct scored_layer layer = {(double)block->n_heads, (double)block->n_kv_heads,
                                           (double)block->d_head, (double)block->d_head,
                                           (double)block->d_ff};
        whole += layer_score_add(&law, 256, place, &layer);
        sum += score[place * 3 + place % 3];
    }
    assert_true(fabs(whole + (double)sum * LAYER_SCORE_UNIT) < 6e-6);
    memory_free(score);
    frame.may_be_empty = true;
    assert_int_equal(layer_scores_of_law(&law, &frame, &score, &err), STATUS_UNSUPPORTED);
}

static void a_failed_allocation_is_an_error(void **state)
{
    (void)state;
    const char *text = "place,layer,score\nall,F2/512,1\nall,N/512,1\n0,W2/512,1\n";
    struct space_frame frame = frame_of(2, false);
    enum status status = STATUS_NOMEM;
    for (int n = 1; status == STATUS_NOMEM; n++) {
        struct err err;
        int64_t *score;
        memory_fail_after(n);
        status = read(text, &frame, &score, &err);
        memory_fail_after(-1);
    }
    assert_int_equal(status, STATUS_INPUT); /* a cell is missing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_gives_a_score_by_place_and_layer),
        cmocka_unit_test(a_loss_is_better_when_it_is_less),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(the_ordering_of_stacks_adds_up_over_places),
        cmocka_unit_test(a_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
