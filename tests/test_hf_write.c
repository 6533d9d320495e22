/* A config.json that was written reads back as the same network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/hf_config.h"
#include "model/preset.h"
#include "tests/hf_config_fixture.h"
#include "tests/temporary_folder.h"

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
    bool repeat = net->schedule.sharing == SHARING_NONE && rng_between(rng, 0, 1);
    for (int64_t i = 0; i < n && repeat; i++)
        blocks[i].reruns = rng_between(rng, 0, 2);
    assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
    assert_int_equal(transformer_settle(net, NULL), STATUS_OK);
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
    net->schedule.sharing = (enum sharing)rng_between(rng, 0, SHARING_REVERSE);
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

static void drawn_candidates_come_back_as_they_went(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < 10000 / LATHE_FEWER; i++) {
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

/* Written without keys of lathe's own, as `model_type`. */
static void expect_class(const struct transformer *net, const char *model_type)
{
    char *json = NULL;
    struct json root;
    if (transformer_check(net, &err) != STATUS_OK ||
        hf_config_print(net, &json, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    if (strstr(json, "lathe_") != NULL)
        fail_msg("no class: %s", json);
    struct json_doc *doc = open_json(json, &root);
    if (model_type != NULL)
        expect_member(&root, "model_type", model_type);
    json_close(doc);
    memory_free(json);
    expect_round_trip(net);
}

static void make(struct transformer *net, const struct block *blocks, int64_t n, int64_t d_model)
{
    transformer_init(net, d_model, n, 1, 1, 2, 1, 32000);
    net->norm_eps = 1e-6;
    assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
}

static void layers_that_differ_are_written_for_decilm(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5);
    for (int i = 0; i < 1000 / LATHE_FEWER; i++) {
        static const int64_t groups[] = {1, 2, 3, 4, 6, 12};
        struct transformer net;
        struct block blocks[40];
        int64_t n = rng_between(&rng, 3, 40), d_head = 2 * rng_between(&rng, 1, 64);
        for (int64_t l = 0; l < n; l++) {
            int64_t d_ff = 256 * rng_between(&rng, 1, 60);
            blocks[l] = (struct block){
                .n_heads = 12,
                .n_kv_heads = 12 / pick(&rng, groups, 6),
                .d_head = d_head,
                .window = rng_between(&rng, 0, 2) == 0 ? rng_between(&rng, 1, 4096) : 0,
                .d_ff = d_ff};
            if (rng_between(&rng, 0, 4) == 0)
                blocks[l] = (struct block){.mixer = MIXER_NONE, .d_ff = d_ff};
        }
        /* so that no other class can hold it */
        blocks[0] = (struct block){
            .n_heads = 12, .n_kv_heads = 12, .d_head = d_head, .window = 7, .d_ff = 256};
        blocks[1] = (struct block){
            .n_heads = 12, .n_kv_heads = 4, .d_head = d_head, .window = 9, .d_ff = 512};
        make(&net, blocks, n, 12 * d_head);
        net.tie_embeddings = rng_between(&rng, 0, 1);
        net.biases = rng_between(&rng, 0, 1) ? BIAS_FFN : 0;
        expect_class(&net, "nemotron-nas");
        transformer_release(&net);
    }
}

/* KV heads and widths are free; query heads are the same in all layers. */
static void layers_that_differ_are_written_for_openelm(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 6);
    for (int i = 0; i < 1000 / LATHE_FEWER; i++) {
        static const int64_t groups[] = {1, 2, 3, 4, 6, 12};
        struct transformer net;
        struct block blocks[40];
        int64_t n = rng_between(&rng, 3, 40), d_head = 2 * rng_between(&rng, 1, 64);
        int64_t step = rng_between(&rng, 1, 300);
        for (int64_t l = 0; l < n; l++)
            blocks[l] = (struct block){.n_heads = 12,
                                       .n_kv_heads = 12 / pick(&rng, groups, 6),
                                       .d_head = d_head,
                                       .d_ff = step * rng_between(&rng, 1, 40)};
        blocks[1].d_ff = blocks[0].d_ff + step;
        make(&net, blocks, n, 2 * rng_between(&rng, 1, 1000));
        net.tie_embeddings = rng_between(&rng, 0, 1);
        net.qk_norm = QK_NORM_WEIGHTED;
        expect_class(&net, "openelm");
        transformer_release(&net);
    }
}

static void heads_on_a_line_are_written_for_openelm(void **state)
{
    (void)state;
    static const int64_t n_heads[] = {12, 12, 12, 12, 12, 16, 16, 16,
                                      16, 16, 16, 16, 20, 20, 20, 20};
    struct transformer net;
    struct block blocks[16];
    for (int64_t l = 0; l < 16; l++)
        blocks[l] = (struct block){.n_heads = 10 + l / 2,
                                   .n_kv_heads = 2 - l / 2 % 2,
                                   .d_head = 64,
                                   .d_ff = 640 + 128 * l};
    make(&net, blocks, 16, 1280);
    expect_class(&net, "openelm");
    transformer_release(&net);
    for (int64_t l = 0; l < 16; l++) /* OpenELM-270M's go in steps of four */
        blocks[l].n_kv_heads = (blocks[l].n_heads = n_heads[l]) / 4;
    make(&net, blocks, 16, 1280);
    expect_class(&net, "openelm");
    transformer_release(&net);
    blocks[7].n_heads = 8; /* off the line */
    blocks[7].n_kv_heads = 2;
    char *json = NULL;
    struct text warnings = {0};
    make(&net, blocks, 16, 1280);
    assert_int_equal(hf_config_print(&net, &json, &warnings, &err), STATUS_OK);
    assert_non_null(strstr(json, "lathe_blocks"));
    assert_non_null(strstr(warnings.data, "stock code ignores"));
    memory_free(json);
    text_release(&warnings);
    expect_round_trip(&net);
    transformer_release(&net);
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
    char folder[TEMPORARY_MOST];
    assert_int_equal(temporary_make(folder), 0);
    transformer_init(&net, 64, 3, 4, 2, 16, 128, 1000);
    assert_int_equal(hf_config_write(&net, folder, NULL, &err), STATUS_OK);
    assert_int_equal(hf_config_read(folder, &back, NULL, &err), STATUS_OK);
    assert_true(transformer_same_shape(&net, &back));
    assert_string_equal(back.name, file_base_name(folder));
    assert_int_equal(unlink(temporary_path(folder, "config.json")), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(hf_config_write(&net, "no/such/folder/config.json", NULL, &err), STATUS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_candidates_come_back_as_they_went),
        cmocka_unit_test(every_preset_comes_back_as_it_went),
        cmocka_unit_test(an_unshared_candidate_is_written_for_stock_transformers),
        cmocka_unit_test(layers_that_differ_are_written_for_decilm),
        cmocka_unit_test(layers_that_differ_are_written_for_openelm),
        cmocka_unit_test(heads_on_a_line_are_written_for_openelm),
        cmocka_unit_test(blocks_that_run_twice_are_written_with_mobilellms_keys),
        cmocka_unit_test(what_no_class_holds_is_refused),
        cmocka_unit_test(a_written_file_is_read_from_its_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
