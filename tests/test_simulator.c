/* The simulator: what must be conserved, what must bound the time, which way it may move, and how
 * far it is from the closed form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "costmodel/price.h"
#include "fit/fit.h"
#include "model/count.h"
#include "model/preset.h"
#include "simulator/simulate.h"
#include "tests/random_net.h"

static struct simulation usual(void)
{
    struct simulation simulation;
    simulation_init(&simulation);
    simulation.workload = (struct workload){16, 100};
    simulation.tile_bytes = 16 << 10;
    return simulation;
}

static struct simulated run(const struct transformer *net, const struct machine *machine,
                            const struct simulation *simulation)
{
    struct simulated out;
    struct err err;
    if (simulate(net, machine, simulation, &out, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return out;
}

/* Small enough to run hundreds. */
static void small_net(struct rng *rng, struct transformer *net)
{
    random_net(rng, net);
    net->schedule = random_schedule(rng, 5);
    if (net->d_model > 640)
        net->d_model /= 2;
    if (net->d_embed > net->d_model)
        net->d_embed = net->d_model;
    if (net->vocab_size > 8000)
        net->vocab_size = 8000;
}

/* All of its costs are bandwidths, peaks and dispatches. */
static void plain_machine(struct rng *rng, struct machine *m)
{
    random_machine(rng, m);
    m->has_timings = false;
    memset(m->is_timed, 0, sizeof m->is_timed);
    machine_level_spill(&m->levels[0], 0);
}

static void tuned_machine(struct rng *rng, struct machine *m)
{
    plain_machine(rng, m);
    m->levels[0].policy = (enum level_policy)rng_between(rng, 0, N_LEVEL_POLICIES - 1);
    m->levels[0].ports = rng_between(rng, 1, 2);
    m->levels[0].capacity_bytes = rng_between(rng, 64 << 10, 8 << 20);
    if (rng_between(rng, 0, 2) == 0)
        m->overlap_frac = (double)rng_between(rng, 0, 1);
}

static struct preset_case {
    const char *name;
    double execute_ms;
} const table_7[] = {
    {"mobilellm-125m", 15.6},
    {"mobilellm-ls-125m", 16.0},
    {"mobilellm-60-layer", 29.0},
};

