/* What a config.json says, family by family. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "model/hf_config.h"
#include "model/preset.h"
#include "tests/hf_config_fixture.h"

static void expect_network(const char *json, struct transformer *net)
{
    if (parse(json, net, NULL) != STATUS_OK)
        fail_msg("%s", err.message);
}

static int wrong_counts(const char *table, const char *name_column, const char *params_column,
                        const char *folder, const char *suffix)
{
    char path[4200];
    struct csv *csv = NULL;
    int wrong = 0, checked = 0;
    snprintf(path, sizeof path, "%s/data/published/%s", LATHE_SOURCE_DIR, table);
    assert_int_equal(csv_open(path, &csv, &err), STATUS_OK);
    int name = csv_find_column(csv, name_column), params = csv_find_column(csv, params_column);
    for (int row = 0; row < csv_n_rows(csv); row++) {
        char stem[64];
        struct transformer net;
        int64_t expected = 0;
        snprintf(stem, sizeof stem, "%s", csv_text(csv, row, name));
        if (strlen(stem) > 5 && strcmp(stem + strlen(stem) - 5, ".json") == 0)
            stem[strlen(stem) - 5] = '\0';
        for (char *p = stem; *p; p++)
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        snprintf(path, sizeof path, "%s/%s/%s%s.json", LATHE_SOURCE_DIR, folder, stem, suffix);
        if (!file_exists(path))
            continue;
        checked++;
        assert_int_equal(csv_int(csv, row, params, 1, INT64_MAX, &expected, &err), STATUS_OK);
        if (hf_config_read(path, &net, NULL, &err) != STATUS_OK) {
            print_message("%s\n", err.message);
            wrong++;
        } else if (count(&net) != expected) {
            print_message("%s: %lld, expected %lld\n", stem, (long long)count(&net),
                          (long long)expected);
            wrong++;
        }
        transformer_release(&net);
    }
    csv_close(csv);
    assert_true(checked >= 5);
    return wrong;
}

static void every_published_configuration_counts_to_the_last_parameter(void **state)
{
    (void)state;
    assert_int_equal(
        wrong_counts("seed_models.csv", "config_file", "params_computed", "data/models", ""), 0);
    assert_int_equal(
        wrong_counts("mobilellm_models.csv", "model", "params_computed_exact", "data/models", ""),
        0);
    assert_int_equal(
        wrong_counts("shapes_2024_2026.csv", "model", "params_computed", "data/models", ""), 0);
    /* The training repository's files, tied by a flag of its scripts. */
    assert_int_equal(wrong_counts("mobilellm_models.csv", "model", "params_computed_exact",
                                  "tests/data/hf", ".training-repo"),
                     0);
}

static void facts_known_by_name_are_reported(void **state)
{
    (void)state;
    struct transformer net;
    struct text warnings = {0};
    assert_int_equal(hf_config_read(LATHE_SOURCE_DIR
                                    "/tests/data/hf/mobilellm-125m.training-repo.json",
                                    &net, &warnings, &err),
                     STATUS_OK);
    assert_non_null(strstr(warnings.data, "--share_embedding"));
    assert_true(net.tie_embeddings);
    text_release(&warnings);
    assert_int_equal(
        hf_config_read(LATHE_SOURCE_DIR "/data/models/mobillama-05b.json", &net, &warnings, &err),
        STATUS_OK);
    assert_non_null(strstr(warnings.data, "one feed-forward"));
    assert_true(net.schedule.share_ffn);
    text_release(&warnings);
}

