/* The closed-form clock where blocks run more than once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "costmodel/reuse.h"
#include "model/count.h"
#include "tests/price_fixture.h"
#include "tests/random_net.h"

/* MobileLLM, section 2.4: a block repeated at once comes from SRAM when it fits and from DRAM when
 * not. */
static void immediate_sharing_is_free_when_a_block_fits_and_not_otherwise(void **state)
{
    (void)state;
    struct transformer net, shared;
    struct machine m;
    transformer_init(&net, 576, 30, 9, 3, 64, 1536, 32000);
    shared = net;
    shared.schedule = (struct schedule){SHARING_IMMEDIATE, 30, 2, false};
    int64_t block = 2 * 3540096; /* 4 matrices of attention, 3 of FFN, 2 norms; f16 */
    plain_machine(&m, 2 * block);
    m.overlap_frac = 0;
    double unshared = price(&net, &m, 0).decode_ns;
    assert_near(price(&shared, &m, 0).decode_ns / unshared, 1, 1e-3);
    plain_machine(&m, block / 2);
    double extra = (double)(30 * block) / 10;
    assert_near(price(&shared, &m, 0).decode_ns, unshared + extra, 1e-3 * unshared);
}

static void other_sharing_modes_hit_as_their_reuse_distance_says(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct price_detail detail;
    struct price out;
    struct workload workload = {1, 0};
    transformer_init(&net, 576, 30, 9, 3, 64, 1536, 32000);
    int64_t block = 2 * 3540096;
    net.schedule = (struct schedule){SHARING_REPEAT_ALL, 30, 2, false};
    plain_machine(&m, 29 * block);
    assert_int_equal(price_network(&net, &m, &workload, &out, &detail, NULL), STATUS_OK);
    assert_true(detail.level_bytes[0] == 0);
    plain_machine(&m, 30 * block + 100000);
    assert_int_equal(price_network(&net, &m, &workload, &out, &detail, NULL), STATUS_OK);
    assert_int_equal(detail.level_bytes[0] / block, 30);
    net.schedule.sharing = SHARING_REVERSE;
    plain_machine(&m, 10 * block + 100000);
    assert_int_equal(price_network(&net, &m, &workload, &out, &detail, NULL), STATUS_OK);
    /* Ten blocks on the way back, and those whose way through the head (5.2 blocks) is short
     * enough. */
    assert_int_equal(detail.level_bytes[0] / block, 10 + 4);
}

/* What hides under a repeated block is at most the repeats' own time and the stream it hides. */
static void overlap_never_beats_the_stream_or_the_compute(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 15);
    for (int i = 0; i < 1000; i++) {
        struct transformer net, once;
        struct machine m;
        random_net(&rng, &net);
        random_machine(&rng, &m);
        net.schedule = (struct schedule){SHARING_IMMEDIATE, rng_between(&rng, 1, 30),
                                         rng_between(&rng, 2, 4), false};
        once = net;
        once.schedule.sharing = SHARING_NONE;
        once.schedule.repeats = 1;
        int64_t context = rng_between(&rng, 0, 300);
        double shared = price(&net, &m, context).decode_ns;
        m.overlap_frac = 0;
        assert_true(shared <= price(&net, &m, context).decode_ns);
        assert_true(shared >= price(&once, &m, context).decode_ns * (1 - 1e-12));
    }
}

static void only_starts_cost(struct machine *m, double ns)
{
    m->has_timings = m->is_timed[DTYPE_F16] = true;
    memset(m->timing_ns, 0, sizeof m->timing_ns);
    m->timing_ns[TIMING_START + DTYPE_F16] = ns;
    for (int l = 0; l < m->n_levels; l++)
        m->kv_gbps[l] = m->weight_gbps[DTYPE_F16][l] = INFINITY;
}

/* A cache that spills serves a walk that is half way between its ends, as ratios go, half of the
 * time. */