static void open_preset(const char *name, struct transformer *net)
{
    struct err err;
    if (preset_open(name, net, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    transformer_set_dtype(net, DTYPE_F16);
    net->kv_dtype = DTYPE_F16;
}

static void open_machine(const char *name, struct machine *machine)
{
    struct device device;
    struct err err;
    if (device_open(name, &device, &err) != STATUS_OK ||
        machine_resolve(&device, 0, machine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void every_byte_that_an_operator_needs_comes_from_one_level(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 21);
    for (int i = 0; i < 80; i++) {
        struct transformer net;
        struct machine m;
        struct operator_list list;
        struct op_totals totals;
        struct simulation simulation = usual();
        small_net(&rng, &net);
        tuned_machine(&rng, &m);
        if (i % 4 == 0) {
            struct price price;
            assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                             STATUS_OK);
            simulation.memory_bytes = price.peak_bytes - 10000;
            simulation.copied = i % 8 == 0;
        }
        struct simulated out = run(&net, &m, &simulation);
        assert_int_equal(ops_decode(&net, 100, &list, NULL), STATUS_OK);
        ops_totals(&list, &totals);
        const struct pass_report *d = &out.decode;
        int64_t sum = 0, activations = 0;
        for (int level = 0; level < m.n_levels; level++) {
            sum += d->total.level_bytes[level];
            activations += d->total.activation_bytes[level];
        }
        assert_int_equal(d->required_bytes, totals.weight_read_bytes + totals.kv_read_bytes);
        assert_int_equal(sum, d->required_bytes);
        assert_int_equal(d->total.kv_write_bytes, totals.kv_write_bytes);
        for (int e = 0; e < list.n_epilogue; e++)
            if (list.epilogue[e].kind == OP_SAMPLE) {
                totals.activation_bytes -= list.epilogue[e].activation_bytes;
                totals.flop -= list.epilogue[e].flop;
            }
        assert_int_equal(activations, totals.activation_bytes);
        assert_int_equal(d->total.flop, totals.flop);
        /* What hit did not move: the channel carried the misses, what came from flash twice. */
        assert_int_equal(d->moved_bytes[RESOURCE_DRAM],
                         d->total.level_bytes[m.dram] + 2 * d->total.level_bytes[m.flash] +
                             totals.kv_write_bytes + d->total.activation_bytes[m.dram]);
        assert_true(d->moved_bytes[RESOURCE_FLASH] >= d->total.level_bytes[m.flash]);
        assert_int_equal(d->moved_bytes[RESOURCE_PORT], sum);
        assert_true(d->total.level_bytes[m.flash] == 0 || out.stream_bytes > 0);
        ops_release(&list);
    }
}

static void no_resource_is_busier_than_the_clock_and_the_clock_not_slower_than_all(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 22);
    for (int i = 0; i < 80; i++) {
        struct transformer net;
        struct machine m;
        struct simulation simulation = usual();
        small_net(&rng, &net);
        tuned_machine(&rng, &m);
        struct simulated out = run(&net, &m, &simulation);
        const struct pass_report *passes[] = {&out.decode, &out.prefill};
        for (int p = 0; p < 2; p++) {
            double sum = passes[p]->exposed_ns, bound = 0, roles = 0;
            for (int r = 0; r < N_RESOURCES; r++) {
                assert_true(passes[p]->busy_ns[r] <= passes[p]->ns * (1 + 1e-9));
                sum += passes[p]->busy_ns[r];
            }
            assert_true(passes[p]->ns <= sum * (1 + 1e-9));
            for (int b = 0; b < N_BOUNDS; b++) {
                assert_true(passes[p]->total.bound_ns[b] >= -1e-6 * passes[p]->ns);
                bound += passes[p]->total.bound_ns[b];
            }
            for (int role = 0; role < N_OP_ROLES; role++)
                roles += passes[p]->roles[role].ns;
            /* The parts are the whole; the KV rows of the last block may still be on their way. */
            assert_true(fabs(bound - roles) <= 1e-6 * roles);
            assert_true(roles <= passes[p]->ns * (1 + 1e-9));
        }
    }
}

/* Stores and prefetches meet on the channel in the order of the clock: a faster machine may put a
 * store in front of a tile that it would else have followed. One store, two turn-arounds and a tile
 * a block is all that this can cost; the test allows that much and no more. */
static double order_ns(const struct transformer *net, const struct machine *m)
{
    const struct machine_level *dram = &m->levels[m->dram];
    double store_ns = (double)transformer_kv_bytes_per_token(net) / dram->write_gbps;
    double blocks = (double)schedule_executions(&net->schedule);
    return store_ns + blocks * (2 * dram->turnaround_ns + dram->latency_ns);
}

static void more_bandwidth_or_compute_never_makes_a_token_slower(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 23);
    for (int i = 0; i < 60; i++) {
        struct transformer net;
        struct machine m, faster;
        struct simulation simulation = usual();
        simulation.prefill = false;
        small_net(&rng, &net);
        tuned_machine(&rng, &m);
        faster = m;
        int level = i % 2;
        for (int t = 0; t < N_DTYPES; t++) {
            faster.weight_gbps[t][level] *= 1.4;
            if (i % 3 == 0)
                faster.peak_gflops[t] *= 2;
        }
        faster.kv_gbps[level] *= 1.4;
        faster.levels[level].read_gbps *= 1.4;
        faster.levels[level].write_gbps *= 1.4;
        double slow = run(&net, &m, &simulation).price.decode_ns;
        double fast = run(&net, &faster, &simulation).price.decode_ns;
        assert_true(fast <= slow + order_ns(&net, &m));
    }
}

/* What is fetched ahead into a managed buffer can take the room of what would have stayed (one case
 * in a hundred of these, by up to 2.4 %). */
static void more_room_or_prefetch_never_makes_a_token_slower(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 24);
    for (int i = 0; i < 60; i++) {
        struct transformer net;
        struct machine m, larger, ahead;
        struct simulation simulation = usual();
        simulation.prefill = false;
        small_net(&rng, &net);
        tuned_machine(&rng, &m);
        m.levels[0].policy = i % 3 == 0 ? POLICY_MANAGED : POLICY_LRU;
        m.levels[0].capacity_bytes += 256 << 10;
        m.overlap_frac = i % 2;
        larger = ahead = m;
        larger.levels[0].capacity_bytes *= 2;
        ahead.overlap_frac = 1;
        double ns = run(&net, &m, &simulation).price.decode_ns;
        assert_true(run(&net, &larger, &simulation).price.decode_ns <= ns + order_ns(&net, &m));
        double displaced_ns = m.levels[0].policy == POLICY_MANAGED ? 0.03 * ns : 0;
        assert_true(run(&net, &ahead, &simulation).price.decode_ns <=
                    ns + order_ns(&net, &m) + displaced_ns);
    }
}