static void facts_hold_for_the_shapes_they_are_known_of(void **state)
{
    (void)state;
    static const char form[] = "{\"model_type\": \"llama\", \"hidden_size\": %d, "
                               "\"num_hidden_layers\": %d, \"num_attention_heads\": %d, "
                               "\"num_key_value_heads\": %d, \"intermediate_size\": 1536, "
                               "\"vocab_size\": 32000%s}";
    static const struct {
        const char *path;
        int d_model, n_layers, n_heads, n_kv_heads;
        const char *more;
        bool tied, share_ffn;
    } cases[] = {
        {"src/MobileLLM/configs/125M/config.json", 576, 30, 9, 3, "", true, false},
        {"src/MobileLLM/configs/125M/config.json", 576, 31, 9, 3, "", false, false},
        {"mine/config.json", 576, 30, 9, 3, "", false, false},
        {"MobiLlama-05B/config.json", 2048, 22, 32, 4, "", false, true},
        {"mine/config.json", 2048, 22, 32, 4, ", \"_name_or_path\": \"MBZUAI/MobiLlama-05B\"",
         false, true},
        {"MobiLlama-05B/config.json", 2048, 22, 32, 4, ", \"lathe_share_ffn\": false", false,
         false},
        {"MobiLlama-1B/config.json", 2048, 22, 32, 4, "", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        struct transformer net;
        int n = snprintf(json, sizeof json, form, cases[i].d_model, cases[i].n_layers,
                         cases[i].n_heads, cases[i].n_kv_heads, cases[i].more);
        assert_int_equal(hf_config_parse(cases[i].path, json, n, &net, NULL, &err), STATUS_OK);
        assert_int_equal(net.tie_embeddings, cases[i].tied);
        assert_int_equal(net.schedule.share_ffn, cases[i].share_ffn);
        assert_int_equal(net.stack.first.n_kv_heads, cases[i].share_ffn ? 32 : cases[i].n_kv_heads);
    }
}

static void mobilellm_ties_and_shares_through_keys_of_its_own(void **state)
{
    (void)state;
    struct transformer net;
    assert_int_equal(preset_open("mobilellm-ls-125m", &net, &err), STATUS_OK);
    assert_true(net.tie_embeddings);
    assert_int_equal(net.schedule.sharing, SHARING_IMMEDIATE);
    assert_int_equal(schedule_executions(&net.schedule), 60);
    assert_int_equal(count(&net), 124635456);
}

/* OpenELM-270M and 1_1B: 0.27 and 1.08 B parameters (arXiv:2404.14619). */
static void openelms_layers_follow_from_its_multipliers(void **state)
{
    (void)state;
    static const char form[] =
        "{\"model_type\": \"openelm\", \"model_dim\": %d, \"num_transformer_layers\": %d, "
        "\"head_dim\": 64, \"vocab_size\": 32000, \"ffn_multipliers\": [0.5, 4.0], "
        "\"qkv_multipliers\": [0.5, 1.0], \"num_gqa_groups\": 4, \"rope_max_length\": 4096, "
        "\"normalize_qk_projections\": true, \"share_input_output_layers\": true%s}";
    static const char lists[] =
        ", \"num_kv_heads\": [4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, "
        "7, 8, 8, 8, 8], \"num_query_heads\": [16, 16, 16, 20, 20, 20, 20, 20, 20, 20, 24, 24, 24, "
        "24, 24, 24, 24, 24, 28, 28, 28, 28, 28, 28, 32, 32, 32, 32]";
    char json[2048];
    struct transformer small, large;
    snprintf(json, sizeof json, form, 1280, 16, "");
    expect_network(json, &small);
    snprintf(json, sizeof json, form, 2048, 28, lists);
    expect_network(json, &large);
    assert_int_equal(transformer_block(&small, 0)->n_heads, 12);
    assert_int_equal(transformer_block(&small, 15)->n_heads, 20);
    assert_int_equal(transformer_block(&small, 0)->d_ff, 768);
    assert_int_equal(transformer_block(&large, 17)->n_heads, 24);
    assert_int_equal(transformer_block(&large, 27)->d_ff, 8192);
    assert_int_equal(count(&small), 271527168);
    assert_int_equal(count(&large), 1079891456);
    transformer_release(&small);
    transformer_release(&large);
}

static void decilms_layers_are_those_of_its_block_configs(void **state)
{
    (void)state;
    struct transformer net;
    expect_network("{\"model_type\": \"nemotron-nas\", \"hidden_size\": 8192, "
                   "\"num_hidden_layers\": 3, \"num_attention_heads\": 64, \"vocab_size\": 128256, "
                   "\"intermediate_size\": null, \"num_key_value_heads\": null, "
                   "\"block_configs\": ["
                   "{\"attention\": {\"n_heads_in_group\": 8, \"no_op\": false}, "
                   "\"ffn\": {\"ffn_mult\": 5.25, \"no_op\": false}}, "
                   "{\"attention\": {\"n_heads_in_group\": null, \"no_op\": true}, "
                   "\"ffn\": {\"ffn_mult\": 1.3125, \"no_op\": false}}, "
                   "{\"attention\": {\"n_heads_in_group\": 16, \"window_length\": 512, "
                   "\"num_sink_tokens\": null}, \"ffn\": {\"ffn_mult\": 1.0}}]}",
                   &net);
    assert_int_equal(transformer_block(&net, 0)->n_kv_heads, 8);
    assert_int_equal(transformer_block(&net, 0)->d_ff, 28672); /* Llama 3 70B's */
    assert_int_equal(transformer_block(&net, 1)->mixer, MIXER_NONE);
    assert_int_equal(transformer_block(&net, 1)->d_ff, 7168);
    assert_int_equal(transformer_block(&net, 2)->n_kv_heads, 4);
    assert_int_equal(transformer_block(&net, 2)->window, 512);
    assert_int_equal(transformer_block(&net, 2)->d_ff, 5632); /* 5461 made a multiple of 256 */
    transformer_release(&net);
}

static void windows_follow_each_familys_rule(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int64_t windowed, width;
    } cases[] = {
        {"gpt-neo-125m", 6, 256},   {"gemma-3-270m", 15, 512}, {"gemma-3-1b", 22, 512},
        {"mobilellm-pro", 22, 512}, {"qwen1.5-0.5b", 0, 0},    {"tinyllama-1.1b", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transformer net;
        int64_t windowed = 0;
        assert_int_equal(preset_open(cases[i].preset, &net, &err), STATUS_OK);
        for (int64_t l = 0; l < net.schedule.n_layers; l++) {
            int64_t window = transformer_block(&net, l)->window;
            windowed += window > 0;
            assert_true(window == 0 || window == cases[i].width);
        }
        assert_int_equal(windowed, cases[i].windowed);
        transformer_release(&net);
    }
    struct transformer net;
    expect_network("{\"model_type\": \"mistral\", \"hidden_size\": 64, \"num_hidden_layers\": 2, "
                   "\"num_attention_heads\": 8, \"intermediate_size\": 128, \"vocab_size\": 100}",
                   &net);
    assert_int_equal(net.stack.first.window, 4096);
    expect_network("{\"model_type\": \"mistral\", \"hidden_size\": 64, \"num_hidden_layers\": 2, "
                   "\"num_attention_heads\": 8, \"intermediate_size\": 128, \"vocab_size\": 100, "
                   "\"sliding_window\": null}",
                   &net);
    assert_int_equal(net.stack.first.window, 0);
    expect_network("{\"model_type\": \"qwen2\", \"hidden_size\": 64, \"num_hidden_layers\": 4, "
                   "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, "
                   "\"intermediate_size\": 128, \"vocab_size\": 100, \"use_sliding_window\": true, "
                   "\"sliding_window\": 16, \"max_window_layers\": 3}",
                   &net);
    assert_int_equal(transformer_block(&net, 2)->window, 0);
    assert_int_equal(transformer_block(&net, 3)->window, 16);
    transformer_release(&net);
}

static void falcons_differ_in_heads_norms_and_biases(void **state)
{
    (void)state;
    struct transformer net;
    /* Falcon 7B: one key/value head, one norm; 6,921,720,704 published. */
    expect_network("{\"model_type\": \"falcon\", \"hidden_size\": 4544, \"num_hidden_layers\": 32, "
                   "\"num_attention_heads\": 71, \"vocab_size\": 65024, \"multi_query\": true, "
                   "\"parallel_attn\": true, \"new_decoder_architecture\": false, \"bias\": false}",
                   &net);
    assert_int_equal(count(&net), 6921720704);
    assert_int_equal(net.stack.first.n_kv_heads, 1);
    assert_true(net.parallel_shared_norm);
    /* Falcon 40B: eight key/value heads, two norms; 41,303,293,952. */
    expect_network("{\"model_type\": \"falcon\", \"hidden_size\": 8192, \"num_hidden_layers\": 60, "
                   "\"num_attention_heads\": 128, \"num_kv_heads\": 8, \"vocab_size\": 65024, "
                   "\"new_decoder_architecture\": true}",
                   &net);
    assert_int_equal(net.stack.first.n_kv_heads, 8);
    assert_false(net.parallel_shared_norm);
    assert_int_equal(count(&net), 41303293952);
}

static void families_without_a_preset_count_as_published(void **state)
{
    (void)state;
    struct transformer net;
    /* Phi-2: 2,779,683,840. */
    expect_network("{\"model_type\": \"phi\", \"hidden_size\": 2560, \"num_hidden_layers\": 32, "
                   "\"num_attention_heads\": 32, \"intermediate_size\": 10240, \"vocab_size\": "
                   "51200, \"partial_rotary_factor\": 0.4, \"tie_word_embeddings\": false}",
                   &net);
    assert_int_equal(count(&net), 2779683840);
    /* Phi-3 mini: 3,821,079,552. */
    expect_network("{\"model_type\": \"phi3\", \"hidden_size\": 3072, \"num_hidden_layers\": 32, "
                   "\"num_attention_heads\": 32, \"num_key_value_heads\": 32, "
                   "\"intermediate_size\": 8192, \"vocab_size\": 32064, \"sliding_window\": 2047}",
                   &net);
    assert_int_equal(count(&net), 3821079552);
    assert_int_equal(net.stack.first.window, 2047);
    /* Mistral 7B: 7,241,732,096. */
    expect_network("{\"model_type\": \"mistral\", \"hidden_size\": 4096, \"num_hidden_layers\": "
                   "32, \"num_attention_heads\": 32, \"num_key_value_heads\": 8, "
                   "\"intermediate_size\": 14336, \"vocab_size\": 32000}",
                   &net);
    assert_int_equal(count(&net), 7241732096);
    /* Gemma 2B: 2,506,172,416. */
    expect_network(
        "{\"model_type\": \"gemma\", \"hidden_size\": 2048, \"num_hidden_layers\": 18, "
        "\"num_attention_heads\": 8, \"num_key_value_heads\": 1, \"head_dim\": 256, "
        "\"intermediate_size\": 16384, \"vocab_size\": 256000, \"hidden_act\": \"gelu\"}",
        &net);
    assert_int_equal(count(&net), 2506172416);
    assert_int_equal(net.ffn, FFN_GEGLU);
    /* Gemma 2 2B: 2,614,341,888. */
    expect_network("{\"model_type\": \"gemma2\", \"hidden_size\": 2304, \"num_hidden_layers\": 26, "
                   "\"num_attention_heads\": 8, \"num_key_value_heads\": 4, \"head_dim\": 256, "
                   "\"intermediate_size\": 9216, \"vocab_size\": 256000, \"sliding_window\": 4096}",
                   &net);
    assert_int_equal(count(&net), 2614341888);
    assert_int_equal(transformer_block(&net, 0)->window, 4096);
    assert_int_equal(transformer_block(&net, 1)->window, 0);
    transformer_release(&net);
    /* OLMo 1B: 1,176,764,416; norms without parameters. */
    expect_network("{\"model_type\": \"olmo\", \"hidden_size\": 2048, \"num_hidden_layers\": 16, "
                   "\"num_attention_heads\": 16, \"intermediate_size\": 8192, \"vocab_size\": "
                   "50304, \"tie_word_embeddings\": true}",
                   &net);
    assert_int_equal(count(&net), 1176764416);
    /* GPT-2: 124,439,808; n_inner absent or null is four times the width. */
    expect_network("{\"model_type\": \"gpt2\", \"n_embd\": 768, \"n_layer\": 12, \"n_head\": 12, "
                   "\"vocab_size\": 50257, \"n_inner\": null}",
                   &net);
    assert_int_equal(count(&net), 124439808);
}

static void a_text_config_is_read_alone_and_said_so(void **state)
{
    (void)state;
    struct transformer net;
    struct text warnings = {0};
    assert_int_equal(
        parse("{\"model_type\": \"gemma3\", \"text_config\": {\"hidden_size\": 2560, "
              "\"intermediate_size\": 10240, \"num_hidden_layers\": 34, \"sliding_window\": 1024}, "
              "\"vision_config\": {\"hidden_size\": 1152}}",
              &net, &warnings),
        STATUS_OK);
    assert_int_equal(count(&net), 3880263168); /* the language part of Gemma 3 4B */
    assert_non_null(strstr(warnings.data, "text_config"));
    text_release(&warnings);
    transformer_release(&net);
}

static void newer_spellings_are_read(void **state)
{
    (void)state;
    struct transformer net;
    expect_network("{" LLAMA ", \"dtype\": \"float32\", \"rope_parameters\": {\"rope_type\": "
                   "\"default\", \"rope_theta\": 5e5}}",
                   &net);
    assert_true(net.rope_theta == 5e5);
    assert_int_equal(net.block_dtype, DTYPE_F32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_configuration_counts_to_the_last_parameter),
        cmocka_unit_test(facts_known_by_name_are_reported),
        cmocka_unit_test(facts_hold_for_the_shapes_they_are_known_of),
        cmocka_unit_test(mobilellm_ties_and_shares_through_keys_of_its_own),
        cmocka_unit_test(windows_follow_each_familys_rule),
        cmocka_unit_test(openelms_layers_follow_from_its_multipliers),
        cmocka_unit_test(decilms_layers_are_those_of_its_block_configs),
        cmocka_unit_test(falcons_differ_in_heads_norms_and_biases),
        cmocka_unit_test(families_without_a_preset_count_as_published),
        cmocka_unit_test(a_text_config_is_read_alone_and_said_so),
        cmocka_unit_test(newer_spellings_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
