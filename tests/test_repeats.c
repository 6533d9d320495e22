/* Blocks that say themselves how often they run: the form of such a network, its counts, and its time
 * by both clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "costmodel/totals.h"
#include "model/count.h"
#include "model/ops.h"
#include "quality/shape_of.h"
#include "tests/simulator_fixture.h"

enum { MAX_BLOCKS = 8 };

/* Blocks of a few kinds, each with its repeats: the same for all, or drawn. */
static void repeating_net(struct rng *rng, int64_t reruns, bool differ, struct transformer *net)
{
    struct block blocks[MAX_BLOCKS];
    int64_t n = rng_between(rng, 2, MAX_BLOCKS);
    small_net(rng, net);
    net->schedule = (struct schedule){.sharing = SHARING_NONE, .n_layers = n, .repeats = 1};
    net->schedule.share_ffn = rng_between(rng, 0, 3) == 0;
    for (int64_t i = 0; i < n; i++) {
        blocks[i] = net->stack.first;
        if (differ && rng_between(rng, 0, 1) && !net->schedule.share_ffn)
            blocks[i].d_ff += 64;
        if (differ && rng_between(rng, 0, 1))
            blocks[i].window = 24;
        blocks[i].reruns = reruns >= 0 ? reruns : rng_between(rng, 0, 2);
    }
    assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
}

static void copy_net(const struct transformer *net, struct transformer *out)
{
    *out = *net;
    assert_int_equal(stack_copy(&net->stack, net->schedule.n_layers, &out->stack, NULL), STATUS_OK);
}

static void assert_same_price(const struct price *a, const struct price *b)
{
    assert_true(a->decode_ns == b->decode_ns && a->prefill_ns == b->prefill_ns);
    assert_true(a->load_ns == b->load_ns && a->init_ns == b->init_ns);
    assert_true(a->energy_pj_per_token == b->energy_pj_per_token);
    assert_true(a->peak_bytes == b->peak_bytes);
}

static struct price priced(const struct transformer *net, const struct machine *machine)
{
    struct workload workload = {16, 100};
    struct price out;
    struct err err;
    if (price_network(net, machine, &workload, &out, NULL, &err))
        fail_msg("%s", err.message);
    return out;
}

/* One network has one form. */
static void blocks_that_all_repeat_alike_are_the_immediate_schedule(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 51);
    for (int round = 0; round < 300; round++) {
        struct transformer net, same;
        struct machine machine;
        int64_t reruns = rng_between(&rng, 0, 2);
        repeating_net(&rng, reruns, round % 2 == 0, &net);
        random_machine(&rng, &machine);
        copy_net(&net, &same);
        for (int64_t i = 0; i < net.schedule.n_layers; i++)
            assert_int_equal(transformer_block(&same, i)->reruns, reruns);
        assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
        assert_int_equal(net.schedule.sharing, reruns > 0 ? SHARING_IMMEDIATE : SHARING_NONE);
        assert_int_equal(net.schedule.repeats, 1 + reruns);
        for (int64_t i = 0; i < net.schedule.n_layers; i++)
            assert_int_equal(transformer_block(&net, i)->reruns, 0);
        assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
        /* The other form of a stack whose shapes differ costs the same to the bit. */
        if (!stack_is_uniform(&same.stack)) {
            same.schedule.sharing = SHARING_BY_BLOCK;
            struct price a = priced(&net, &machine), b = priced(&same, &machine);
            assert_same_price(&a, &b);
            assert_int_equal(transformer_check(&same, NULL), STATUS_RANGE);
        }
        transformer_release(&net);
        transformer_release(&same);
    }
}

static void other_schedules_leave_blocks_nothing_to_say(void **state)
{
    (void)state;
    struct transformer net;
    struct err err;
    transformer_init(&net, 64, 4, 4, 2, 16, 96, 300);
    net.stack.first.reruns = 1;
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "reruns"));
    net.schedule.sharing = SHARING_REVERSE;
    net.schedule.repeats = 2;
    assert_int_equal(transformer_settle(&net, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "reverse"));
    net.schedule.sharing = SHARING_BY_BLOCK;
    assert_int_equal(transformer_check(&net, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "each block says"));
}

