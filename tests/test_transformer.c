/* Parameter counts, bytes and checks of a network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/count.h"
#include "model/ops.h"
#include "model/transformer.h"
#include "tests/random_net.h"

static int64_t total(const struct transformer *net)
{
    struct param_count count;
    transformer_count(net, &count);
    return count.total;
}

/* Published counts: MobileLLM, Table 9 and the hub checkpoints. */
static void mobilellm_counts_are_exact(void **state)
{
    (void)state;
    static const struct {
        int64_t d, layers, heads, kv, ff, count;
    } models[] = {
        {576, 30, 9, 3, 1536, 124635456},    {960, 32, 15, 5, 2560, 345355200},
        {1152, 40, 18, 6, 3072, 603188352},  {1280, 54, 20, 5, 3584, 1005461760},
        {1600, 54, 25, 5, 4352, 1511188800}, {576, 60, 9, 3, 1536, 230838336},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct transformer net;
        transformer_init(&net, models[i].d, models[i].layers, models[i].heads, models[i].kv, 64,
                         models[i].ff, 32000);
        assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
        assert_int_equal(total(&net), models[i].count);
    }
    struct transformer shared;
    transformer_init(&shared, 576, 30, 9, 3, 64, 1536, 32000);
    shared.schedule = (struct schedule){SHARING_IMMEDIATE, 30, 2, false};
    assert_int_equal(total(&shared), 124635456);
    assert_int_equal(schedule_executions(&shared.schedule), 60);
    struct weight_bytes bytes;
    transformer_weight_bytes(&shared, &bytes);
    assert_int_equal(bytes.total, 2 * 124635456);
}

/* Other families: shared rules of the checkpoints, counts from the hub. */
static void other_families_count_exactly(void **state)
{
    (void)state;
    struct transformer net;
    transformer_init(&net, 768, 12, 12, 12, 64, 3072, 50272); /* OPT-125M */
    net.ffn = FFN_RELU, net.norm = NORM_LAYER, net.norm_bias = true;
    net.biases = BIAS_QKV | BIAS_O | BIAS_FFN;
    net.position = POSITION_LEARNED, net.position_rows = 2050;
    assert_int_equal(total(&net), 125239296);

    net.d_model = 1024, net.d_embed = 512, net.schedule.n_layers = 24; /* OPT-350M */
    net.stack.first.n_heads = net.stack.first.n_kv_heads = 16, net.stack.first.d_ff = 4096;
    net.norm_placement = NORM_POST, net.final_norm = false;
    assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
    assert_int_equal(total(&net), 331196416);

    transformer_init(&net, 768, 12, 12, 12, 64, 3072, 50304); /* Pythia-160M */
    net.ffn = FFN_GELU, net.norm = NORM_LAYER, net.norm_bias = true;
    net.biases = BIAS_QKV | BIAS_O | BIAS_FFN, net.parallel_block = true;
    net.tie_embeddings = false;
    assert_int_equal(total(&net), 162322944);

    transformer_init(&net, 768, 12, 0, 0, 0, 3072, 50277); /* RWKV-4 169M */
    net.stack.first.mixer = MIXER_RWKV, net.ffn = FFN_RWKV_CHANNEL, net.norm = NORM_LAYER;
    net.norm_bias = true, net.position = POSITION_NONE, net.embed_norm = true;
    net.tie_embeddings = false;
    assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
    assert_int_equal(total(&net), 169342464);
}

static void bytes_of_f32_are_four_times_the_count(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 500; i++) {
        struct transformer net;
        struct weight_bytes bytes;
        random_net(&rng, &net);
        assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
        transformer_set_dtype(&net, DTYPE_F32);
        transformer_weight_bytes(&net, &bytes);
        assert_int_equal(bytes.total, 4 * total(&net));
        transformer_set_dtype(&net, DTYPE_BF16);
        transformer_weight_bytes(&net, &bytes);
        assert_int_equal(bytes.total, 2 * total(&net));
    }
}

