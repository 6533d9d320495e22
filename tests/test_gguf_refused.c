/* What a GGUF file cannot say is refused, with the reason and without a file. */
#include "tests/written_gguf.h"

#include <string.h>
#include <unistd.h>

#include "tests/temporary_folder.h"

static void assert_refused(const struct transformer *net, const struct gguf_write_options *options,
                           const char *expected)
{
    struct err err = {""};
    char folder[TEMPORARY_MOST];
    assert_int_equal(temporary_make(folder), 0);
    assert_int_equal(gguf_write(net, temporary_path(folder, "x.gguf"), options, NULL, &err),
                     STATUS_UNSUPPORTED);
    if (strstr(err.message, expected) == NULL)
        fail_msg("'%s', expected '%s'", err.message, expected);
    assert_int_equal(rmdir(folder), 0); /* nothing is in it */
}

static void what_the_format_cannot_say_is_refused_with_the_reason(void **state)
{
    (void)state;
    struct transformer net = small();
    const struct gguf_write_options strict = {.seed = 1, .expand_shared = false};
    net.schedule.sharing = SHARING_IMMEDIATE;
    net.schedule.repeats = 2;
    assert_refused(&net, &strict, "blocks are shared");
    net = small();
    net.schedule.share_ffn = true;
    assert_refused(&net, &strict, "blocks are shared");

    net = small();
    net.ffn = FFN_GELU;
    assert_refused(&net, &expanding, "the FFN is not SwiGLU");
    net = small();
    net.norm = NORM_LAYER;
    assert_refused(&net, &expanding, "norms other than RMS");
    net = small();
    net.position = POSITION_ALIBI;
    assert_refused(&net, &expanding, "positions other than rotary");
    net = small();
    net.stack.first = (struct block){.mixer = MIXER_NONE, .d_ff = 96};
    assert_refused(&net, &expanding, "no layer has attention");
    net = small();
    net.biases = BIAS_HEAD;
    assert_refused(&net, &expanding, "a bias on the head");
    net = small();
    net.embed_scale = 8;
    assert_refused(&net, &expanding, "scaled embeddings");
    net = small();
    net.d_embed = 32;
    assert_refused(&net, &expanding, "factored");
    net = small();
    net.vocab_size = 258;
    assert_refused(&net, &expanding, "a runtime needs 259 pieces");
}

/* Blocks 0 and 1 of two. */
static void assert_stack_refused(struct block first, struct block second,
                                 void (*change)(struct transformer *), const char *expected)
{
    struct transformer net = small();
    net.schedule.n_layers = 2;
    assert_int_equal(stack_set(&net.stack, (struct block[]){first, second}, 2, NULL), STATUS_OK);
    if (change != NULL)
        change(&net);
    assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
    assert_refused(&net, &expanding, expected);
    transformer_release(&net);
}

static void norm_queries(struct transformer *net)
{
    net->qk_norm = QK_NORM_WEIGHTED;
}

static void norm_queries_untied(struct transformer *net)
{
    norm_queries(net);
    net->tie_embeddings = false;
}

static void become_gemma3(struct transformer *net)
{
    net->ffn = FFN_GEGLU;
    net->embed_scale = 8;
    net->norm_placement = NORM_SANDWICH;
    net->qk_norm = QK_NORM_WEIGHTED;
}

static void add_biases(struct transformer *net)
{
    net->biases = BIAS_FFN;
}

static void layers_that_no_architecture_holds_are_refused_with_each_ones_reason(void **state)
{
    (void)state;
    const struct block a = small().stack.first, none = {.mixer = MIXER_NONE, .d_ff = 96};
    struct block b = a;
    b.d_head = 32;
    assert_stack_refused(a, b, NULL, "d_head differs by layer");
    b = a;
    b.window = 16;
    assert_stack_refused(
        b, none, NULL,
        "no architecture of llama.cpp holds these layers: llama has one shape of "
        "layer, deci has no windows, openelm has no windows, mimo2 needs attention "
        "in every layer");
    assert_stack_refused(a, b, norm_queries, "openelm has no windows, mimo2 has no norms of q");
    assert_stack_refused(a, b, add_biases, "mimo2 has no biases");
    b.d_ff = 64;
    assert_stack_refused(a, b, NULL, "mimo2 has one d_ff for all layers");
    b = a;
    b.window = 8;
    struct block c = a;
    c.window = 16;
    assert_stack_refused(b, c, NULL, "mimo2 has one window for all layers that have one");
    assert_stack_refused(none, a, NULL, "deci needs attention in the first layer");
    assert_stack_refused(a, none, norm_queries,
                         "deci has no norms of q and k, openelm needs attention in every layer");
    b = a;
    b.n_kv_heads = 4;
    c.window = 16;
    assert_stack_refused(a, c, become_gemma3,
                         "gemma has no norms after attention and FFN or of q and k, gemma2 has "
                         "norms after attention and FFN, not of q and k, gemma3 has one shape of "
                         "layer, and a window in five of six");
    assert_stack_refused(a, b, norm_queries_untied, "openelm needs a head tied to the token table");
}

static void rows_that_are_no_whole_blocks_are_refused_by_their_dimension(void **state)
{
    (void)state;
    struct transformer net;
    transformer_init(&net, 96, 2, 3, 3, 32, 100, 300);
    transformer_set_dtype(&net, DTYPE_Q4_0);
    assert_refused(&net, &expanding, "d_ff is 100, not a multiple of 32");
    transformer_init(&net, 96, 2, 3, 3, 20, 96, 300);
    net.block_dtype = DTYPE_Q8_0;
    assert_refused(&net, &expanding, "n_heads * d_head is 60, not a multiple of 32");
    transformer_init(&net, 90, 2, 3, 3, 30, 96, 300);
    net.embedding_dtype = net.head_dtype = DTYPE_Q8_0;
    assert_refused(&net, &expanding, "the token table of type q8_0");
    transformer_set_dtype(&net, DTYPE_B1);
    assert_refused(&net, &expanding, "type b1 of the token table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_format_cannot_say_is_refused_with_the_reason),
        cmocka_unit_test(layers_that_no_architecture_holds_are_refused_with_each_ones_reason),
        cmocka_unit_test(rows_that_are_no_whole_blocks_are_refused_by_their_dimension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
