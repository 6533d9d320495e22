/* The runtime against a plain double-precision network that shares no code with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu.h"
#include "runtime/runner.h"
#include "tests/naive_network.h"
#include "tests/random_net.h"

enum { TOKENS = 14 };

static void draw_tokens(struct rng *rng, const struct transformer *net, int32_t *tokens)
{
    for (int i = 0; i < TOKENS; i++)
        tokens[i] = (int32_t)rng_between(rng, 0, net->vocab_size - 1);
}

/* A network that the runtime runs, small, of the given type; heads and widths of every kind. */
static void draw_net(struct rng *rng, enum dtype dtype, struct transformer *net)
{
    random_net(rng, net);
    net->d_model = net->d_embed = 32 * rng_between(rng, 1, 5);
    net->vocab_size = rng_between(rng, 30, 300);
    net->stack.first.n_kv_heads = rng_between(rng, 1, 4);
    net->stack.first.n_heads = net->stack.first.n_kv_heads * rng_between(rng, 1, 3);
    net->stack.first.d_head = 8 * rng_between(rng, 1, 8);
    net->stack.first.d_ff = 16 * rng_between(rng, 1, 12);
    net->stack.first.window = rng_between(rng, 0, 2) == 0 ? rng_between(rng, 1, 20) : 0;
    net->schedule.n_layers = rng_between(rng, 1, 3);
    net->max_context = 64;
    net->position_rows = net->position == POSITION_LEARNED ? 66 : 0;
    net->rope_frac = rng_between(rng, 0, 1) ? 1 : 0.5;
    if (net->tie_embeddings)
        net->biases &= ~(unsigned)BIAS_HEAD;
    if (rng_between(rng, 0, 4) == 0)
        net->d_embed = 32;
    net->stack.first.is_unturned = rng_between(rng, 0, 4) == 0;
    if (net->ffn == FFN_XIELU) /* these two are priced only */
        net->ffn = FFN_RELU2;
    if (net->qk_norm == QK_NORM_HEADS)
        net->qk_norm = QK_NORM_WHOLE;
    net->embed_scale = rng_between(rng, 0, 2) == 0 ? 3 : 0;
    net->residual_scale = rng_between(rng, 0, 2) == 0 ? 0.5 : 0;
    net->logit_scale = rng_between(rng, 0, 2) == 0 ? 0.25 : 0;
    /* No network caps logits that alibi has shifted, and the order would have to be agreed. */
    if (net->position != POSITION_ALIBI)
        net->attention_softcap = rng_between(rng, 0, 3) == 0 ? 5 : 0;
    net->logit_softcap = rng_between(rng, 0, 3) == 0 ? 4 : 0;
    transformer_set_dtype(net, dtype);
    net->kv_dtype = DTYPE_F32;
    if (dtype_block_elems(dtype) >
        1) { /* deep random networks amplify the rounding of activations */
        net->schedule.n_layers = rng_between(rng, 1, 2);
        net->schedule.repeats = net->schedule.repeats > 1 ? 2 : 1;
    }
}

static double nmse(int64_t n, const float *x, const double *reference)
{
    double error = 0, power = 0;
    for (int64_t i = 0; i < n; i++) {
        error += ((double)x[i] - reference[i]) * ((double)x[i] - reference[i]);
        power += reference[i] * reference[i];
    }
    return error / (power + 1e-30);
}

/* Prefill of the first part, then token by token: every path must give the naive network's logits.
 */
static double worst_nmse(const struct transformer *net, uint64_t seed, int n_threads,
                         int64_t prompt, const int32_t *tokens)
{
    struct weights weights;
    struct runner *runner;
    struct err err;
    unsigned isa;
    double worst = 0, *expected = malloc((size_t)net->vocab_size * sizeof *expected);
    if (cpu_isa(NULL, &isa, &err) || weights_random(net, seed, n_threads, &weights, &err))
        fail_msg("%s", err.message);
    struct runner_options options = {
        .n_threads = n_threads, .max_context = net->max_context, .max_batch = 7, .isa = isa};
    if (runner_create(net, &weights, &options, &runner, &err))
        fail_msg("%s", err.message);
    for (int64_t n = prompt; n <= TOKENS; n++) {
        enum status status = n == prompt ? runner_prefill(runner, tokens, n, &err)
                                         : runner_decode(runner, tokens[n - 1], &err);
        if (status)
            fail_msg("%s", err.message);
        if (n > prompt + 1 && n < TOKENS)
            continue; /* the naive network starts over each time */
        naive_logits(net, &weights, tokens, n, expected);
        double error = nmse(net->vocab_size, runner_logits(runner), expected);
        worst = error > worst || isnan(error) ? error : worst;
    }
    runner_free(runner);
    weights_release(&weights);
    free(expected);
    return worst;
}