/* Against the network written out: weights are stored once, all else is every execution's. */
static void counts_are_those_of_the_network_written_out(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 52);
    for (int round = 0; round < 300; round++) {
        struct transformer net, once, out;
        struct operator_list list, written;
        struct op_totals a, b;
        struct param_count params, stored;
        repeating_net(&rng, -1, round % 2 == 0, &net);
        assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
        assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
        assert_int_equal(transformer_expand(&net, &out, NULL), STATUS_OK);
        out.schedule.share_ffn = false;
        assert_int_equal(out.schedule.n_layers, transformer_executions(&net));
        assert_int_equal(transformer_kv_bytes(&net, 50), transformer_kv_bytes(&out, 50));
        assert_int_equal(transformer_kv_bytes_per_token(&net),
                         transformer_kv_bytes_per_token(&out));
        assert_int_equal(ops_decode(&net, 40, &list, NULL), STATUS_OK);
        assert_int_equal(ops_decode(&out, 40, &written, NULL), STATUS_OK);
        assert_int_equal(ops_executions(&list), out.schedule.n_layers);
        ops_totals(&list, &a);
        ops_totals(&written, &b);
        assert_int_equal(a.n_ops, b.n_ops);
        assert_int_equal(a.flop, b.flop);
        assert_int_equal(a.weight_read_bytes, b.weight_read_bytes);
        assert_int_equal(a.activation_bytes, b.activation_bytes);
        assert_int_equal(a.kv_read_bytes, b.kv_read_bytes);
        assert_int_equal(a.kv_write_bytes, b.kv_write_bytes);
        /* Weights: those of the same blocks run once. */
        once = net;
        once.schedule.sharing = SHARING_NONE;
        once.schedule.repeats = 1;
        transformer_count(&net, &params);
        transformer_count(&once, &stored);
        assert_memory_equal(&params, &stored, sizeof params);
        ops_release(&list);
        ops_release(&written);
        transformer_release(&net);
        transformer_release(&out);
    }
}

/* MobileLLM, section 2.4, one block at a time: what fits the cache costs its compute again, what does
 * not costs its bytes again. */
static void a_repeat_comes_from_the_cache_when_its_block_fits(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct rng rng;
    struct block blocks[4];
    rng_init(&rng, 54);
    random_machine(&rng, &m);
    m.has_timings = false;
    m.overlap_frac = 0;
    machine_level_spill(&m.levels[0], 0);
    transformer_init(&net, 576, 4, 9, 3, 64, 1536, 32000);
    for (int i = 0; i < 4; i++)
        blocks[i] = net.stack.first;
    blocks[1].reruns = 1;
    blocks[3].d_ff = 6144;
    int64_t small = 2 * 3540096; /* 4 matrices of attention, 3 of FFN, 2 norms; f16 */
    m.levels[0].capacity_bytes = 2 * small;
    struct workload workload = {1, 0};
    struct price price;
    struct price_detail before, fits, too_large;
    assert_int_equal(stack_set(&net.stack, blocks, 4, NULL), STATUS_OK);
    net.schedule.sharing = SHARING_BY_BLOCK;
    assert_int_equal(price_network(&net, &m, &workload, &price, &fits, NULL), STATUS_OK);
    blocks[1].reruns = 0;
    blocks[3].reruns = 1;
    assert_int_equal(stack_set(&net.stack, blocks, 4, NULL), STATUS_OK);
    assert_int_equal(price_network(&net, &m, &workload, &price, &too_large, NULL), STATUS_OK);
    blocks[3].reruns = 0;
    assert_int_equal(stack_set(&net.stack, blocks, 4, NULL), STATUS_OK);
    net.schedule.sharing = SHARING_NONE;
    assert_int_equal(price_network(&net, &m, &workload, &price, &before, NULL), STATUS_OK);
    int64_t large = small + INT64_C(2) * 3 * 576 * (6144 - 1536);
    assert_true(fits.level_bytes[0] - before.level_bytes[0] == small);
    assert_true(too_large.level_bytes[0] == before.level_bytes[0]);
    /* The repeat has a cache of its own, of which it reads the token's row. */
    int64_t row = INT64_C(2) * 3 * 64 * 2;
    assert_true(fits.level_bytes[m.dram] - before.level_bytes[m.dram] == row);
    assert_true(too_large.level_bytes[m.dram] - before.level_bytes[m.dram] == large + row);
    transformer_release(&net);
}

