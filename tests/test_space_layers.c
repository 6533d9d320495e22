/* Spaces whose layers differ: read back as printed, mistakes and contradictions named, and the
 * layers that each frame offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "search/space_frames.h"
#include "tests/space_fixture.h"

static void a_space_is_read_back_as_it_was_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"layers\": {}}",
        "{\"layers\": {\"attention\": [\"none\", {\"window\": 64}, \"full\", \"empty\"],"
        " \"n_kv_heads\": \"divisors\", \"d_ff\": [512, {\"ratio\": 2.5}, 256]},"
        " \"rules\": {\"first_full\": true, \"min_full\": 3, \"max_windowed_run\": 2}}",
        "{\"layers\": {\"attention\": [\"full\", {\"window\": 64}, {\"window\": 32}],"
        " \"n_heads\": [{\"ratio\": 0.5}, 9], \"n_kv_heads\": [1, {\"ratio\": 0.3333}]},"
        " \"rules\": {\"pattern\": \"FWW.\", \"equal_thirds\": true}}",
        "{\"layers\": {\"repeats\": [3, 1, 2]}}",
        ("{\"layers\": {\"repeats\": {\"from\": 1, \"to\": 2}},"
         " \"sharing\": [{\"mode\": \"none\", \"share_ffn\": true}]}"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static struct space once, twice;
        struct err err = {""};
        if (parse(texts[i], &once, &err))
            fail_msg("%s", err.message);
        char *printed = space_print(&once);
        if (parse(printed, &twice, &err))
            fail_msg("%s", err.message);
        char *again = space_print(&twice);
        assert_string_equal(printed, again);
        assert_true(twice.layers.is_given);
        assert_memory_equal(&once.layers, &twice.layers, sizeof once.layers);
        memory_free(printed);
        memory_free(again);
    }
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"rules\": {}}", "list \"layers\""},
        {"{\"layers\": {\"atention\": []}}", "attention"},
        {"{\"layers\": {\"attention\": []}}", "$.layers.attention"},
        {"{\"layers\": {\"attention\": [\"empty\"]}}", "must not be empty"},
        {"{\"layers\": {\"attention\": [\"half\"]}}", "'half' is no kind of layer"},
        {"{\"layers\": {\"attention\": [{\"window\": 0}]}}", "$.layers.attention[0].window"},
        {"{\"layers\": {\"n_heads\": [4]}}", "list n_kv_heads too"},
        {"{\"layers\": {\"n_kv_heads\": \"divisor\"}}", "'divisor' is no rule here"},
        {"{\"layers\": {\"d_ff\": []}}", "at least one value"},
        {"{\"layers\": {\"d_ff\": {\"ratio\": 0}}}", "$.layers.d_ff.ratio"},
        {"{\"layers\": {\"repeats\": 0}}", "$.layers.repeats"},
        {"{\"layers\": {\"repeats\": [1, 65]}}", "$.layers.repeats"},
        {"{\"layers\": {\"repeats\": [1, 2]}, \"sharing\": [\"none\", \"immediate\"]}",
         "$.sharing: 'repeats' of layers says how often a block runs"},
        {"{\"sharing\": [\"by-block\"]}", "list them"},
        {"{\"layers\": {}, \"rules\": {\"pattern\": \"FX\"}}", "'FX' is no pattern"},
        {"{\"layers\": {}, \"rules\": {\"first_ful\": true}}", "first_full"},
        {"{\"layers\": {\"d_ff\": [64, 128]},"
         " \"sharing\": [{\"mode\": \"none\", \"share_ffn\": true}]}",
         "share_ffn"},
        {"{\"layers\": {\"attention\": [\"none\"]}, \"rules\": {\"first_full\": true}}",
         "the rule 'first_full'"},
        {"{\"layers\": {\"attention\": [\"full\", {\"window\": 9}]}, \"n_layers\": 8,"
         " \"rules\": {\"first_full\": true, \"min_full\": 2, \"max_windowed_run\": 2,"
         " \"pattern\": \"FWWW\"}}",
         "the rules 'max_windowed_run' and 'pattern'"},
        {"{\"layers\": {\"attention\": [\"full\", {\"window\": 9}]}, \"n_layers\": 8,"
         " \"rules\": {\"min_full\": 3, \"pattern\": \"WWWF\"}}",
         "no stack of 8 places keeps the rules 'min_full' and 'pattern'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct space space;
        struct err err = {""};
        enum status status = parse(cases[i].text, &space, &err);
        assert_true(status == STATUS_INPUT || status == STATUS_RANGE);
        if (!strstr(err.message, cases[i].expected))
            fail_msg("'%s' does not say \"%s\"", err.message, cases[i].expected);
    }
}

/* What a walk over frames met. */
struct met {
    int frames, classes, places;
    bool may_be_empty;
};

static enum status meet(const struct space_frame *frame, void *user, struct err *err)
{
    struct met *met = user;
    (void)err;
    met->frames++;
    met->classes += frame->n_classes;
    met->places = (int)frame->net.schedule.n_layers;
    met->may_be_empty = frame->may_be_empty;
    for (int a = 0; a < frame->n_classes; a++)
        for (int b = 0; b < a; b++)
            assert_false(block_equal(&frame->classes[a], &frame->classes[b]));
    return STATUS_OK;
}

