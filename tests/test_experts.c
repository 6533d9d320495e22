/* Mixtures of experts: what is stored, what a token uses, what a pass reads. */
#include "tests/price_fixture.h"

#include <math.h>

#include "base/memory.h"
#include "costmodel/reuse.h"
#include "model/hf_config.h"
#include "model/ops.h"
#include "quality/shape_of.h"
#include "runtime/weights_private.h"
#include "tests/hf_config_fixture.h"

#define COMMON "\"rms_norm_eps\": 1e-5, \"hidden_act\": \"silu\", "

/* The shapes of the hub's configurations. Published: transformers' and Keras' presets, checkpoint
 * indices and benchmark files in public code; ERNIE's was found rounded only (21 B, 21.9 B). Active counts: of
 * Mixtral and Qwen3 published, of the others by the same rule. */
static const struct {
    const char *json;
    int64_t total, active;
    const char *class;
} models[] = {
    {"{\"model_type\": \"mixtral\", " COMMON
     "\"hidden_size\": 4096, \"intermediate_size\": 14336, \"num_attention_heads\": 32, "
     "\"num_key_value_heads\": 8, \"num_hidden_layers\": 32, \"num_local_experts\": 8, "
     "\"num_experts_per_tok\": 2, \"vocab_size\": 32000, \"sliding_window\": null}",
     46702792704, 12879925248, "MixtralForCausalLM"},
    {"{\"model_type\": \"qwen2_moe\", " COMMON
     "\"hidden_size\": 2048, \"intermediate_size\": 5632, \"moe_intermediate_size\": 1408, "
     "\"shared_expert_intermediate_size\": 5632, \"num_attention_heads\": 16, "
     "\"num_key_value_heads\": 16, \"num_hidden_layers\": 24, \"num_experts\": 60, "
     "\"num_experts_per_tok\": 4, \"vocab_size\": 151936}",
     14315784192, 14315784192 - INT64_C(24) * 56 * 3 * 2048 * 1408, "Qwen2MoeForCausalLM"},
    {"{\"model_type\": \"qwen3_moe\", " COMMON
     "\"hidden_size\": 2048, \"intermediate_size\": 6144, \"moe_intermediate_size\": 768, "
     "\"head_dim\": 128, \"num_attention_heads\": 32, \"num_key_value_heads\": 4, "
     "\"num_hidden_layers\": 48, \"num_experts\": 128, \"num_experts_per_tok\": 8, "
     "\"mlp_only_layers\": [], \"decoder_sparse_step\": 1, \"vocab_size\": 151936}",
     30532122624, 3353032704, "Qwen3MoeForCausalLM"},
    {"{\"model_type\": \"olmoe\", " COMMON
     "\"hidden_size\": 2048, \"intermediate_size\": 1024, \"num_attention_heads\": 16, "
     "\"num_key_value_heads\": 16, \"num_hidden_layers\": 16, \"num_experts\": 64, "
     "\"num_experts_per_tok\": 8, \"vocab_size\": 50304}",
     6919161856, 6919161856 - INT64_C(16) * 56 * 3 * 2048 * 1024, "OlmoeForCausalLM"},
    {"{\"model_type\": \"granitemoe\", " COMMON
     "\"hidden_size\": 1024, \"intermediate_size\": 512, \"num_attention_heads\": 16, "
     "\"num_key_value_heads\": 8, \"num_hidden_layers\": 24, \"num_local_experts\": 32, "
     "\"num_experts_per_tok\": 8, \"vocab_size\": 49155, \"tie_word_embeddings\": true, "
     "\"logits_scaling\": 6.0, \"residual_multiplier\": 0.22, \"embedding_multiplier\": 12, "
     "\"attention_multiplier\": 0.015625}",
     1334628352, 1334628352 - INT64_C(24) * 24 * 3 * 1024 * 512, "GraniteMoeForCausalLM"},
    {"{\"model_type\": \"phimoe\", " COMMON
     "\"hidden_size\": 4096, \"intermediate_size\": 6400, \"num_attention_heads\": 32, "
     "\"num_key_value_heads\": 8, \"num_hidden_layers\": 32, \"num_local_experts\": 16, "
     "\"num_experts_per_tok\": 2, \"vocab_size\": 32064, \"attention_bias\": true, "
     "\"lm_head_bias\": true}",
     41873153344, 41873153344 - INT64_C(32) * 14 * 3 * 4096 * 6400, "PhimoeForCausalLM"},
    {"{\"model_type\": \"ernie4_5_moe\", " COMMON
     "\"hidden_size\": 2560, \"intermediate_size\": 12288, \"moe_intermediate_size\": 1536, "
     "\"num_attention_heads\": 20, \"num_key_value_heads\": 4, \"num_hidden_layers\": 28, "
     "\"moe_num_experts\": 64, \"moe_k\": 6, \"moe_num_shared_experts\": 2, "
     "\"moe_layer_start_index\": 1, \"moe_layer_interval\": 1, \"vocab_size\": 103424}",
     21825437888, 21825437888 - INT64_C(27) * 58 * 3 * 2560 * 1536, "Ernie4_5_MoeForCausalLM"},
    {"{\"model_type\": \"gpt_oss\", " COMMON
     "\"hidden_size\": 2880, \"intermediate_size\": 2880, \"num_attention_heads\": 64, "
     "\"num_key_value_heads\": 8, \"num_hidden_layers\": 24, \"num_local_experts\": 32, "
     "\"num_experts_per_tok\": 4, \"vocab_size\": 201088}",
     20914757184, 20914757184 - INT64_C(24) * 28 * (3 * 2880 * 2880 + 3 * 2880),
     "GptOssForCausalLM"},
};