/* A dispatch stops everything else, so that its cost is paid in full. */
static void dispatches_add_up_exactly(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 25);
    for (int i = 0; i < 30; i++) {
        struct transformer net;
        struct machine m, free_of_it;
        struct simulation simulation = usual();
        small_net(&rng, &net);
        tuned_machine(&rng, &m);
        m.levels[m.dram].latency_ns = 0; /* an idle channel waits for it once more */
        free_of_it = m;
        free_of_it.layer_ns = free_of_it.pass_ns = 0;
        memset(free_of_it.op_ns, 0, sizeof free_of_it.op_ns);
        struct simulated with = run(&net, &m, &simulation);
        struct simulated without = run(&net, &free_of_it, &simulation);
        double dispatch = with.decode.busy_ns[RESOURCE_DISPATCH];
        assert_true(fabs(with.decode.ns - without.decode.ns - dispatch) < 1e-9 * with.decode.ns);
    }
}

/* One resource dominates: all others are out of the way. */
enum dominant {
    DOMINANT_SRAM,
    DOMINANT_DRAM,
    DOMINANT_COMPUTE,
};

static void dominated_machine(struct rng *rng, enum dominant by, struct machine *m)
{
    plain_machine(rng, m);
    m->layer_ns = m->pass_ns = 0;
    memset(m->op_ns, 0, sizeof m->op_ns);
    m->overlap_frac = 1;
    m->levels[0].capacity_bytes = by == DOMINANT_DRAM ? 4 << 20 : INT64_C(1) << 40;
    m->levels[m->dram].capacity_bytes = INT64_C(1) << 41;
    for (int level = 0; level < m->dram + 1; level++) {
        double gbps = by == DOMINANT_DRAM && level == m->dram ? 12 : 1e6;
        gbps = by == DOMINANT_SRAM && level == 0 ? 60 : gbps;
        m->kv_gbps[level] = m->levels[level].write_gbps = gbps;
        m->levels[level].read_gbps = 1e6;
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][level] = gbps;
    }
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = by == DOMINANT_COMPUTE ? 50 : 1e9;
}

static void both_clocks_agree_to_a_thousandth_where_one_resource_dominates(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 26);
    for (int i = 0; i < 36; i++) {
        struct transformer net;
        struct machine m;
        struct price price;
        struct simulation simulation = usual();
        simulation.tile_bytes = 0;
        int64_t kv = rng_between(&rng, 1, 3), groups = rng_between(&rng, 1, 4);
        transformer_init(&net, 128 * rng_between(&rng, 4, 8), 1, kv * groups, kv, 64,
                         512 * rng_between(&rng, 2, 6), rng_between(&rng, 1000, 20000));
        net.schedule = random_schedule(&rng, 6);
        if (i % 3 == DOMINANT_DRAM) /* shared blocks would take turns between DRAM and SRAM */
            net.schedule.repeats = 1, net.schedule.sharing = SHARING_NONE,
            net.schedule.share_ffn = false;
        dominated_machine(&rng, (enum dominant)(i % 3), &m);
        assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                         STATUS_OK);
        struct simulated out = run(&net, &m, &simulation);
        double ratio = out.price.decode_ns / price.decode_ns;
        if (fabs(ratio - 1) >= 1e-3)
            fail_msg("%d: %.6f of the closed form", i, ratio);
        assert_true(fabs(out.price.load_ns / price.load_ns - 1) < 1e-9);
        assert_true(fabs(out.price.init_ns / price.init_ns - 1) < 1e-9);
    }
}