static void a_walk_too_long_is_found_in_part_where_a_level_spills(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct operator_list list;
    transformer_init(&net, 512, 10, 8, 4, 64, 1024, 1000);
    assert_int_equal(ops_decode(&net, 0, &list, NULL), STATUS_OK);
    int64_t bytes = reuse_pass_bytes(&list);
    plain_machine(&m, bytes / 2);
    double far = price(&net, &m, 0).decode_ns;
    machine_level_spill(&m.levels[0], 2 * bytes);
    assert_near(price(&net, &m, 0).decode_ns / far, 0.5, 1e-2);
    /* A matrix starts late when any of its four streams does. */
    only_starts_cost(&m, 3);
    assert_near(price(&net, &m, 0).decode_ns / (3 * 71.0), 1 - pow(0.5, 4), 1e-2);
}

/* Ten blocks that run twice on a machine where only bytes cost, with room for a share of them. */
struct twice {
    struct transformer net;
    struct machine machine;
    struct weight_bytes bytes;
    double extra_ns; /* of all blocks, from memory in the place of the cache */
};

static void open_twice(enum sharing sharing, double room_frac, struct twice *out)
{
    struct machine *m = &out->machine;
    transformer_init(&out->net, 512, 10, 8, 4, 64, 1024, 1000);
    out->net.schedule.sharing = sharing;
    out->net.schedule.repeats = 2;
    transformer_weight_bytes(&out->net, &out->bytes);
    plain_machine(m, (int64_t)(room_frac * (double)out->bytes.blocks));
    m->overlap_frac = 0;
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = INFINITY;
    const enum dtype dtype = out->net.block_dtype;
    out->extra_ns = (double)out->bytes.blocks *
                    (1 / m->weight_gbps[dtype][m->dram] - 1 / m->weight_gbps[dtype][0]);
}

static double twice_ns(struct twice *twice, double lost_frac)
{
    twice->machine.levels[0].reread_lost_frac = lost_frac;
    return price(&twice->net, &twice->machine, 0).decode_ns;
}

/* Of blocks that run twice in a row and fit, the lost share comes from memory again; the walk that
 * finds all of it in the cache loses nothing. */
static void a_lost_share_of_immediate_rereads_comes_from_memory(void **state)
{
    (void)state;
    struct twice t;
    open_twice(SHARING_IMMEDIATE, 0.2, &t); /* a block fills half of the level, about */
    double none = twice_ns(&t, 0), all = twice_ns(&t, 1e3);
    double quarter = twice_ns(&t, 0.25 / sqrt(0.5));
    assert_near((all - none) / t.extra_ns, 1, 1e-2); /* norms are no matrices */
    assert_near((quarter - none) / (all - none), 0.25, 1e-2);
    struct price_detail detail;
    struct workload workload = {1, 0};
    struct price out;
    assert_int_equal(price_network(&t.net, &t.machine, &workload, &out, &detail, NULL), STATUS_OK);
    double sum = detail.fixed_ns;
    for (int role = 0; role < N_OP_ROLES; role++)
        sum += detail.role_ns[role];
    assert_near(sum / out.decode_ns, 1, 1e-9);
    plain_machine(&t.machine, 2 * t.bytes.total); /* everything stays */
    double before = twice_ns(&t, 0);
    assert_near(twice_ns(&t, 1), before, 1e-9);
}

/* Walking back over ten blocks with room for five, each pass finds ten of twenty; when all of them
 * are lost every block comes from memory. */
static void a_way_back_loses_as_an_immediate_reread_does(void **state)
{
    (void)state;
    struct twice t;
    open_twice(SHARING_REVERSE, 0.55, &t);
    double none = twice_ns(&t, 0), some = twice_ns(&t, 0.2), all = twice_ns(&t, 1e3);
    assert_near((all - none) / t.extra_ns, 1, 1e-2);
    assert_true(some > none && some < none + 0.2 * (all - none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(immediate_sharing_is_free_when_a_block_fits_and_not_otherwise),
        cmocka_unit_test(other_sharing_modes_hit_as_their_reuse_distance_says),
        cmocka_unit_test(overlap_never_beats_the_stream_or_the_compute),
        cmocka_unit_test(a_walk_too_long_is_found_in_part_where_a_level_spills),
        cmocka_unit_test(a_lost_share_of_immediate_rereads_comes_from_memory),
        cmocka_unit_test(a_way_back_loses_as_an_immediate_reread_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
