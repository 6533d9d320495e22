/* What is written is what is read: networks of every kind that a file holds. */
#include "tests/written_gguf.h"

#include <math.h>
#include <string.h>

#include "base/stats.h"
#include "model/count.h"
#include "model/gguf_architecture.h"
#include "model/gguf_writable.h"

/* Everything that can be written, in dimensions that keep the files small. */
static void random_network(struct rng *rng, struct transformer *net)
{
    int64_t n_kv_heads = rng_between(rng, 1, 4), n_heads = n_kv_heads * rng_between(rng, 1, 4);
    int64_t d_head = 2 * rng_between(rng, 1, 6), d_model = rng_between(rng, 1, 12);
    int64_t d_ff = rng_between(rng, 1, 24);
    bool needs_blocks = false;
    enum dtype chosen[3];
    for (int i = 0; i < 3; i++) {
        chosen[i] = types[rng_between(rng, 0, N_TYPES - 1)];
        needs_blocks = needs_blocks || dtype_block_elems(chosen[i]) > 1;
    }
    if (needs_blocks) {
        n_kv_heads = n_heads = rng_between(rng, 1, 2);
        d_head = 32;
        d_model = 32;
        d_ff = 32 * rng_between(rng, 1, 2);
    }
    unsigned biases = (unsigned)rng_between(rng, 0, 7);
    bool norms_qk = rng_between(rng, 0, 3) == 0;
    if (!norms_qk && (biases & BIAS_QKV))
        d_model = n_heads * d_head;
    transformer_init(net, d_model, rng_between(rng, 1, 3), n_heads, n_kv_heads, d_head, d_ff,
                     rng_between(rng, 259, 280));
    net->max_context = rng_between(rng, 1, 1 << 20);
    net->biases = norms_qk ? 0 : biases;
    net->qk_norm = norms_qk ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    net->tie_embeddings = rng_between(rng, 0, 1);
    net->block_dtype = chosen[0];
    net->embedding_dtype = chosen[1];
    net->head_dtype = net->tie_embeddings ? chosen[1] : chosen[2];
    net->norm_eps = 1e-6;
    net->rope_theta = (double)rng_between(rng, 10000, 1000000);
    if (rng_between(rng, 0, 2) == 0) {
        net->schedule.sharing = (enum sharing)rng_between(rng, 1, SHARING_REVERSE);
        net->schedule.repeats = rng_between(rng, 2, 3);
    }
    net->schedule.share_ffn = rng_between(rng, 0, 5) == 0;
}

/* What a reader finds in the file of `net`: the blocks in the order of execution, no sharing. */
static void expand(const struct transformer *net, struct transformer *out)
{
    int64_t n = transformer_executions(net);
    struct stack stack = {.first = net->stack.first};
    const struct gguf_layout *layout = NULL;
    assert_int_equal(gguf_writable(net, true, &layout, NULL, NULL), STATUS_OK);
    if (!stack_is_uniform(&net->stack)) {
        struct block *blocks = calloc((size_t)n, sizeof *blocks);
        assert_non_null(blocks);
        for (int64_t i = 0; i < n; i++) {
            blocks[i] = *transformer_block(net, transformer_block_of(net, i));
            blocks[i].reruns = 0;
        }
        assert_int_equal(stack_set(&stack, blocks, n, NULL), STATUS_OK);
        free(blocks);
    }
    *out = *net;
    out->stack = stack;
    out->schedule = (struct schedule){.sharing = SHARING_NONE, .n_layers = n, .repeats = 1};
    if (out->qk_norm == QK_NORM_WEIGHTLESS)
        out->qk_norm = QK_NORM_NONE;
    if (layout->is_untied && net->tie_embeddings) {
        out->tie_embeddings = false;
        out->head_dtype = net->embedding_dtype;
    }
}

