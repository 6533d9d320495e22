#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/count.h"
#include "model/hf_config.h"
#include "model/hf_family.h"
#include "model/preset.h"

static struct err err;

static int64_t count(const struct transformer *net)
{
    struct param_count params;
    transformer_count(net, &params);
    return params.total;
}

static enum status parse(const char *json, struct transformer *net, struct text *warnings)
{
    err.message[0] = '\0';
    return hf_config_parse("test.json", json, (int64_t)strlen(json), net, warnings, &err);
}

static void expect_network(const char *json, struct transformer *net)
{
    if (parse(json, net, NULL) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void expect_refusal(const char *json, enum status status, const char *part)
{
    struct transformer net;
    assert_int_equal(parse(json, &net, NULL), status);
    if (!strstr(err.message, part))
        fail_msg("'%s' is not in '%s'", part, err.message);
}

#define LLAMA \
    "\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 2, " \
    "\"num_attention_heads\": 4, \"intermediate_size\": 128, \"vocab_size\": 100"

/* Reading */

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

/* Wrong input */

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

/* Writing */

static struct json_doc *open_json(const char *text, struct json *root)
{
    struct json_doc *doc = NULL;
    assert_int_equal(json_parse("written", text, (int64_t)strlen(text), &doc, root, &err),
                     STATUS_OK);
    return doc;
}

static void expect_member(const struct json *root, const char *key, const char *expected)
{
    const char *value = NULL;
    assert_int_equal(json_get_string(root, key, &value, &err), STATUS_OK);
    assert_string_equal(value, expected);
}

static void expect_round_trip(const struct transformer *net)
{
    char *json = NULL;
    struct transformer back;
    if (hf_config_print(net, &json, NULL, &err) != STATUS_OK)
        fail_msg("%s: %s", net->name, err.message);
    if (parse(json, &back, NULL) != STATUS_OK)
        fail_msg("%s\n%s", err.message, json);
    if (!transformer_same_shape(net, &back) || count(net) != count(&back))
        fail_msg("another network: %s", json);
    transformer_release(&back);
    memory_free(json);
}

static int64_t pick(struct rng *rng, const int64_t *values, int n)
{
    return values[rng_between(rng, 0, n - 1)];
}

static void vary_layers(struct rng *rng, struct transformer *net)
{
    int64_t n = net->schedule.n_layers;
    struct block *blocks = memory_new((size_t)n, sizeof *blocks);
    assert_non_null(blocks);
    bool narrow = rng_between(rng, 0, 1), skip = rng_between(rng, 0, 1),
         widths = rng_between(rng, 0, 1);
    for (int64_t i = 0; i < n; i++) {
        struct block *b = &blocks[i];
        *b = net->stack.first;
        if (narrow && rng_between(rng, 0, 2) == 0)
            b->window = 512;
        if (widths && !net->schedule.share_ffn)
            b->d_ff = 64 * rng_between(rng, 1, 40);
        if (skip && rng_between(rng, 0, 3) == 0)
            *b = (struct block){.mixer = MIXER_NONE, .d_ff = b->d_ff};
    }
    assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
    memory_free(blocks);
}

/* Any network of the search's space, and then some. */
static void random_candidate(struct rng *rng, struct transformer *net)
{
    static const int64_t vocabularies[] = {256, 16000, 32000, 49152, 50257, 128256};
    static const int64_t heads[] = {32, 48, 64, 96, 128};
    int64_t n_kv = rng_between(rng, 1, 8), group = rng_between(rng, 1, 6);
    int64_t d_head = pick(rng, heads, 5), n_layers = rng_between(rng, 1, 60);
    transformer_init(net, 8 * rng_between(rng, 4, 300), n_layers, n_kv * group, n_kv, d_head,
                     32 * rng_between(rng, 1, 300), pick(rng, vocabularies, 6));
    net->tie_embeddings = rng_between(rng, 0, 1);
    net->max_context = rng_between(rng, 0, 1) ? 2048 : rng_between(rng, 1, 1 << 17);
    net->rope_theta = rng_between(rng, 0, 1) ? 10000 : 500000;
    net->schedule.sharing = (enum sharing)rng_between(rng, 0, N_SHARINGS - 1);
    if (rng_between(rng, 0, 1))
        net->schedule.sharing = SHARING_NONE;
    net->schedule.repeats = net->schedule.sharing == SHARING_NONE ? 1 : rng_between(rng, 2, 4);
    net->schedule.share_ffn = rng_between(rng, 0, 7) == 0;
    switch (rng_between(rng, 0, 9)) {
    case 0:
        net->ffn = FFN_GEGLU;
        break;
    case 1:
        net->qk_norm = QK_NORM_WEIGHTED;
        break;
    case 2:
        net->biases = BIAS_QKV;
        break;
    case 3:
        net->biases = BIAS_QKV | BIAS_O | BIAS_FFN;
        break;
    case 4:
        net->qk_norm = QK_NORM_WEIGHTLESS;
        break;
    case 5:
        net->stack.first.window = 256;
        break;
    case 6:
    case 7:
        vary_layers(rng, net);
        break;
    default:
        break;
    }
}

static void ten_thousand_candidates_come_back_as_they_went(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < 10000; i++) {
        struct transformer net;
        random_candidate(&rng, &net);
        if (transformer_check(&net, &err) != STATUS_OK)
            fail_msg("%s", err.message);
        expect_round_trip(&net);
        transformer_release(&net);
    }
}

static void every_preset_comes_back_as_it_went(void **state)
{
    (void)state;
    struct preset_list list;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    for (size_t i = 0; i < list.n; i++) {
        struct transformer net;
        assert_int_equal(preset_open(list.items[i].name, &net, &err), STATUS_OK);
        expect_round_trip(&net);
        transformer_release(&net);
    }
    preset_list_release(&list);
}

static void an_unshared_candidate_is_written_for_stock_transformers(void **state)
{
    (void)state;
    struct transformer net;
    struct text warnings = {0};
    struct json root;
    char *json = NULL;
    transformer_init(&net, 576, 30, 9, 3, 64, 1536, 32000);
    assert_int_equal(hf_config_print(&net, &json, &warnings, &err), STATUS_OK);
    assert_null(warnings.data);
    assert_null(strstr(json, "lathe_"));
    struct json_doc *doc = open_json(json, &root);
    struct json architecture = json_member(&root, "architectures");
    architecture = json_element(&architecture, 0);
    const char *name = NULL;
    assert_int_equal(json_string(&architecture, &name, &err), STATUS_OK);
    assert_string_equal(name, "LlamaForCausalLM");
    expect_member(&root, "model_type", "llama");
    expect_member(&root, "hidden_act", "silu");
    static const char *const keys[] = {
        "hidden_size",  "intermediate_size", "num_hidden_layers",       "num_attention_heads",
        "head_dim",     "rms_norm_eps",      "num_key_value_heads",     "rope_theta",
        "vocab_size",   "torch_dtype",       "max_position_embeddings", "tie_word_embeddings",
        "bos_token_id", "eos_token_id",      "initializer_range",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct json at = json_member(&root, keys[i]);
        if (json_is_null(&at))
            fail_msg("no '%s' in %s", keys[i], json);
    }
    json_close(doc);
    memory_free(json);
}

static void blocks_that_run_twice_are_written_with_mobilellms_keys(void **state)
{
    (void)state;
    struct transformer net;
    struct text warnings = {0};
    struct json root;
    char *json = NULL;
    bool sharing = false, share_embedding = false;
    transformer_init(&net, 576, 30, 9, 3, 64, 1536, 32000);
    net.schedule = (struct schedule){.sharing = SHARING_IMMEDIATE, .n_layers = 30, .repeats = 2};
    assert_int_equal(hf_config_print(&net, &json, &warnings, &err), STATUS_OK);
    assert_null(strstr(json, "lathe_"));
    struct json_doc *doc = open_json(json, &root);
    expect_member(&root, "model_type", "mobilellm");
    assert_int_equal(json_get_bool_or(&root, "layer_sharing", false, &sharing, &err), STATUS_OK);
    assert_int_equal(json_get_bool_or(&root, "share_embedding", false, &share_embedding, &err),
                     STATUS_OK);
    assert_true(sharing && share_embedding);
    json_close(doc);
    memory_free(json);
    text_release(&warnings);

    net.schedule.repeats = 3;
    assert_int_equal(hf_config_print(&net, &json, &warnings, &err), STATUS_OK);
    assert_non_null(strstr(json, "\"lathe_repeats\""));
    assert_non_null(strstr(warnings.data, "stock code ignores"));
    memory_free(json);
    text_release(&warnings);
}

static void what_no_class_holds_is_refused(void **state)
{
    (void)state;
    struct transformer net;
    char *json = NULL;
    transformer_init(&net, 64, 2, 4, 4, 16, 128, 1000);
    net.norm_placement = NORM_POST;
    net.ffn = FFN_RELU;
    assert_int_equal(transformer_check(&net, &err), STATUS_OK);
    assert_int_equal(hf_config_print(&net, &json, NULL, &err), STATUS_UNSUPPORTED);
    assert_null(json);
}

static void a_written_file_is_read_from_its_directory(void **state)
{
    (void)state;
    struct transformer net, back;
    char folder[] = "hf_config_test_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    transformer_init(&net, 64, 3, 4, 2, 16, 128, 1000);
    assert_int_equal(hf_config_write(&net, folder, NULL, &err), STATUS_OK);
    assert_int_equal(hf_config_read(folder, &back, NULL, &err), STATUS_OK);
    assert_true(transformer_same_shape(&net, &back));
    assert_string_equal(back.name, folder);
    snprintf(path, sizeof path, "%s/config.json", folder);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(hf_config_write(&net, "no/such/folder/config.json", NULL, &err), STATUS_IO);
}

/* Memory */

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
        cmocka_unit_test(every_published_configuration_counts_to_the_last_parameter),
        cmocka_unit_test(facts_known_by_name_are_reported),
        cmocka_unit_test(facts_hold_for_the_shapes_they_are_known_of),
        cmocka_unit_test(mobilellm_ties_and_shares_through_keys_of_its_own),
        cmocka_unit_test(windows_follow_each_familys_rule),
        cmocka_unit_test(falcons_differ_in_heads_norms_and_biases),
        cmocka_unit_test(families_without_a_preset_count_as_published),
        cmocka_unit_test(a_text_config_is_read_alone_and_said_so),
        cmocka_unit_test(newer_spellings_are_read),
        cmocka_unit_test(an_unknown_model_type_names_the_known_ones),
        cmocka_unit_test(a_missing_key_is_named_with_the_families),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(an_ignored_key_about_the_shape_is_a_warning),
        cmocka_unit_test(published_configurations_give_no_false_warnings),
        cmocka_unit_test(truncation_at_every_byte_is_an_error),
        cmocka_unit_test(ten_thousand_candidates_come_back_as_they_went),
        cmocka_unit_test(every_preset_comes_back_as_it_went),
        cmocka_unit_test(an_unshared_candidate_is_written_for_stock_transformers),
        cmocka_unit_test(blocks_that_run_twice_are_written_with_mobilellms_keys),
        cmocka_unit_test(what_no_class_holds_is_refused),
        cmocka_unit_test(a_written_file_is_read_from_its_directory),
        cmocka_unit_test(a_failed_allocation_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
