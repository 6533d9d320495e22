/* The simulator: which level of memory serves what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "model/count.h"
#include "simulator/simulate.h"
#include "tests/random_net.h"
#include "tests/simulator_fixture.h"

/* What a managed buffer holds depends on every token before, a little: it keeps what it has while
 * that is as good as anything else. Its bound is wider. */
static void a_shortcut_over_many_tokens_is_as_good_as_every_token(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 27);
    for (int i = 0; i < 12; i++) {
        struct transformer net;
        struct machine m;
        struct simulation simulation = usual();
        small_net(&rng, &net);
        net.d_model = net.d_embed = 128;
        net.schedule.n_layers = 2;
        tuned_machine(&rng, &m);
        simulation.prefill = false;
        simulation.tokens = 150;
        struct simulated few = run(&net, &m, &simulation);
        simulation.exact = true;
        struct simulated all = run(&net, &m, &simulation);
        assert_true(all.tokens_simulated == 150);
        double bound = m.levels[0].policy == POLICY_MANAGED ? 1e-2 : 2e-3;
        assert_true(few.tokens_simulated <= 150);
        if (fabs(few.tokens_ns / all.tokens_ns - 1) >= bound)
            fail_msg("%d: off by %g", i, few.tokens_ns / all.tokens_ns - 1);
        assert_true(fabs(few.tokens_energy_pj / all.tokens_energy_pj - 1) < 1e-2);
    }
}

static void weights_beyond_the_memory_stream_from_flash_in_every_pass(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct simulation simulation = usual();
    struct weight_bytes bytes;
    m = shipped_machine("iphone-13");
    open_preset("mobilellm-125m", &net);
    transformer_weight_bytes(&net, &bytes);
    simulation.workload = (struct workload){128, 128};
    struct simulated fits = run(&net, &m, &simulation);
    assert_int_equal(fits.stream_bytes, 0);
    simulation.memory_bytes = 200000000;
    struct simulated mapped = run(&net, &m, &simulation);
    simulation.copied = true;
    struct simulated copied = run(&net, &m, &simulation);
    /* A cycle through an LRU page cache hits nothing: all of it at 1 GB/s. */
    assert_int_equal(mapped.stream_bytes, bytes.total);
    assert_true(mapped.decode.total.level_bytes[m.flash] >= bytes.total);
    assert_true(mapped.price.decode_ns >= (double)bytes.total);
    /* Own memory keeps seven eighths of what it may hold. */
    assert_true(copied.price.decode_ns < 0.5 * mapped.price.decode_ns);
    assert_true(copied.price.decode_ns > 2 * fits.price.decode_ns);
    simulation.memory_bytes = 1000;
    struct simulated out;
    struct err err;
    assert_int_equal(simulate(&net, &m, &simulation, &out, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "beside its weights"));
    transformer_release(&net);
}

static void a_cold_mapped_file_is_read_by_the_first_pass_and_never_again(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct simulation simulation = usual();
    struct weight_bytes bytes;
    m = shipped_machine("iphone-13");
    open_preset("mobilellm-125m", &net);
    transformer_weight_bytes(&net, &bytes);
    simulation.load = LOAD_COLD;
    struct simulated mapped = run(&net, &m, &simulation);
    simulation.copied = true;
    struct simulated copied = run(&net, &m, &simulation);
    simulation.load = LOAD_WARM;
    struct simulated warm = run(&net, &m, &simulation);
    assert_true(mapped.prefill.total.level_bytes[m.flash] >= bytes.blocks);
    assert_int_equal(mapped.decode.total.level_bytes[m.flash], 0);
    assert_int_equal(copied.prefill.total.level_bytes[m.flash], 0);
    assert_true(copied.price.load_ns - mapped.price.load_ns >= (double)bytes.total);
    assert_true(warm.price.load_ns < copied.price.load_ns);
    assert_true(fabs(mapped.price.decode_ns / copied.price.decode_ns - 1) < 1e-6);
    transformer_release(&net);
}