static void assert_round_trip(const struct transformer *net, uint64_t seed)
{
    struct transformer expected, back;
    struct written written;
    struct err err = {""};
    struct param_count count;
    int64_t n_elements = 0;
    assert_int_equal(transformer_check(net, &err), STATUS_OK);
    expand(net, &expected);
    write_to_memory(net, &(struct gguf_write_options){.seed = seed, .expand_shared = true}, NULL,
                    &written);
    if (gguf_architecture(&written.file, &back, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_true(transformer_same_shape(&expected, &back));
    assert_int_equal(back.block_dtype, net->block_dtype);
    assert_int_equal(back.embedding_dtype, net->embedding_dtype);
    assert_int_equal(back.head_dtype, net->head_dtype);
    assert_true(back.norm_eps == net->norm_eps);
    assert_true(back.rope_theta == net->rope_theta);
    transformer_count(&back, &count);
    for (int64_t i = 0; i < written.file.n_tensors; i++)
        n_elements += written.file.tensors[i].n_elements;
    assert_int_equal(count.total, n_elements);
    transformer_release(&back);
    transformer_release(&expected);
    release(&written);
}

static void drawn_networks_come_back_as_they_went(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 20);
    for (uint64_t i = 0; i < 10000 / LATHE_FEWER; i++) {
        struct transformer net;
        random_network(&rng, &net);
        assert_round_trip(&net, i);
    }
}

/* Layers that differ, as one of the architectures that hold such holds them. */
static void random_stack(struct rng *rng, struct transformer *net)
{
    enum { DECI, OPENELM, MIMO2, N_KINDS };
    int kind = (int)rng_between(rng, 0, N_KINDS - 1);
    int64_t n = rng_between(rng, 1, 9), d_head = 2 * rng_between(rng, 1, 6);
    int64_t d_ff = rng_between(rng, 1, 24), window = rng_between(rng, 1, 9);
    struct block blocks[9];
    unsigned biases = kind == DECI ? (unsigned)rng_between(rng, 0, 7) : 0;
    int64_t d_model = biases & BIAS_QKV ? 12 * d_head : rng_between(rng, 1, 12);
    for (int64_t i = 0; i < n; i++) {
        static const int64_t counts[] = {1, 2, 3, 4, 6, 12};
        int64_t n_heads = biases & BIAS_QKV ? 12 : counts[rng_between(rng, 0, 5)], n_kv_heads = 0;
        while (n_kv_heads == 0 || n_heads % n_kv_heads != 0)
            n_kv_heads = rng_between(rng, 1, n_heads);
        blocks[i] = (struct block){.n_heads = n_heads,
                                   .n_kv_heads = n_kv_heads,
                                   .d_head = d_head,
                                   .d_ff = kind == MIMO2 ? d_ff : rng_between(rng, 1, 24),
                                   .window = kind == MIMO2 && rng_between(rng, 0, 1) ? window : 0};
        if (kind == DECI && i > 0 && rng_between(rng, 0, 3) == 0)
            blocks[i] = (struct block){.mixer = MIXER_NONE, .d_ff = blocks[i].d_ff};
    }
    if (kind == MIMO2)
        blocks[rng_between(rng, 0, n - 1)].window = window;
    transformer_init(net, d_model, n, 1, 1, 2, 1, rng_between(rng, 259, 280));
    assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
    net->qk_norm = kind == OPENELM ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    net->tie_embeddings = kind == OPENELM || rng_between(rng, 0, 1);
    net->biases = biases;
    if (rng_between(rng, 0, 2) == 0) {
        net->schedule.sharing = (enum sharing)rng_between(rng, 1, SHARING_REVERSE);
        net->schedule.repeats = rng_between(rng, 2, 3);
    } else if (rng_between(rng, 0, 2) == 0) {
        for (int64_t i = 0; i < n; i++)
            blocks[i].reruns = rng_between(rng, 0, 2);
        assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
        assert_int_equal(transformer_settle(net, NULL), STATUS_OK);
    }
    net->schedule.share_ffn = kind == MIMO2 && rng_between(rng, 0, 5) == 0;
}

static void stacks_whose_layers_differ_come_back_as_they_went(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 21);
    for (uint64_t i = 0; i < 2000 / LATHE_FEWER; i++) {
        struct transformer net;
        random_stack(&rng, &net);
        assert_round_trip(&net, i);
        transformer_release(&net);
    }
}

static void gemmas_come_back_as_they_went(void **state)
{
    (void)state;
    for (int kind = 1; kind <= 3; kind++) {
        for (int64_t n = 1; n <= 13; n++) {
            struct transformer net;
            struct block blocks[13];
            transformer_init(&net, 24, n, 4, 2, 8, 40, 300);
            for (int64_t i = 0; i < n; i++) {
                blocks[i] = net.stack.first;
                blocks[i].window = (kind == 2 && i % 2 == 0) || (kind == 3 && i % 6 < 5) ? 16 : 0;
            }
            assert_int_equal(stack_set(&net.stack, blocks, n, NULL), STATUS_OK);
            net.ffn = FFN_GEGLU;
            net.embed_scale = sqrt(24);
            net.norm_placement = kind == 1 ? NORM_PRE : NORM_SANDWICH;
            net.qk_norm = kind == 3 ? QK_NORM_WEIGHTED : QK_NORM_NONE;
            net.attention_softcap = kind == 2 ? 50 : 0;
            net.logit_softcap = kind == 2 ? 30 : 0;
            assert_round_trip(&net, 1);
            transformer_release(&net);
        }
    }
}

static void a_written_file_cut_short_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct transformer net;
    struct written written;
    transformer_init(&net, 32, 1, 1, 1, 32, 32, 259);
    transformer_set_dtype(&net, DTYPE_Q4_0);
    write_to_memory(&net, &expanding, NULL, &written);
    const struct gguf_tensor *last = &written.file.tensors[written.file.n_tensors - 1];
    int64_t needed = last->offset + last->n_bytes;
    for (int64_t length = 0; length < needed; length++) {
        struct gguf file;
        struct err err;
        char *copy = malloc((size_t)length + 1);
        assert_non_null(copy);
        memcpy(copy, written.bytes, (size_t)length);
        assert_int_equal(gguf_parse("x", copy, length, &file, &err), STATUS_INPUT);
        gguf_close(&file);
        free(copy);
    }
    release(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_networks_come_back_as_they_went),
        cmocka_unit_test(stacks_whose_layers_differ_come_back_as_they_went),
        cmocka_unit_test(gemmas_come_back_as_they_went),
        cmocka_unit_test(a_written_file_cut_short_at_any_byte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