static void counts_are_the_published_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct transformer net, back;
        struct param_count params;
        char *json = NULL;
        if (parse(models[i].json, &net, NULL))
            fail_msg("%s", err.message);
        transformer_count(&net, &params);
        assert_int_equal(params.total, models[i].total);
        assert_int_equal(params.active, models[i].active);
        assert_int_equal(hf_config_print(&net, &json, NULL, &err), STATUS_OK);
        assert_non_null(strstr(json, models[i].class));
        assert_int_equal(parse(json, &back, NULL), STATUS_OK);
        assert_true(transformer_same_shape(&net, &back));
        memory_free(json);
        transformer_release(&back);
        transformer_release(&net);
    }
}

/* Two layers of 8 experts, 32 wide, of which a token uses 2; an FFN of 48 beside them. d_model 16. */
static void small(struct transformer *net)
{
    transformer_init(net, 16, 2, 2, 1, 8, 32, 100);
    net->stack.first.n_experts = 8;
    net->stack.first.n_experts_used = 2;
    net->stack.first.d_shared = 48;
    net->shared_share = true;
    assert_int_equal(transformer_check(net, &err), STATUS_OK);
}

static const struct op *find(const struct block_ops *block, enum op_role role)
{
    for (int i = 0; i < block->n_ops; i++)
        if (block->ops[i].role == role)
            return &block->ops[i];
    fail_msg("no operator '%s'", op_role_name(role));
    return NULL;
}

static void a_token_reads_the_experts_that_it_picks(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list;
    small(&net);
    assert_int_equal(ops_decode(&net, 0, &list, &err), STATUS_OK);
    const struct block_ops *block = ops_class(&list, 0);
    assert_int_equal(find(block, ROLE_ROUTER)->weight_bytes, 8 * 16 * 2);
    assert_int_equal(find(block, ROLE_SHARED_UP)->weight_bytes, 48 * 16 * 2);
    assert_int_equal(find(block, ROLE_SHARED_SHARE)->flop, 2 * 16);
    const enum op_role roles[] = {ROLE_EXPERT_GATE, ROLE_EXPERT_UP, ROLE_EXPERT_DOWN};
    for (int i = 0; i < 3; i++) {
        const struct op *op = find(block, roles[i]);
        assert_int_equal(op->weight_bytes, 2 * 32 * 16 * 2);
        assert_int_equal(op->unread_bytes, 6 * 32 * 16 * 2);
        assert_int_equal(op->flop, 2 * 2 * 32 * 16);
    }
    assert_int_equal(block->groups[GROUP_EXPERTS].bytes, 3 * 2 * 32 * 16 * 2);
    assert_int_equal(block->groups[GROUP_FFN].bytes, (8 + 3 * 48 + 1) * 16 * 2);
    ops_release(&list);
}

