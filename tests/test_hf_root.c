/* What lies around a language model in a config.json, and files of other makers: tying and types
 * from outside, quantised checkpoints, Meta's params.json, keys that make another network. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "model/hf_config.h"
#include "tests/hf_config_fixture.h"

#define SHAPE \
    "\"hidden_size\": 64, \"num_hidden_layers\": 4, \"num_attention_heads\": 4, " \
    "\"num_key_value_heads\": 2, \"intermediate_size\": 128, \"vocab_size\": 1000"

/* The file reads, with `part` among its warnings ("": none at all). */
static struct transformer reads(const char *json, const char *part)
{
    struct transformer net;
    struct text warnings = {0};
    if (parse(json, &net, &warnings) != STATUS_OK)
        fail_msg("%s", err.message);
    const char *said = warnings.data != NULL ? warnings.data : "";
    if (part[0] == '\0' ? said[0] != '\0' : strstr(said, part) == NULL)
        fail_msg("'%s' is not what is warned of: '%s'", part, said);
    text_release(&warnings);
    return net;
}

static void refuses(const char *json, enum status status, const char *part)
{
    struct transformer net;
    assert_int_equal(parse(json, &net, NULL), status);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static void a_language_model_is_found_in_what_wraps_it(void **state)
{
    (void)state;
    static const char *const wrapped[] = {
        "{\"model_type\": \"internvl_chat\", \"llm_config\": {\"model_type\": \"qwen2\", " SHAPE
        "}}",
        "{\"model_type\": \"llava\", \"text_config\": {\"model_type\": \"qwen2\", " SHAPE "}}",
        "{\"model_type\": \"qwen2_5_vl\", \"vision_config\": {}, " SHAPE "}",
        "{\"model_type\": \"qwen2_vl\", \"text_config\": {\"model_type\": \"qwen2_vl_text\", " SHAPE
        "}}",
    };
    struct transformer plain = reads("{\"model_type\": \"qwen2\", " SHAPE "}", "");
    for (size_t i = 0; i < sizeof wrapped / sizeof *wrapped; i++) {
        struct transformer net = reads(wrapped[i], "not counted");
        assert_true(transformer_same_shape(&net, &plain));
        assert_string_equal(net.family, "qwen2");
    }
}

static void what_is_around_it_decides_the_tying(void **state)
{
    (void)state;
#define INNER "{\"model_type\": \"qwen3\", \"head_dim\": 16, " SHAPE
    static const struct {
        const char *json, *warning;
        bool tied;
    } cases[] = {
        {"{\"text_config\": " INNER "}}", "not counted", false},
        {"{\"text_config\": " INNER "}, \"tie_word_embeddings\": true}", "not counted", true},
        {"{\"text_config\": " INNER ", \"tie_word_embeddings\": true}}", "not counted", true},
        {"{\"text_config\": " INNER ", \"tie_word_embeddings\": true}, \"tie_word_embeddings\": "
         "false}",
         "the outer one counts", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(reads(cases[i].json, cases[i].warning).tie_embeddings, cases[i].tied);
    struct transformer net =
        reads("{\"torch_dtype\": \"float32\", \"text_config\": " INNER "}}", "not counted");
    assert_int_equal(net.block_dtype, DTYPE_F32);
}

static void quantised_weights_are_priced_at_their_width(void **state)
{
    (void)state;
    static const struct {
        const char *key, *warning;
        enum dtype blocks, table;
    } cases[] = {
        {"\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 128}",
         "4.16 bits", DTYPE_Q4_0, DTYPE_F16},
        {"\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 8, \"group_size\": 32}",
         "8.75 bits", DTYPE_Q8_0, DTYPE_F16},
        {"\"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": true}",
         "4.00 bits", DTYPE_Q4_0, DTYPE_F16},
        {"\"quantization\": {\"bits\": 4, \"group_size\": 64}", "4.50 bits", DTYPE_Q4_0,
         DTYPE_Q4_0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        snprintf(json, sizeof json, "{\"model_type\": \"llama\", %s, " SHAPE "}", cases[i].key);
        struct transformer net = reads(json, cases[i].warning);
        double wanted = 8 * (double)dtype_block_bytes(cases[i].blocks) /
                        (double)dtype_block_elems(cases[i].blocks);
        double got = 8 * (double)dtype_block_bytes(net.block_dtype) /
                     (double)dtype_block_elems(net.block_dtype);
        assert_true(fabs(got - wanted) < 0.6); /* or a type that is nearer still */
        assert_int_equal(net.embedding_dtype == DTYPE_F16, cases[i].table == DTYPE_F16);
    }
}

static void a_class_of_another_family_is_an_error_and_an_unknown_one_a_warning(void **state)
{
    (void)state;
    refuses("{\"model_type\": \"qwen2\", \"architectures\": [\"LlamaForCausalLM\"], " SHAPE "}",
            STATUS_INPUT, "'LlamaForCausalLM' is of model_type 'llama'");
    reads("{\"model_type\": \"llama\", \"architectures\": [\"MyLlama\"], " SHAPE "}",
          "'MyLlama' in 'architectures'");
    reads("{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], " SHAPE "}", "");
    reads("{\"model_type\": \"ernie4_5\", \"architectures\": [\"Ernie4_5_ForCausalLM\"], " SHAPE
          "}",
          ""); /* what its own code calls it */
    reads("{\"model_type\": \"qwen2_vl\", \"architectures\": "
          "[\"Qwen2VLForConditionalGeneration\"], " SHAPE "}",
          "only the language model of 'qwen2_vl' is read: what else it has is not counted\n");
}

static void keys_that_make_another_network_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "\"num_local_experts\": 8",        "\"is_encoder_decoder\": true",
        "\"multi_query\": true",           "\"use_bidirectional_attention\": true",
        "\"cross_attention_layers\": [3]",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char json[512], name[64];
        snprintf(json, sizeof json, "{\"model_type\": \"llama\", %s, " SHAPE "}", keys[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(keys[i] + 1, "\""), keys[i] + 1);
        refuses(json, STATUS_UNSUPPORTED, name);
    }
    reads("{\"model_type\": \"llama\", \"num_local_experts\": 0, \"is_encoder_decoder\": "
          "false, " SHAPE "}",
          "");
}

static void one_key_value_head_for_all_is_read_where_a_family_has_it(void **state)
{
    (void)state;
#define GPT2_SHAPE "\"n_embd\": 64, \"n_layer\": 2, \"n_head\": 4, \"vocab_size\": 100"
    struct transformer net = reads("{\"model_type\": \"gpt2\", \"architectures\": "
                                   "[\"GPT2LMHeadCustomModel\"], \"attention_head_type\": "
                                   "\"multiquery\", " GPT2_SHAPE "}",
                                   "GPT2LMHeadCustomModel");
    assert_int_equal(net.stack.first.n_kv_heads, 1);
    net = reads("{\"model_type\": \"gpt_bigcode\", " GPT2_SHAPE "}", "");
    assert_int_equal(net.stack.first.n_kv_heads, 1);
    net = reads("{\"model_type\": \"gpt2\", " GPT2_SHAPE "}", "");
    assert_int_equal(net.stack.first.n_kv_heads, 4);
}

static void metas_params_say_what_a_config_says(void **state)
{
    (void)state;
    static const char llama_1b[] =
        "{\"dim\": 2048, \"n_layers\": 16, \"n_heads\": 32, \"n_kv_heads\": 8, \"vocab_size\": "
        "128256, \"ffn_dim_multiplier\": 1.5, \"multiple_of\": 256, \"norm_eps\": 1e-05, "
        "\"rope_theta\": 500000.0, \"use_scaled_rope\": true}";
    struct transformer net = reads(llama_1b, "one table for embeddings");
    assert_int_equal(count(&net), 1235814400); /* Llama 3.2 1B */
    net = reads("{\"dim\": 4096, \"n_layers\": 32, \"n_heads\": 32, \"n_kv_heads\": 8, "
                "\"vocab_size\": 128256, \"ffn_dim_multiplier\": 1.3, \"multiple_of\": 1024}",
                "");
    assert_int_equal(net.stack.first.d_ff, 14336);
    assert_int_equal(count(&net), INT64_C(8030261248)); /* Llama 3 8B */
    refuses("{\"dim\": 4096, \"n_layers\": 32, \"n_heads\": 32, \"vocab_size\": -1}", STATUS_INPUT,
            "the tokenizer knows it");
    refuses("{\"dim\": 4097, \"n_layers\": 32, \"n_heads\": 32, \"vocab_size\": 5}", STATUS_INPUT,
            "not a multiple");
    refuses("{\"dim\": 4096, \"n_heads\": 32, \"vocab_size\": 5}", STATUS_INPUT, "'n_layers'");
}

static void layers_without_rotary_positions_follow_the_family(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *unturned; /* 1: layer i has none */
    } cases[] = {
        {"\"model_type\": \"smollm3\"", "0001"},
        {"\"model_type\": \"smollm3\", \"no_rope_layers\": [0, 1, 1, 0]", "1001"},
        {"\"model_type\": \"smollm3\", \"no_rope_layer_interval\": 2", "0101"},
        {"\"model_type\": \"cohere2\"", "0001"},
        {"\"model_type\": \"exaone4\", \"sliding_window\": null", "0000"},
        {"\"model_type\": \"exaone4\", \"sliding_window\": 8, \"sliding_window_pattern\": \"LG\"",
         "0101"},
        {"\"model_type\": \"llama\"", "0000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        snprintf(json, sizeof json, "{%s, " SHAPE "}", cases[i].json);
        struct transformer net = reads(json, "");
        for (int64_t l = 0; l < 4; l++)
            assert_int_equal(transformer_block(&net, l)->is_unturned, cases[i].unturned[l] == '1');
        transformer_release(&net);
    }
    refuses("{\"model_type\": \"smollm3\", \"no_rope_layers\": [1], " SHAPE "}", STATUS_INPUT,
            "each of 4 layers");
    refuses("{\"model_type\": \"exaone4\", \"sliding_window_pattern\": \"GL\", " SHAPE "}",
            STATUS_INPUT, "no pattern");
}

/* Scales of the papers' code, by hand. */
static void branches_and_logits_are_scaled_as_the_family_does(void **state)
{
    (void)state;
    struct transformer net = reads(
        "{\"model_type\": \"granite\", \"embedding_multiplier\": 12, \"residual_multiplier\": "
        "0.22, \"attention_multiplier\": 0.015625, \"logits_scaling\": 8, " SHAPE "}",
        "");
    assert_true(net.embed_scale == 12 && net.residual_scale == 0.22);
    assert_true(net.attention_scale == 0.015625 && net.logit_scale == 0.125);
    net = reads("{\"model_type\": \"minicpm\", \"scale_emb\": 12, \"scale_depth\": 1.4, "
                "\"dim_model_base\": 32, " SHAPE "}",
                "");
    assert_true(net.embed_scale == 12 && net.residual_scale == 0.7 && net.logit_scale == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_language_model_is_found_in_what_wraps_it),
        cmocka_unit_test(what_is_around_it_decides_the_tying),
        cmocka_unit_test(quantised_weights_are_priced_at_their_width),
        cmocka_unit_test(a_class_of_another_family_is_an_error_and_an_unknown_one_a_warning),
        cmocka_unit_test(keys_that_make_another_network_are_refused_by_name),
        cmocka_unit_test(one_key_value_head_for_all_is_read_where_a_family_has_it),
        cmocka_unit_test(metas_params_say_what_a_config_says),
        cmocka_unit_test(layers_without_rotary_positions_follow_the_family),
        cmocka_unit_test(branches_and_logits_are_scaled_as_the_family_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