static void a_repeated_block_that_fits_hits_and_one_that_does_not_is_read_again(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct simulation simulation = usual();
    m = shipped_machine("iphone-13");
    open_preset("mobilellm-ls-125m", &net);
    simulation.workload = (struct workload){128, 128};
    m.levels[0].capacity_bytes = 8 << 20; /* a block is 7.08 MB */
    struct simulated fits = run(&net, &m, &simulation);
    m.levels[0].capacity_bytes = 6 << 20;
    struct simulated misses = run(&net, &m, &simulation);
    m.levels[0].policy = POLICY_MANAGED;
    struct simulated managed = run(&net, &m, &simulation);
    int64_t block = 7080192;
    assert_true(fits.decode.total.level_bytes[0] >= 30 * block);
    assert_true(misses.decode.total.level_bytes[0] < block);
    assert_true(misses.price.decode_ns > 1.7 * fits.price.decode_ns);
    /* What a cache loses at once, a buffer that knows the schedule loses in part. */
    assert_true(managed.decode.total.level_bytes[0] > 30 * block / 2);
    assert_true(managed.price.decode_ns < 0.8 * misses.price.decode_ns);
    transformer_release(&net);
}

/* The share of a block that a cache loses between its two runs is the share that DRAM delivers. */
static void rereads_that_are_lost_come_from_dram(void **state)
{
    (void)state;
    static const double shares[] = {0.25, 0.5, 1};
    struct transformer net;
    struct machine m;
    struct simulation simulation = usual();
    m = shipped_machine("iphone-13");
    open_preset("mobilellm-ls-125m", &net);
    m.levels[0].capacity_bytes = 8 << 20; /* a block is 7.08 MB */
    struct simulated none = run(&net, &m, &simulation);
    for (int i = 0; i < 3; i++) {
        m.levels[0].reread_lost_frac = shares[i] / sqrt(7080192.0 / (8 << 20));
        struct simulated some = run(&net, &m, &simulation);
        double more =
            (double)(some.decode.total.level_bytes[m.dram] - none.decode.total.level_bytes[m.dram]);
        assert_true(fabs(more / (30.0 * 7080192) - shares[i]) < 0.02);
        assert_int_equal(some.decode.required_bytes, none.decode.required_bytes);
        assert_true(some.price.decode_ns > none.price.decode_ns);
    }
    transformer_release(&net);
}

/* On the way back of a reverse schedule too; and a core that reads its weights one after another
 * waits for what comes again, as the closed form has it. */
static void a_way_back_loses_and_waits(void **state)
{
    (void)state;
    static const enum sharing modes[] = {SHARING_IMMEDIATE, SHARING_REVERSE};
    struct transformer net;
    struct machine m;
    struct simulation simulation = usual();
    simulation.prefill = false;
    for (int i = 0; i < 2; i++) {
        m = shipped_machine("iphone-13");
        transformer_init(&net, 512, 12, 8, 4, 64, 1408, 1000);
        net.schedule.sharing = modes[i];
        net.schedule.repeats = 2;
        m.levels[0].capacity_bytes = 32 << 20; /* about half of the blocks */
        m.overlap_frac = 0;
        m.has_timings = true;
        for (int t = 0; t < N_DTYPES; t++)
            m.is_timed[t] = true;
        memset(m.timing_ns, 0, sizeof m.timing_ns);
        m.timed_d_in = m.timed_context = m.timed_tokens = 1e6;
        struct simulated none = run(&net, &m, &simulation);
        m.levels[0].reread_lost_frac = 0.6;
        struct simulated some = run(&net, &m, &simulation);
        struct price before, after;
        struct machine spared = m;
        spared.levels[0].reread_lost_frac = 0;
        assert_int_equal(price_network(&net, &spared, &simulation.workload, &before, NULL, NULL),
                         STATUS_OK);
        assert_int_equal(price_network(&net, &m, &simulation.workload, &after, NULL, NULL),
                         STATUS_OK);
        double simulated = some.price.decode_ns - none.price.decode_ns;
        double priced = after.decode_ns - before.decode_ns;
        assert_true(some.decode.total.level_bytes[m.dram] > none.decode.total.level_bytes[m.dram]);
        assert_true(priced > 0 && fabs(simulated / priced - 1) < 0.15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shortcut_over_many_tokens_is_as_good_as_every_token),
        cmocka_unit_test(weights_beyond_the_memory_stream_from_flash_in_every_pass),
        cmocka_unit_test(a_cold_mapped_file_is_read_by_the_first_pass_and_never_again),
        cmocka_unit_test(a_repeated_block_that_fits_hits_and_one_that_does_not_is_read_again),
        cmocka_unit_test(rereads_that_are_lost_come_from_dram),
        cmocka_unit_test(a_way_back_loses_and_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
