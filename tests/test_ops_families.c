/* Operator lists of real models, family by family, against closed forms written from the papers:
 * the widths below are typed in, not taken from the network under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/count.h"
#include "model/hf_config.h"
#include "model/ops.h"
#include "model/preset.h"

static struct err err;

static void open_preset(const char *name, struct transformer *net)
{
    if (preset_open(name, net, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    transformer_set_dtype(net, DTYPE_F16);
}

/* Sums over every execution of a pass. */
struct sums {
    int64_t matmul_flop, attention_flop, norms, ropes, kv_read, kv_write, weight_read;
};

static void add(struct sums *sums, const struct op *op)
{
    if (op->kind == OP_MATMUL)
        sums->matmul_flop += op->flop;
    if (op->kind == OP_ATTENTION)
        sums->attention_flop += op->flop;
    sums->norms += op->kind == OP_NORM && op->role != ROLE_QK_NORM;
    sums->ropes += op->kind == OP_ROPE;
    sums->kv_read += op->kv_read_bytes;
    sums->kv_write += op->kv_write_bytes;
    sums->weight_read += op->weight_bytes;
}

static struct sums sum_pass(const struct operator_list *list)
{
    struct sums sums = {0};
    for (int i = 0; i < list->n_prologue; i++)
        add(&sums, &list->prologue[i]);
    for (int i = 0; i < list->n_epilogue; i++)
        add(&sums, &list->epilogue[i]);
    for (int64_t e = 0; e < schedule_executions(&list->schedule); e++) {
        const struct block_ops *block = ops_class(list, e);
        for (int i = 0; i < block->n_ops; i++)
            add(&sums, &block->ops[i]);
    }
    return sums;
}

static struct sums decode(const char *preset, int64_t context)
{
    struct transformer net;
    struct operator_list list;
    open_preset(preset, &net);
    assert_int_equal(ops_decode(&net, context, &list, &err), STATUS_OK);
    struct sums sums = sum_pass(&list);
    ops_release(&list);
    transformer_release(&net);
    return sums;
}

static struct sums prefill(const char *preset, int64_t prompt)
{
    struct transformer net;
    struct operator_list list;
    open_preset(preset, &net);
    assert_int_equal(ops_prefill(&net, prompt, &list, &err), STATUS_OK);
    struct sums sums = sum_pass(&list);
    ops_release(&list);
    transformer_release(&net);
    return sums;
}

/* Two bytes for each published parameter, less the rows of tables that a pass does not look up. */
static void every_preset_reads_what_was_published_less_unread_rows(void **state)
{
    (void)state;
    enum { PROMPT = 7 };
    struct preset_list list;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    for (size_t i = 0; i < list.n; i++) {
        struct transformer net;
        struct operator_list ops;
        struct op_totals totals;
        open_preset(list.items[i].name, &net);
        assert_int_equal(ops_prefill(&net, PROMPT, &ops, &err), STATUS_OK);
        ops_totals(&ops, &totals);
        int64_t token_row = 2 * net.d_embed, position_row = net.position_rows ? 2 * net.d_model : 0;
        int64_t expected = 2 * list.items[i].params - net.position_rows * position_row +
                           PROMPT * (token_row + position_row);
        if (!net.tie_embeddings)
            expected -= net.vocab_size * token_row;
        for (int c = 0; c < ops.n_classes; c++)
            for (int g = 0; g < ops.classes[c].n_groups; g++)
                expected -= ops.classes[c].n_blocks * ops.classes[c].groups[g].unread_bytes;
        if (totals.distinct_weight_bytes != expected)
            fail_msg("%s: %lld, expected %lld", list.items[i].name,
                     (long long)totals.distinct_weight_bytes, (long long)expected);
        ops_release(&ops);
        transformer_release(&net);
    }
    preset_list_release(&list);
}

/* GPT-2 and its kin: 12 d^2 weights a layer, two FLOPs each. */
static void plain_blocks_multiply_24_d_squared_a_layer(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int64_t n, d, vocab, embed;
        int ropes;
    } models[] = {
        {"cerebras-gpt-111m", 10, 768, 50257, 768, 0},
        {"lamini-gpt-1.5b", 48, 1600, 50258, 1600, 0},
        {"galactica-125m", 12, 768, 50000, 768, 0},
        {"opt-125m", 12, 768, 50272, 768, 0},
        {"opt-350m", 24, 1024, 50272, 512, 0},
        {"gpt-neo-125m", 12, 768, 50257, 768, 0},
        {"pythia-410m", 24, 1024, 50304, 1024, 1},
        {"bloom-560m", 24, 1024, 250880, 1024, 0},
        {"falcon-rw-1b", 24, 2048, 50304, 2048, 0},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        int64_t n = models[i].n, d = models[i].d, e = models[i].embed, c = 100;
        struct sums sums = decode(models[i].preset, c);
        int64_t projections = e == d ? 0 : 2 * 2 * e * d;
        assert_int_equal(sums.matmul_flop, n * 24 * d * d + 2 * models[i].vocab * e + projections);
        assert_int_equal(sums.attention_flop, n * 4 * d * (c + 1));
        assert_int_equal(sums.kv_read, n * c * 2 * d * 2);
        assert_int_equal(sums.kv_write, n * 2 * d * 2);
        assert_int_equal(sums.ropes, models[i].ropes * n);
        struct sums first = prefill(models[i].preset, c);
        assert_int_equal(first.matmul_flop - 2 * models[i].vocab * e - projections / 2,
                         c * (n * 24 * d * d + projections / 2));
        assert_int_equal(first.attention_flop, n * 4 * d * (c * (c + 1) / 2));
    }
}