/* Both forms of one stack are the same program. */
static void the_simulator_runs_the_same_program(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 55);
    for (int round = 0; round < 40; round++) {
        struct transformer net, same;
        struct machine machine;
        struct simulation simulation = usual();
        repeating_net(&rng, rng_between(&rng, 0, 2), true, &net);
        tuned_machine(&rng, &machine);
        copy_net(&net, &same);
        assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
        if (!stack_is_uniform(&same.stack)) {
            same.schedule.sharing = SHARING_BY_BLOCK;
            struct simulated a = run(&net, &machine, &simulation);
            struct simulated b = run(&same, &machine, &simulation);
            assert_true(a.price.decode_ns == b.price.decode_ns);
            assert_true(a.price.prefill_ns == b.price.prefill_ns);
            assert_true(a.price.init_ns == b.price.init_ns);
        }
        transformer_release(&net);
        transformer_release(&same);
    }
}

/* What a pass reads and computes is what its operators say, however unevenly blocks repeat. */
static void the_simulator_moves_the_bytes_of_the_operators(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 56);
    for (int round = 0; round < 40; round++) {
        struct transformer net;
        struct machine machine;
        struct simulation simulation = usual();
        struct operator_list list;
        struct op_totals totals;
        repeating_net(&rng, -1, true, &net);
        plain_machine(&rng, &machine);
        assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
        struct simulated out = run(&net, &machine, &simulation);
        assert_int_equal(ops_decode(&net, simulation.workload.context, &list, NULL), STATUS_OK);
        ops_totals(&list, &totals);
        int64_t read = 0;
        for (int level = 0; level < machine.n_levels; level++)
            read += out.decode.total.level_bytes[level];
        assert_int_equal(read, totals.weight_read_bytes + totals.kv_read_bytes);
        ops_release(&list);
        transformer_release(&net);
    }
}

/* No network in the data has layers that repeat unevenly. */
static void the_law_of_loss_knows_equal_repeats_only(void **state)
{
    (void)state;
    struct transformer net;
    struct quality_shape shape;
    struct err err;
    struct block blocks[3];
    transformer_init(&net, 576, 3, 9, 3, 64, 1536, 32000);
    for (int i = 0; i < 3; i++) {
        blocks[i] = net.stack.first;
        blocks[i].reruns = i == 2 ? 0 : 1;
    }
    assert_int_equal(stack_set(&net.stack, blocks, 3, NULL), STATUS_OK);
    assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
    assert_int_equal(quality_shape_of(&net, &shape, &err), STATUS_UNSUPPORTED);
    blocks[2].reruns = 1;
    net.schedule = (struct schedule){.sharing = SHARING_NONE, .n_layers = 3, .repeats = 1};
    assert_int_equal(stack_set(&net.stack, blocks, 3, NULL), STATUS_OK);
    assert_int_equal(transformer_settle(&net, NULL), STATUS_OK);
    assert_int_equal(quality_shape_of(&net, &shape, &err), STATUS_OK);
    assert_true(shape.repeats == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_that_all_repeat_alike_are_the_immediate_schedule),
        cmocka_unit_test(other_schedules_leave_blocks_nothing_to_say),
        cmocka_unit_test(counts_are_those_of_the_network_written_out),
        cmocka_unit_test(a_repeat_comes_from_the_cache_when_its_block_fits),
        cmocka_unit_test(the_simulator_runs_the_same_program),
        cmocka_unit_test(the_simulator_moves_the_bytes_of_the_operators),
        cmocka_unit_test(the_law_of_loss_knows_equal_repeats_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