static void a_list_of_equal_blocks_counts_like_a_uniform_stack(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (int i = 0; i < 200; i++) {
        struct transformer net;
        struct param_count uniform, listed;
        struct weight_bytes a, b;
        const int class_of_block[40] = {0};
        random_net(&rng, &net);
        transformer_count(&net, &uniform);
        transformer_weight_bytes(&net, &a);
        int64_t kv = transformer_kv_bytes(&net, 200);
        net.stack.class_of_block = class_of_block;
        transformer_count(&net, &listed);
        transformer_weight_bytes(&net, &b);
        assert_memory_equal(&uniform, &listed, sizeof uniform);
        assert_memory_equal(&a, &b, sizeof a);
        assert_int_equal(kv, transformer_kv_bytes(&net, 200));
    }
}

static void impossible_dimensions_are_named(void **state)
{
    (void)state;
    struct transformer good, net;
    struct err err;
    transformer_init(&good, 576, 30, 9, 3, 64, 1536, 32000);
#define EXPECT(change, word) \
    net = good, change; \
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE); \
    assert_non_null(strstr(err.message, word))
    EXPECT(net.schedule.n_layers = (int64_t)1 << 40, "n_layers");
    EXPECT(net.schedule.n_layers = 0, "n_layers");
    EXPECT(net.d_model = -1, "d_model");
    EXPECT(net.stack.first.n_kv_heads = 2, "n_kv_heads");
    EXPECT(net.stack.first.d_head = 63, "d_head");
    EXPECT(net.stack.first.d_ff = 0, "d_ff");
    EXPECT(net.vocab_size = INT64_MAX, "vocab_size");
    EXPECT(net.schedule.repeats = 2, "sharing");
    EXPECT(net.position = POSITION_LEARNED, "position_rows");
    EXPECT(net.head_dtype = DTYPE_Q8_0, "tied head");
    EXPECT(net.parallel_shared_norm = true, "parallel block");
    EXPECT((net.parallel_block = true, net.norm_placement = NORM_POST), "pre-norm");
    EXPECT(net.ffn = FFN_RWKV_CHANNEL, "RWKV");
    EXPECT((net.stack.first.mixer = MIXER_RWKV), "RWKV");
    EXPECT((net.stack.first.mixer = MIXER_RWKV, net.ffn = FFN_RWKV_CHANNEL), "no heads");
    EXPECT((net.d_model = 1 << 20, net.stack.first.d_ff = 1 << 24, net.schedule.n_layers = 1 << 16),
           "too large");
#undef EXPECT
}

static void a_block_that_is_impossible_is_numbered(void **state)
{
    (void)state;
    struct transformer net;
    struct err err;
    struct block blocks[3];
    transformer_init(&net, 576, 3, 9, 3, 64, 1536, 32000);
    blocks[0] = blocks[1] = blocks[2] = net.stack.first;
    blocks[2].d_ff = 1024;
    assert_int_equal(stack_set(&net.stack, blocks, 3, NULL), STATUS_OK);
    assert_int_equal(transformer_check(&net, &err), STATUS_OK);
    net.schedule.share_ffn = true;
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "block 2 has 1024, block 0 has 1536"));
    blocks[1].mixer = MIXER_RWKV;
    assert_int_equal(stack_set(&net.stack, blocks, 3, NULL), STATUS_OK);
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "block 1: RWKV"));
    transformer_release(&net);
}

static void the_cache_of_a_window_stops_growing(void **state)
{
    (void)state;
    struct transformer net;
    transformer_init(&net, 576, 30, 9, 3, 64, 1536, 32000);
    assert_int_equal(transformer_kv_bytes_per_token(&net), 30 * 2 * 3 * 64 * 2);
    assert_int_equal(transformer_kv_bytes(&net, 1000), 1000 * 30 * 2 * 3 * 64 * 2);
    net.stack.first.window = 100;
    assert_int_equal(transformer_kv_bytes(&net, 1000), 100 * 30 * 2 * 3 * 64 * 2);
    net.schedule = (struct schedule){SHARING_IMMEDIATE, 30, 2, false};
    assert_int_equal(transformer_kv_bytes(&net, 50), 50 * 60 * 2 * 3 * 64 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mobilellm_counts_are_exact),
        cmocka_unit_test(other_families_count_exactly),
        cmocka_unit_test(bytes_of_f32_are_four_times_the_count),
        cmocka_unit_test(a_list_of_equal_blocks_counts_like_a_uniform_stack),
        cmocka_unit_test(impossible_dimensions_are_named),
        cmocka_unit_test(a_block_that_is_impossible_is_numbered),
        cmocka_unit_test(the_cache_of_a_window_stops_growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