static void a_prompt_reads_those_that_it_meets(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list;
    small(&net);
    assert_int_equal(ops_prefill(&net, 3, &list, &err), STATUS_OK);
    const struct op *up = find(ops_class(&list, 0), ROLE_EXPERT_UP);
    double met = 8 * (1 - 0.75 * 0.75 * 0.75); /* 4.625 */
    assert_int_equal(up->weight_bytes, llround(met * 32 * 16 * 2));
    assert_int_equal(up->flop, 3 * 2 * 2 * 32 * 16);
    assert_int_equal(up->weight_bytes + up->unread_bytes, 8 * 32 * 16 * 2);
    ops_release(&list);
    assert_int_equal(ops_prefill(&net, 1000, &list, &err), STATUS_OK);
    assert_int_equal(find(ops_class(&list, 0), ROLE_EXPERT_UP)->unread_bytes, 0);
    ops_release(&list);
}

/* What is picked is as far away as all experts; the others are as near as what is read. */
static void experts_are_further_away_than_the_rest(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list;
    struct reuse_walk walk;
    struct reuse_run run;
    small(&net);
    for (int differ = 0; differ < 2; differ++) {
        struct block blocks[2] = {net.stack.first, net.stack.first};
        blocks[1].window = differ ? 64 : 0;
        assert_int_equal(stack_set(&net.stack, blocks, 2, &err), STATUS_OK);
        assert_int_equal(ops_decode(&net, 0, &list, &err), STATUS_OK);
        assert_int_equal(reuse_walk_start(&walk, &list, NULL, 0, &err), STATUS_OK);
        int64_t pass = reuse_pass_bytes(&list), unread = 2 * 3 * 6 * 32 * 16 * 2;
        while (reuse_walk_next(&walk, &run)) {
            assert_int_equal(run.distance[GROUP_OWN], pass);
            assert_int_equal(run.distance[GROUP_FFN], pass);
            assert_int_equal(run.distance[GROUP_EXPERTS], pass + unread);
        }
        reuse_walk_end(&walk);
        ops_release(&list);
    }
    transformer_release(&net);
}

/* On a machine whose time is its bytes, ten a ns from DRAM. */
static void a_price_is_the_bytes_that_are_read(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list;
    struct op_totals totals;
    struct machine machine;
    small(&net);
    plain_machine(&machine, 1);
    machine.levels[1].capacity_bytes = INT64_C(1) << 40;
    assert_int_equal(ops_decode(&net, 0, &list, &err), STATUS_OK);
    ops_totals(&list, &totals);
    struct price one = price(&net, &machine, 0);
    double gathered_and_read = (double)(totals.weight_read_bytes + totals.kv_write_bytes);
    assert_near(one.decode_ns, gathered_and_read / 10, 1e-3 * one.decode_ns);
    ops_release(&list);
}

static void what_is_not_priced_is_refused(void **state)
{
    (void)state;
    struct transformer net;
    struct weights weights;
    small(&net);
    assert_int_equal(weights_allocate(&net, &weights, &err), STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "a mixture of experts: it can be priced, not run"));
    struct quality_shape shape;
    assert_int_equal(quality_shape_of(&net, &shape, &err), STATUS_UNSUPPORTED);
    net.stack.first.n_experts_used = 9;
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE);
    small(&net);
    net.schedule.share_ffn = true;
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_the_published_ones),
        cmocka_unit_test(a_token_reads_the_experts_that_it_picks),
        cmocka_unit_test(a_prompt_reads_those_that_it_meets),
        cmocka_unit_test(experts_are_further_away_than_the_rest),
        cmocka_unit_test(a_price_is_the_bytes_that_are_read),
        cmocka_unit_test(what_is_not_priced_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