/* Elsewhere: the closed form starts an operator when the one before is done and lets its slowest
 * resource run all the time; the simulator fills and drains a pipeline for each (slower, without
 * prefetch) and works ahead (faster, with it). Printed values are in docs/simulator.md. */
static void both_clocks_stay_within_6_percent_on_every_shipped_device(void **state)
{
    (void)state;
    static const char *const models[] = {"mobilellm-125m", "mobilellm-ls-125m"};
    char **names = NULL;
    int n = 0;
    struct simulation simulation = usual();
    simulation.workload = (struct workload){DEFAULT_PROMPT, DEFAULT_CONTEXT};
    simulation.tile_bytes = 0;
    simulation.prefill = false;
    assert_int_equal(device_names(&names, &n, NULL), STATUS_OK);
    for (int d = 0; d < n; d++)
        for (int i = 0; i < 2; i++) {
            struct transformer net;
            struct machine m;
            struct price price;
            open_machine(names[d], &m);
            open_preset(models[i], &net);
            assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                             STATUS_OK);
            double ratio = run(&net, &m, &simulation).price.decode_ns / price.decode_ns;
            if (ratio < 0.94 || ratio > 1.06)
                fail_msg("%s on %s: %.4f of the closed form", models[i], names[d], ratio);
            transformer_release(&net);
        }
    device_names_free(names, n);
}

/* Operators with timings of their own are not overlapped by either clock. */
static void both_clocks_stay_within_8_percent_where_operators_are_timed(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 29);
    for (int i = 0; i < 20; i++) {
        struct transformer net;
        struct machine m;
        struct price price;
        struct simulation simulation = usual();
        simulation.tile_bytes = 0;
        simulation.prefill = false;
        transformer_init(&net, 128 * rng_between(&rng, 4, 8), rng_between(&rng, 1, 6), 8, 4, 64,
                         512 * rng_between(&rng, 2, 6), rng_between(&rng, 1000, 20000));
        plain_machine(&rng, &m);
        m.has_timings = m.is_timed[DTYPE_F16] = true;
        m.timing_ns[TIMING_START + DTYPE_F16] = (double)rng_between(&rng, 0, 2000);
        m.overlap_frac = 0;
        assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                         STATUS_OK);
        double ratio = run(&net, &m, &simulation).price.decode_ns / price.decode_ns;
        if (ratio < 0.92 || ratio > 1.08)
            fail_msg("%d: %.4f of the closed form", i, ratio);
    }
}

/* Bandwidth and cost per layer from the two unshared models; the shared one is a prediction. */
static void table_7_without_the_shared_model_predicts_it_within_2_percent(void **state)
{
    (void)state;
    struct fit_row rows[2] = {{.prompt = 128}, {.prompt = 128}};
    const struct fit_row *used[2] = {&rows[0], &rows[1]};
    struct fit_theta theta = {0};
    struct device device;
    struct machine base, m;
    struct simulation simulation = usual();
    simulation.workload = (struct workload){128, 128};
    simulation.tile_bytes = 0;
    for (int i = 0; i < 2; i++) {
        open_preset(table_7[2 * i].name, &rows[i].net);
        rows[i].context = 128;
        rows[i].decode_ns = table_7[2 * i].execute_ms * 1e6;
        rows[i].prefill_ns = rows[i].load_ns = NAN;
    }
    assert_int_equal(device_open("iphone-13", &device, NULL), STATUS_OK);
    assert_int_equal(fit_base_machine(&device, 0, used, 2, &base, NULL), STATUS_OK);
    assert_int_equal(fit_solve(&base, used, 2, FIT_DECODE,
                               FIT_TERM(FIT_BYTE + DTYPE_F16) | FIT_TERM(FIT_LAYER), &theta, NULL,
                               NULL),
                     STATUS_OK);
    fit_machine(&base, &theta, &m);
    for (int i = 0; i < 3; i++) {
        struct transformer net;
        open_preset(table_7[i].name, &net);
        double ms = run(&net, &m, &simulation).price.decode_ns / 1e6;
        if (fabs(ms / table_7[i].execute_ms - 1) >= 0.02)
            fail_msg("%s: %.3f ms, printed %.1f", table_7[i].name, ms, table_7[i].execute_ms);
        transformer_release(&net);
    }
    transformer_release(&rows[0].net);
    transformer_release(&rows[1].net);
}