/* Two d^2, two d kv and three d f. */
static void gated_blocks_with_grouped_heads_multiply_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int64_t executions, d, q, kv, f, vocab;
    } models[] = {
        {"mobilellm-125m", 30, 576, 576, 192, 1536, 32000},
        {"mobilellm-ls-125m", 60, 576, 576, 192, 1536, 32000},
        {"mobilellm-60-layer", 60, 576, 576, 192, 1536, 32000},
        {"mobilellm-r1-140m", 15, 576, 576, 192, 2048, 128256},
        {"qwen1.5-1.8b", 24, 2048, 2048, 2048, 5504, 151936},
        {"mobillama-05b", 22, 2048, 2048, 2048, 5632, 32000},
        {"tinyllama-1.1b", 22, 2048, 2048, 256, 5632, 32000},
        {"qwen3-0.6b", 28, 1024, 2048, 1024, 3072, 151936},
        {"llama-3.2-1b", 16, 2048, 2048, 512, 8192, 128256},
        {"smollm2-135m", 30, 576, 576, 192, 1536, 49152},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        int64_t n = models[i].executions, d = models[i].d, q = models[i].q, kv = models[i].kv;
        struct sums sums = decode(models[i].preset, 1023);
        assert_int_equal(sums.matmul_flop, n * 2 * (2 * d * q + 2 * d * kv + 3 * d * models[i].f) +
                                               2 * models[i].vocab * d);
        assert_int_equal(sums.attention_flop, n * 4 * q * 1024);
        assert_int_equal(sums.kv_read, n * 1023 * 2 * kv * 2);
        assert_int_equal(sums.ropes, n);
    }
}

static void norms_run_as_often_as_the_family_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int64_t norms;
    } models[] = {
        {"opt-125m", 2 * 12 + 1},          {"opt-350m", 2 * 24}, /* post-norm, no final norm */
        {"pythia-160m", 2 * 12 + 1}, /* parallel, a norm for each branch */
        {"bloom-560m", 2 * 24 + 2},  /* and one after the token table */
        {"rwkv-4-169m", 2 * 12 + 2},       {"gemma-3-270m", 4 * 18 + 1}, /* sandwich */
        {"mobilellm-ls-125m", 2 * 60 + 1},                               /* every execution norms */
        {"falcon-rw-1b", 2 * 24 + 1},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        assert_int_equal(decode(models[i].preset, 5).norms, models[i].norms);
}

static void one_norm_serves_both_branches_of_phi_and_falcon_7b(void **state)
{
    (void)state;
    static const char *const configs[] = {
        "{\"model_type\": \"phi\", \"hidden_size\": 64, \"num_hidden_layers\": 3, "
        "\"num_attention_heads\": 4, \"intermediate_size\": 256, \"vocab_size\": 100}",
        "{\"model_type\": \"falcon\", \"hidden_size\": 64, \"num_hidden_layers\": 3, "
        "\"num_attention_heads\": 4, \"vocab_size\": 100}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct transformer net;
        struct operator_list list;
        assert_int_equal(
            hf_config_parse("inline", configs[i], (int64_t)strlen(configs[i]), &net, NULL, &err),
            STATUS_OK);
        assert_int_equal(ops_decode(&net, 0, &list, &err), STATUS_OK);
        assert_int_equal(sum_pass(&list).norms, 3 + 1);
        ops_release(&list);
    }
}

/* Every second layer of GPT-Neo sees 256 tokens; five of six layers of Gemma 3 see 512. */
static void windows_bound_attention_and_cache(void **state)
{
    (void)state;
    int64_t c = 1000;
    struct sums neo = decode("gpt-neo-125m", c);
    assert_int_equal(neo.attention_flop, 4 * 768 * (6 * (c + 1) + 6 * 256));
    assert_int_equal(neo.kv_read, 2 * 768 * 2 * (6 * c + 6 * 255));
    struct sums short_neo = decode("gpt-neo-125m", 255);
    assert_int_equal(short_neo.attention_flop, 4 * 768 * 12 * 256);
    struct sums first = prefill("gpt-neo-125m", c);
    int64_t all = c * (c + 1) / 2, near = 256 * 257 / 2 + (c - 256) * 256;
    assert_int_equal(first.attention_flop, 4 * 768 * (6 * all + 6 * near));

    struct sums gemma = decode("gemma-3-1b", c);
    assert_int_equal(gemma.attention_flop, 4 * 4 * 256 * (4 * (c + 1) + 22 * 512));
    assert_int_equal(gemma.kv_read, 2 * 256 * 2 * (4 * c + 22 * 511));

    struct transformer net;
    open_preset("gemma-3-1b", &net);
    assert_int_equal(transformer_kv_bytes(&net, c), 2 * 256 * 2 * (4 * c + 22 * 512));
    assert_int_equal(transformer_kv_bytes(&net, 100), 2 * 256 * 2 * 26 * 100);
    transformer_release(&net);
}

