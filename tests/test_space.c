/* Space files: read back as printed, and refused with the place of the mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "search/space.h"
#include "tests/space_fixture.h"

static void a_space_is_read_back_as_it_was_printed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{\"d_model\": [512, 256, 512], \"n_heads\": [3, 5], \"n_kv_heads\": 1, \"d_ff\": [1000]}",
        "{\"d_ff\": [\"256-rule\", {\"ratio\": 2.5}], \"d_ff_multiple\": 32, \"n_layers\": 12}",
        "{\"sharing\": [\"none\", {\"mode\": \"reverse\", \"repeats\": 3, \"share_ffn\": true}],"
        " \"tie_embeddings\": true, \"dtype\": [\"q8_0\", \"q4_0\"], \"kv_dtype\": \"q8_0\"}",
        "{\"n_kv_heads\": [3, {\"ratio\": 0.25}, {\"ratio\": 0.5}], \"kv_dtype\": [\"f16\", "
        "\"q8_0\"]}",
        "{\"n_kv_heads\": {\"from\": 1, \"to\": 9, \"step\": 2}}",
        "{\"vocab_size\": [32000, 128256], \"ffn\": \"gelu\", \"max_context\": 8192,"
        " \"n_layers\": {\"from\": 3, \"to\": 9}, \"d_head\": {\"from\": 32, \"to\": 96, \"step\": "
        "32}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static struct space once, twice;
        struct err err = {""};
        memset(&once, 0, sizeof once);
        memset(&twice, 0, sizeof twice);
        if (parse(texts[i], &once, &err))
            fail_msg("%s", err.message);
        char *printed = space_print(&once);
        assert_int_equal(parse(printed, &twice, &err), STATUS_OK);
        char *again = space_print(&twice);
        assert_string_equal(printed, again);
        memory_free(printed);
        memory_free(again);
    }
}

/* What stands twice in a list is searched once; a mode alone is shared by two. */
static void a_list_keeps_each_value_once(void **state)
{
    (void)state;
    static struct space space;
    struct err err = {""};
    if (parse("{\"sharing\": [\"reverse\", {\"mode\": \"reverse\", \"repeats\": 2}, \"none\"],"
              " \"dtype\": [\"q8_0\", \"q4_0\", \"q8_0\"]}",
              &space, &err))
        fail_msg("%s", err.message);
    assert_int_equal(space.n_schedules, 2);
    assert_int_equal(space.schedule[0].sharing, SHARING_REVERSE);
    assert_int_equal(space.schedule[0].repeats, 2);
    assert_int_equal(space.n_dtypes, 2);
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"d_modle\": 5}", "d_model"},
        {"{\"d_model\": 0}", "$.d_model"},
        {"{\"d_model\": []}", "at least one value"},
        {"{\"d_model\": {\"from\": 5, \"to\": 4}}", "$.d_model.to"},
        {"{\"d_head\": [64, 63]}", "63 is odd"},
        {"{\"n_kv_heads\": \"every\"}", "\"divisors\""},
        {"{\"n_kv_heads\": [{\"ratio\": 0}]}", "$.n_kv_heads[0].ratio"},
        {"{\"kv_dtype\": []}", "$.kv_dtype"},
        {"{\"kv_dtype\": [\"f16\", \"q9\"]}", "$.kv_dtype[1]"},
        {"{\"d_ff\": [{\"ratio\": -1}]}", "$.d_ff[0].ratio"},
        {"{\"sharing\": [\"imediate\"]}", "immediate"},
        {"{\"sharing\": [{\"mode\": \"none\", \"repeats\": 2}]}", "$.sharing[0].repeats"},
        {"{\"dtype\": \"q9\"}", "$.dtype"},
        {"{\"n_layers\": 1099511627776}", "$.n_layers"},
        {"{\"ffn\": \"rwkv_channel\"}", "attention"},
        {"{\"ffn\": \"swigloo\"}", "swiglu"},
        {"{\"ffn\": 3}", "$.ffn"},
        {"{\"d_ff\": []}", "at least one value"},
        {"{\"d_ff\": [\"255-rule\"]}", "256-rule"},
        {"{\"sharing\": []}", "list of sharing modes"},
        {"{\"sharing\": \"none\"}", "list of sharing modes"},
        {"{\"sharing\": [{\"mode\": \"reverse\", \"repeat\": 2}]}", "repeats"},
        {"{\"dtype\": []}", "a weight type or a list"},
        {"{\"dtype\": [\"q8_0\", \"q9\"]}", "$.dtype[1]"},
        {"{\"n_layers\": {\"from\": 9, \"to\": 3}}", "$.n_layers.to"},
        {"{\"n_layers\": {\"form\": 9}}", "from"},
        {"{\"d_model\": 5", "line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct space space;
        struct err err = {""};
        enum status status = parse(cases[i].text, &space, &err);
        assert_int_not_equal(status, STATUS_OK);
        if (!strstr(err.message, cases[i].expected) || !strstr(err.message, "space.json"))
            fail_msg("%s gave: %s", cases[i].text, err.message);
    }
}

/* Llama's rule: the multiple of 256 at or above 8/3 d_model; MobileLLM's own FFN widths follow it.
 */
static void the_256_rule_gives_the_published_widths(void **state)
{
    (void)state;
    static const int64_t widths[][2] = {{576, 1536},  {960, 2560},  {1152, 3072}, {1280, 3584},
                                        {1600, 4352}, {1024, 2816}, {448, 1280},  {4096, 11008}};
    static struct space space;
    assert_int_equal(parse("{\"d_ff\": \"256-rule\"}", &space, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        struct axis d_ff;
        space_d_ff(&space, widths[i][0], &d_ff);
        assert_int_equal(d_ff.n, 1);
        assert_int_equal(d_ff.value[0], widths[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_space_is_read_back_as_it_was_printed),
        cmocka_unit_test(a_list_keeps_each_value_once),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(the_256_rule_gives_the_published_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
