/* A config.json that is wrong: what is refused, what is a warning, and no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/hf_config.h"
#include "model/hf_family.h"
#include "model/preset.h"
#include "tests/hf_config_fixture.h"

static void expect_refusal(const char *json, enum status status, const char *part)
{
    struct transformer net;
    assert_int_equal(parse(json, &net, NULL), status);
    if (!strstr(err.message, part))
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static void an_unknown_model_type_names_the_known_ones(void **state)
{
    (void)state;
    expect_refusal("{\"model_type\": \"lama\"}", STATUS_INPUT, "did you mean 'llama'?");
    expect_refusal("{\"model_type\": \"lama\"}", STATUS_INPUT, "gpt_neox, bloom, falcon, rwkv");
    expect_refusal("{\"hidden_size\": 3}", STATUS_INPUT, "key 'model_type' is missing");
}

static void a_missing_key_is_named_with_the_families(void **state)
{
    (void)state;
    expect_refusal("{\"model_type\": \"gpt2\", \"n_embd\": 8}", STATUS_INPUT,
                   "key 'n_layer' is missing, model_type 'gpt2' needs it (known: llama");
    for (int i = 0; hf_family_row(i); i++) {
        char json[128], key[64], expected[128];
        const struct hf_family *family = hf_family_row(i);
        snprintf(json, sizeof json, "{\"model_type\": \"%s\"}", family->model_type);
        snprintf(expected, sizeof expected, "key '%s' is missing",
                 hf_first_key(family->d_model.keys, key, sizeof key));
        expect_refusal(json, STATUS_INPUT, expected);
    }
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    expect_refusal("[1]", STATUS_INPUT, "expected an object");
    expect_refusal("{" LLAMA ", \"num_key_value_heads\": 3}", STATUS_RANGE, "n_kv_heads");
    expect_refusal("{" LLAMA ", \"head_dim\": 15}", STATUS_RANGE, "d_head");
    expect_refusal("{" LLAMA ", \"hidden_act\": \"relu\"}", STATUS_UNSUPPORTED, "'relu'");
    expect_refusal("{" LLAMA ", \"hidden_act\": 7}", STATUS_INPUT, "$.hidden_act");
    expect_refusal("{" LLAMA ", \"max_position_embeddings\": 1e300}", STATUS_RANGE,
                   "$.max_position_embeddings");
    expect_refusal("{" LLAMA ", \"lathe_sharing\": \"twice\"}", STATUS_INPUT, "'twice'");
    expect_refusal("{" LLAMA ", \"lathe_blocks\": [{\"d_ff\": 8}]}", STATUS_INPUT, "2 blocks");
    expect_refusal("{" LLAMA ", \"vocab_size\": 8}", STATUS_INPUT, "given twice");
    expect_refusal("{" LLAMA ", \"num_experts\": 8}", STATUS_UNSUPPORTED, "mixture of experts");
    expect_refusal("{" LLAMA ", \"is_encoder_decoder\": true}", STATUS_UNSUPPORTED, "decoder");
    expect_refusal("{\"model_type\": \"gpt_neo\", \"hidden_size\": 64, \"num_layers\": 3, "
                   "\"num_heads\": 4, \"vocab_size\": 10, \"attention_types\": [[[\"global\", "
                   "\"local\"], 1]]}",
                   STATUS_INPUT, "names 2 of 3 layers");
}

#define DECILM \
    "{\"model_type\": \"nemotron-nas\", \"hidden_size\": 64, \"num_hidden_layers\": 1, " \
    "\"num_attention_heads\": 4, \"vocab_size\": 100"
#define ATTENTION "\"attention\": {\"n_heads_in_group\": 2}"
#define FFN       "\"ffn\": {\"ffn_mult\": 2}"
#define OPENELM \
    "{\"model_type\": \"openelm\", \"model_dim\": 64, \"num_transformer_layers\": 3, " \
    "\"vocab_size\": 100, \"head_dim\": 16"

static void layers_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *part;
        enum status status;
    } cases[] = {
        {DECILM "}", "expected 'block_configs', an array of 1 layers", STATUS_INPUT},
        {DECILM ", \"block_configs\": []}", "an array of 1 layers", STATUS_INPUT},
        {DECILM ", \"block_configs\": [3]}", "$.block_configs[0]", STATUS_INPUT},
        {DECILM ", \"block_configs\": [{" ATTENTION "}]}", "ffn", STATUS_INPUT},
        {DECILM ", \"block_configs\": [{" ATTENTION ", \"ffn\": {}}]}", "ffn_mult", STATUS_INPUT},
        {DECILM ", \"block_configs\": [{" ATTENTION ", \"ffn\": {\"no_op\": true}}]}",
         "a layer without an FFN", STATUS_UNSUPPORTED},
        {DECILM ", \"block_configs\": [{\"attention\": {\"replace_with_linear\": true}, " FFN "}]}",
         "a matrix in place of attention", STATUS_UNSUPPORTED},
        {DECILM ", \"block_configs\": [{\"attention\": {\"n_heads_in_group\": 3}, " FFN "}]}",
         "4 heads are no groups of 3", STATUS_INPUT},
        {DECILM ", \"block_configs\": [{\"attention\": {\"n_heads_in_group\": 2, "
                "\"num_sink_tokens\": 4}, " FFN "}]}",
         "sink tokens", STATUS_UNSUPPORTED},
        {OPENELM ", \"num_kv_heads\": [1, 2]}", "one a layer", STATUS_INPUT},
        {OPENELM ", \"num_kv_heads\": [1, 2, \"x\"]}", "$.num_kv_heads[2]", STATUS_INPUT},
        {OPENELM ", \"num_kv_heads\": [1, 2, 3]}", "block 2: n_heads 4", STATUS_RANGE},
        {OPENELM ", \"num_query_heads\": [4, 8, 4]}",
         "heads from 'qkv_multipliers', which say 4 for this layer", STATUS_INPUT},
        {OPENELM ", \"qkv_multipliers\": [1, 1, 1]}", "the first layer's and the last's",
         STATUS_INPUT},
        {OPENELM ", \"ffn_multipliers\": [1, 1, 1, 1]}", "one for each of 3 layers", STATUS_INPUT},
        {OPENELM ", \"ffn_multipliers\": []}", "at least two", STATUS_INPUT},
        {OPENELM ", \"ffn_multipliers\": 0}", "$.ffn_multipliers", STATUS_RANGE},
        {OPENELM ", \"ffn_with_glu\": false}", "without 'ffn_with_glu'", STATUS_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refusal(cases[i].json, cases[i].status, cases[i].part);
}

static void an_ignored_key_about_the_shape_is_a_warning(void **state)
{
    (void)state;
    struct transformer net;
    struct text warnings = {0};
    assert_int_equal(parse("{" LLAMA ", \"num_nextn_predict_layers\": 1, \"sliding_window\": 512, "
                           "\"moe_hidden\": 0, \"attention_dropout\": 0.1, \"eos_token_id\": 2, "
                           "\"_attn_size\": 3}",
                           &net, &warnings),
                     STATUS_OK);
    assert_non_null(strstr(warnings.data, "'num_nextn_predict_layers'"));
    assert_non_null(strstr(warnings.data, "'sliding_window'"));
    assert_null(strstr(warnings.data, "moe_hidden"));
    assert_null(strstr(warnings.data, "dropout"));
    assert_null(strstr(warnings.data, "token"));
    assert_null(strstr(warnings.data, "_attn_size"));
    text_release(&warnings);
}

static void published_configurations_give_no_false_warnings(void **state)
{
    (void)state;
    struct preset_list list;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    for (size_t i = 0; i < list.n; i++) {
        char path[4200];
        struct transformer net;
        struct text warnings = {0};
        snprintf(path, sizeof path, LATHE_SOURCE_DIR "/data/models/%s.json", list.items[i].name);
        assert_int_equal(hf_config_read(path, &net, &warnings, &err), STATUS_OK);
        if (warnings.data && !strstr(warnings.data, "known by its name"))
            fail_msg("%s: %s", path, warnings.data);
        text_release(&warnings);
        transformer_release(&net);
    }
    preset_list_release(&list);
}

static void truncation_at_every_byte_is_an_error(void **state)
{
    (void)state;
    char *json = NULL;
    int64_t length = 0;
    assert_int_equal(
        file_read(LATHE_SOURCE_DIR "/data/models/gpt-neo-125m.json", 1 << 20, &json, &length, &err),
        STATUS_OK);
    while (length > 0 && json[length - 1] != '}')
        length--;
    for (int64_t n = 0; n < length; n++) {
        struct transformer net;
        assert_int_equal(hf_config_parse("cut.json", json, n, &net, NULL, &err), STATUS_INPUT);
    }
    memory_free(json);
}

static void a_failed_allocation_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    static const char *const files[] = {"gpt-neo-125m", "mobillama-05b", "gemma-3-1b"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char path[4200];
        enum status status = STATUS_NOMEM;
        snprintf(path, sizeof path, LATHE_SOURCE_DIR "/data/models/%s.json", files[f]);
        for (int64_t n = 1; status != STATUS_OK; n++) {
            struct transformer net;
            struct text warnings = {0};
            assert_true(n < 2000);
            memory_fail_after(n);
            status = hf_config_read(path, &net, &warnings, &err);
            memory_fail_after(-1);
            assert_true(status == STATUS_OK || status == STATUS_NOMEM);
            text_release(&warnings);
            if (status == STATUS_OK)
                transformer_release(&net);
        }
    }
    struct transformer net;
    transformer_init(&net, 64, 3, 4, 2, 16, 128, 1000);
    net.schedule = (struct schedule){.sharing = SHARING_REVERSE, .n_layers = 3, .repeats = 2};
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n++) {
        char *json = NULL;
        memory_fail_after(n);
        status = hf_config_print(&net, &json, NULL, &err);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        memory_free(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_model_type_names_the_known_ones),
        cmocka_unit_test(a_missing_key_is_named_with_the_families),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(layers_that_cannot_be_read_are_named),
        cmocka_unit_test(an_ignored_key_about_the_shape_is_a_warning),
        cmocka_unit_test(published_configurations_give_no_false_warnings),
        cmocka_unit_test(truncation_at_every_byte_is_an_error),
        cmocka_unit_test(a_failed_allocation_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