/* Four d^2 of time mixing; key and value d x 4d, receptance d^2; five vectors of state a layer. */
static void rwkv_carries_a_state_instead_of_a_cache(void **state)
{
    (void)state;
    int64_t n = 12, d = 768, vocab = 50277;
    struct sums early = decode("rwkv-4-169m", 0), late = decode("rwkv-4-169m", 1000);
    assert_int_equal(early.matmul_flop, n * 2 * 13 * d * d + 2 * vocab * d);
    assert_int_equal(early.attention_flop, 0);
    assert_int_equal(early.kv_read, n * 5 * d * 4);
    assert_int_equal(early.kv_write, n * 5 * d * 4);
    assert_memory_equal(&early, &late, sizeof early);
    struct transformer net;
    open_preset("rwkv-4-169m", &net);
    assert_int_equal(transformer_kv_bytes_per_token(&net), 0);
    assert_int_equal(transformer_kv_bytes(&net, 1), transformer_kv_bytes(&net, 1000));
}

/* MobileLLM-LS stores 30 blocks and reads 60; MobiLlama stores one FFN and reads it 22 times. */
static void shared_weights_are_stored_once_and_read_every_time(void **state)
{
    (void)state;
    int64_t block = 3540096 * 2, edges = 2 * (32000 * 576 + 576 + 576);
    assert_int_equal(decode("mobilellm-125m", 0).weight_read, 30 * block + edges);
    assert_int_equal(decode("mobilellm-ls-125m", 0).weight_read, 60 * block + edges);

    int64_t d = 2048, ffn = 2 * 3 * d * 5632, own = 2 * (4 * d * d + 2 * d);
    struct sums sums = decode("mobillama-05b", 0);
    assert_int_equal(sums.weight_read, 22 * (own + ffn) + 2 * (32000 * d + d + d));
    struct transformer net;
    struct operator_list list;
    struct op_totals totals;
    open_preset("mobillama-05b", &net);
    assert_int_equal(ops_decode(&net, 0, &list, &err), STATUS_OK);
    ops_totals(&list, &totals);
    assert_int_equal(sums.weight_read - totals.distinct_weight_bytes, 21 * ffn);
    ops_release(&list);
}

/* What a family adds to its matrices: biases of q, k, v (Qwen 2), weights of the q and k norms
 * (Qwen 3, Gemma 3) or none of them (MobileLLM-R1). */
static void vectors_beside_the_matrices_are_in_the_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int64_t attention_bytes;
    } models[] = {
        {"qwen2.5-0.5b", 2 * (2 * 896 * 896 + 2 * 896 * 128 + 896 + 2 * 128 + 2 * 896)},
        {"qwen3-0.6b", 2 * (2 * 1024 * 2048 + 2 * 1024 * 1024 + 2 * 128 + 2 * 1024)},
        {"gemma-3-270m", 2 * (2 * 640 * 1024 + 2 * 640 * 256 + 2 * 256 + 4 * 640)},
        {"mobilellm-r1-140m", 2 * (2 * 576 * 576 + 2 * 576 * 192 + 2 * 576)},
        {"gpt-neo-125m", 2 * (4 * 768 * 768 + 768 + 4 * 768)},
        {"opt-125m", 2 * (4 * 768 * 768 + 4 * 768 + 4 * 768)},
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct transformer net;
        struct operator_list list;
        open_preset(models[i].preset, &net);
        assert_int_equal(ops_decode(&net, 0, &list, &err), STATUS_OK);
        assert_int_equal(ops_class(&list, 0)->groups[GROUP_OWN].bytes, models[i].attention_bytes);
        ops_release(&list);
        transformer_release(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset_reads_what_was_published_less_unread_rows),
        cmocka_unit_test(plain_blocks_multiply_24_d_squared_a_layer),
        cmocka_unit_test(gated_blocks_with_grouped_heads_multiply_as_written),
        cmocka_unit_test(norms_run_as_often_as_the_family_has_them),
        cmocka_unit_test(one_norm_serves_both_branches_of_phi_and_falcon_7b),
        cmocka_unit_test(windows_bound_attention_and_cache),
        cmocka_unit_test(rwkv_carries_a_state_instead_of_a_cache),
        cmocka_unit_test(shared_weights_are_stored_once_and_read_every_time),
        cmocka_unit_test(vectors_beside_the_matrices_are_in_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