static void the_shipped_phone_reproduces_table_7_within_1_percent(void **state)
{
    (void)state;
    struct machine m;
    open_machine("iphone-13", &m);
    struct simulation simulation = usual();
    simulation.workload = (struct workload){128, 128};
    simulation.tile_bytes = 0;
    for (int i = 0; i < 3; i++) {
        struct transformer net;
        open_preset(table_7[i].name, &net);
        double ms = run(&net, &m, &simulation).price.decode_ns / 1e6;
        assert_true(fabs(ms / table_7[i].execute_ms - 1) < 0.01);
        transformer_release(&net);
    }
}

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
    open_machine("iphone-13", &m);
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
    open_machine("iphone-13", &m);
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
    open_machine("iphone-13", &m);
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
    open_machine("iphone-13", &m);
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
        open_machine("iphone-13", &m);
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

static void layers_that_differ_and_recurrent_ones_run_too(void **state)
{
    (void)state;
    static const char *const models[] = {"gemma-3-270m", "rwkv-4-169m", "opt-350m",
                                         "mobillama-05b"};
    struct machine m;
    struct simulation simulation = usual();
    simulation.tile_bytes = 0;
    open_machine("iphone-13", &m);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct transformer net;
        struct price price;
        open_preset(models[i], &net);
        assert_int_equal(price_network(&net, &m, &simulation.workload, &price, NULL, NULL),
                         STATUS_OK);
        struct simulated out = run(&net, &m, &simulation);
        assert_true(fabs(out.price.decode_ns / price.decode_ns - 1) < 0.06);
        transformer_release(&net);
    }
}

static void a_failing_allocation_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct rng rng;
    struct transformer net;
    struct machine m;
    struct simulation simulation = usual();
    struct simulated out;
    rng_init(&rng, 28);
    small_net(&rng, &net);
    tuned_machine(&rng, &m);
    m.levels[0].policy = POLICY_MANAGED;
    simulation.memory_bytes = 0;
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; n < 400 && status == STATUS_NOMEM; n++) {
        memory_fail_after(n);
        status = simulate(&net, &m, &simulation, &out, NULL);
        memory_fail_after(-1);
    }
    assert_int_equal(status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_that_an_operator_needs_comes_from_one_level),
        cmocka_unit_test(no_resource_is_busier_than_the_clock_and_the_clock_not_slower_than_all),
        cmocka_unit_test(more_bandwidth_or_compute_never_makes_a_token_slower),
        cmocka_unit_test(more_room_or_prefetch_never_makes_a_token_slower),
        cmocka_unit_test(dispatches_add_up_exactly),
        cmocka_unit_test(both_clocks_agree_to_a_thousandth_where_one_resource_dominates),
        cmocka_unit_test(both_clocks_stay_within_6_percent_on_every_shipped_device),
        cmocka_unit_test(both_clocks_stay_within_8_percent_where_operators_are_timed),
        cmocka_unit_test(table_7_without_the_shared_model_predicts_it_within_2_percent),
        cmocka_unit_test(the_shipped_phone_reproduces_table_7_within_1_percent),
        cmocka_unit_test(a_shortcut_over_many_tokens_is_as_good_as_every_token),
        cmocka_unit_test(weights_beyond_the_memory_stream_from_flash_in_every_pass),
        cmocka_unit_test(a_cold_mapped_file_is_read_by_the_first_pass_and_never_again),
        cmocka_unit_test(a_repeated_block_that_fits_hits_and_one_that_does_not_is_read_again),
        cmocka_unit_test(rereads_that_are_lost_come_from_dram),
        cmocka_unit_test(a_way_back_loses_and_waits),
        cmocka_unit_test(layers_that_differ_and_recurrent_ones_run_too),
        cmocka_unit_test(a_failing_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