/* f32, f16 and bf16 weights are exact in f32: what is left is rounding in sums. q8_0 and q4_0
 * weights meet activations rounded to 1/127 of the largest of 32: at most (4 / 127)^2 / 12 = 8e-5
 * of their power where the largest is 4 times the rest, four times an execution; attention and
 * gates may double it twice. */
static double error_bound(const struct transformer *net)
{
    if (dtype_block_elems(net->block_dtype) == 1)
        return 1e-8;
    return 4 * 8.3e-5 * (double)(2 + 4 * schedule_executions(&net->schedule));
}

static void all_kinds_of_network_equal_the_naive_one(void **state)
{
    (void)state;
    static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_BF16};
    struct rng rng;
    rng_init(&rng, 41);
    for (int round = 0; round < 120 / LATHE_FEWER; round++) {
        struct transformer net;
        int32_t tokens[TOKENS];
        draw_net(&rng, types[round % 5], &net);
        if (transformer_check(&net, NULL))
            continue;
        draw_tokens(&rng, &net, tokens);
        double error = worst_nmse(&net, (uint64_t)round, round % 6 == 5 ? 2 : 1,
                                  rng_between(&rng, 1, TOKENS), tokens);
        if (!(error <= error_bound(&net)))
            fail_msg("round %d, %s: NMSE %g above %g", round, dtype_name(net.block_dtype), error,
                     error_bound(&net));
    }
}

/* Executions in the order and with the weights of a network whose blocks are written out by hand. */
static void blocks_that_repeat_by_themselves_equal_a_network_written_out(void **state)
{
    (void)state;
    static const int64_t reruns[] = {1, 0, 2}, order[] = {0, 0, 1, 2, 2, 2};
    enum { DISTINCT = 3, ALL = 6 };
    struct transformer net, out;
    struct weights weights = {0}, written;
    struct block blocks[DISTINCT];
    struct block_weights all[ALL];
    struct runner *runner;
    struct err err;
    struct rng rng;
    unsigned isa;
    int32_t tokens[TOKENS];
    double expected[300];
    rng_init(&rng, 43);
    transformer_init(&net, 64, DISTINCT, 4, 2, 16, 96, 300);
    transformer_set_dtype(&net, DTYPE_F32);
    net.kv_dtype = DTYPE_F32;
    for (int i = 0; i < DISTINCT; i++) {
        blocks[i] = net.stack.first;
        blocks[i].d_ff = i == 1 ? 160 : 96;
        blocks[i].reruns = reruns[i];
    }
    assert_int_equal(stack_set(&net.stack, blocks, DISTINCT, NULL), STATUS_OK);
    assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
    assert_int_equal(net.schedule.sharing, SHARING_BY_BLOCK);
    assert_int_equal(transformer_expand(&net, &out, NULL), STATUS_OK);
    assert_int_equal(out.schedule.n_layers, ALL);
    draw_tokens(&rng, &net, tokens);
    if (cpu_isa(NULL, &isa, &err) || weights_random(&net, 3, 1, &weights, &err))
        fail_msg("%s", err.message);
    written = weights;
    written.blocks = all;
    for (int i = 0; i < ALL; i++)
        all[i] = weights.blocks[order[i]];
    struct runner_options options = {.n_threads = 2, .max_context = 64, .max_batch = 5, .isa = isa};
    if (runner_create(&net, &weights, &options, &runner, &err))
        fail_msg("%s", err.message);
    assert_int_equal(runner_prefill(runner, tokens, TOKENS - 2, &err), STATUS_OK);
    for (int n = TOKENS - 1; n <= TOKENS; n++) {
        assert_int_equal(runner_decode(runner, tokens[n - 1], &err), STATUS_OK);
        naive_logits(&out, &written, tokens, n, expected);
        assert_true(nmse(300, runner_logits(runner), expected) < 1e-8);
    }
    runner_free(runner);
    weights_release(&weights);
    transformer_release(&net);
    transformer_release(&out);
}