static struct met walk(const char *text)
{
    static struct space space;
    struct err err = {""};
    struct met met = {0};
    if (parse(text, &space, &err) || space_each_frame(&space, meet, &met, &err))
        fail_msg("%s", err.message);
    return met;
}

static void the_built_in_space_offers_57_layers_in_32_places(void **state)
{
    (void)state;
    static struct space space;
    struct met met = {0};
    space_default_layers(&space);
    assert_int_equal(space_each_frame(&space, meet, &met, NULL), STATUS_OK);
    assert_int_equal(met.frames, 1);
    assert_int_equal(met.classes, 56);
    assert_int_equal(met.places, 32);
    assert_true(met.may_be_empty);
}

static void what_layers_do_not_list_is_the_same_for_a_stack(void **state)
{
    (void)state;
    /* 9 heads: 1, 3 or 9 of keys and values; two widths of the FFN; two depths. */
    struct met met = walk("{\"d_model\": 576, \"d_head\": 64, \"d_ff\": [512, 1024],"
                          " \"sharing\": [\"none\"], \"tie_embeddings\": true,"
                          " \"n_layers\": {\"from\": 8, \"to\": 9},"
                          " \"layers\": {\"attention\": [\"full\", \"none\"]}}");
    assert_int_equal(met.frames, 3 * 2 * 2);
    assert_int_equal(met.classes, 2 * met.frames);
    assert_int_equal(met.places, 9);
    assert_false(met.may_be_empty);
}

static void kv_heads_by_ratio_and_cache_types_are_axes_of_a_stack(void **state)
{
    (void)state;
    /* 12 heads: 3 and 6 of keys and values, 5 (0.4, rounded) divides none; two types of the cache. */
    struct met met =
        walk("{\"d_model\": 768, \"d_head\": 64, \"d_ff\": 1024, \"sharing\": [\"none\"],"
             " \"n_kv_heads\": [{\"ratio\": 0.25}, {\"ratio\": 0.4}, {\"ratio\": 0.5}],"
             " \"kv_dtype\": [\"f16\", \"q8_0\"], \"tie_embeddings\": true, \"n_layers\": 8,"
             " \"layers\": {\"attention\": [\"full\", \"none\"]}}");
    assert_int_equal(met.frames, 2 * 2);
    assert_int_equal(met.classes, 2 * met.frames);
}

static void ratios_give_whole_heads_that_divide(void **state)
{
    (void)state;
    /* 12 heads and 6; a third of them: 4 and 2; a quarter: 3, and 2 (1.5 rounded), once each. */
    struct met met = walk("{\"d_model\": 768, \"d_head\": 64, \"sharing\": [\"none\"],"
                          " \"tie_embeddings\": true, \"n_layers\": 8, \"d_ff\": 2048,"
                          " \"layers\": {\"n_heads\": [{\"ratio\": 0.5}, {\"ratio\": 1}],"
                          " \"n_kv_heads\": [{\"ratio\": 0.25}, {\"ratio\": 0.3333}]}}");
    assert_int_equal(met.frames, 1);
    assert_int_equal(met.classes, 1 + 2);
}

static enum status meet_repeats(const struct space_frame *frame, void *user, struct err *err)
{
    int64_t *blocks = user;
    (void)err;
    assert_int_equal(frame->net.schedule.sharing, SHARING_BY_BLOCK);
    for (int c = 0; c < frame->n_classes; c++)
        blocks[frame->classes[c].reruns]++;
    return STATUS_OK;
}

static void every_layer_is_offered_with_each_number_of_repeats(void **state)
{
    (void)state;
    static struct space space;
    struct err err = {""};
    int64_t blocks[4] = {0};
    if (parse(
            "{\"d_model\": 576, \"d_head\": 64, \"d_ff\": 1536, \"n_layers\": 8, \"n_kv_heads\": 3,"
            " \"tie_embeddings\": true,"
            " \"layers\": {\"attention\": [\"full\", \"none\"], \"repeats\": [1, 2, 4]}}",
            &space, &err) ||
        space_each_frame(&space, meet_repeats, blocks, &err))
        fail_msg("%s", err.message);
    assert_int_equal(space.n_schedules, 1);
    const int64_t expected[] = {2, 2, 0, 2};
    assert_memory_equal(blocks, expected, sizeof blocks);
}

static void a_failed_allocation_is_an_error(void **state)
{
    (void)state;
    static struct space space;
    enum status status = STATUS_NOMEM;
    space_default_layers(&space);
    for (int n = 1; status == STATUS_NOMEM; n++) {
        struct met met = {0};
        memory_fail_after(n);
        status = space_each_frame(&space, meet, &met, NULL);
        memory_fail_after(-1);
    }
    assert_int_equal(status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_space_is_read_back_as_it_was_printed),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(the_built_in_space_offers_57_layers_in_32_places),
        cmocka_unit_test(what_layers_do_not_list_is_the_same_for_a_stack),
        cmocka_unit_test(kv_heads_by_ratio_and_cache_types_are_axes_of_a_stack),
        cmocka_unit_test(ratios_give_whole_heads_that_divide),
        cmocka_unit_test(every_layer_is_offered_with_each_number_of_repeats),
        cmocka_unit_test(a_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