static void threads_and_batches_do_not_change_the_tokens(void **state)
{
    (void)state;
    struct transformer net;
    struct weights weights;
    struct err err;
    unsigned isa;
    int32_t tokens[TOKENS], first[TOKENS] = {0};
    struct rng rng;
    rng_init(&rng, 42);
    transformer_init(&net, 192, 3, 6, 2, 32, 512, 500);
    net.schedule = (struct schedule){SHARING_IMMEDIATE, 3, 2, false};
    draw_tokens(&rng, &net, tokens);
    assert_int_equal(cpu_isa(NULL, &isa, &err), STATUS_OK);
    assert_int_equal(weights_random(&net, 1, 2, &weights, &err), STATUS_OK);
    for (int variant = 0; variant < 4; variant++) {
        struct runner *runner;
        struct runner_options options = {.n_threads = 1 + variant % 2,
                                         .max_context = 128,
                                         .max_batch = variant < 2 ? 512 : 5,
                                         .isa = isa};
        if (runner_create(&net, &weights, &options, &runner, &err))
            fail_msg("%s", err.message);
        assert_int_equal(runner_prefill(runner, tokens, TOKENS, &err), STATUS_OK);
        for (int i = 0; i < TOKENS; i++) {
            int32_t next = runner_argmax(runner);
            if (variant == 0)
                first[i] = next;
            assert_int_equal(next, first[i]);
            assert_int_equal(runner_decode(runner, next, &err), STATUS_OK);
        }
        runner_free(runner);
    }
    weights_release(&weights);
}

static void shared_blocks_are_stored_once(void **state)
{
    (void)state;
    struct transformer net;
    struct weights once, shared;
    transformer_init(&net, 128, 4, 4, 2, 32, 256, 100);
    assert_int_equal(weights_random(&net, 1, 1, &once, NULL), STATUS_OK);
    net.schedule = (struct schedule){SHARING_REVERSE, 4, 3, false};
    assert_int_equal(weights_random(&net, 1, 1, &shared, NULL), STATUS_OK);
    assert_int_equal(once.bytes, shared.bytes);
    assert_memory_equal(once.memory, shared.memory, (size_t)once.memory_bytes);
    weights_release(&once);
    net.schedule = (struct schedule){SHARING_NONE, 4, 1, true};
    assert_int_equal(weights_random(&net, 1, 1, &once, NULL), STATUS_OK);
    assert_ptr_equal(once.blocks[3].down.data, once.blocks[0].down.data);
    assert_true(once.bytes < shared.bytes);
    weights_release(&once);
    weights_release(&shared);
}

static void what_cannot_run_is_refused_before_anything_is_touched(void **state)
{
    (void)state;
    struct transformer net;
    struct weights weights;
    struct runner *runner;
    struct err err;
    unsigned isa;
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    transformer_init(&net, 768, 12, 0, 0, 0, 3072, 1000);
    net.stack.first.mixer = MIXER_RWKV, net.ffn = FFN_RWKV_CHANNEL, net.position = POSITION_NONE;
    assert_int_equal(weights_random(&net, 1, 1, &weights, &err), STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "RWKV"));
    transformer_init(&net, 1 << 15, 4000, 256, 256, 128, 1 << 17, 32000);
    assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
    assert_int_equal(weights_random(&net, 1, 1, &weights, &err), STATUS_NOMEM);
    assert_non_null(strstr(err.message, "more"));
    transformer_init(&net, 64, 1, 1, 1, 64, 64, 100);
    transformer_set_dtype(&net, DTYPE_Q3_K);
    assert_int_equal(weights_random(&net, 1, 1, &weights, &err), STATUS_UNSUPPORTED);
    transformer_set_dtype(&net, DTYPE_F32);
    assert_int_equal(weights_random(&net, 1, 1, &weights, &err), STATUS_OK);
    struct runner_options options = {.n_threads = 0, .max_context = 10, .isa = isa};
    assert_int_equal(runner_create(&net, &weights, &options, &runner, &err), STATUS_RANGE);
    options.n_threads = 1;
    options.max_context = 2049;
    assert_int_equal(runner_create(&net, &weights, &options, &runner, &err), STATUS_RANGE);
    options.max_context = 2;
    assert_int_equal(runner_create(&net, &weights, &options, &runner, &err), STATUS_OK);
    int32_t tokens[3] = {1, 2, 3}, bad = 100;
    assert_int_equal(runner_prefill(runner, tokens, 3, &err), STATUS_RANGE);
    assert_int_equal(runner_decode(runner, bad, &err), STATUS_RANGE);
    assert_int_equal(runner_prefill(runner, tokens, 2, &err), STATUS_OK);
    assert_int_equal(runner_decode(runner, 1, &err), STATUS_RANGE);
    runner_free(runner);
    weights_release(&weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_of_network_equal_the_naive_one),
        cmocka_unit_test(blocks_that_repeat_by_themselves_equal_a_network_written_out),
        cmocka_unit_test(threads_and_batches_do_not_change_the_tokens),
        cmocka_unit_test(shared_blocks_are_stored_once),
        cmocka_unit_test(what_cannot_run_is_refused_before_anything_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
