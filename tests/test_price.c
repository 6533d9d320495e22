/* The closed-form clock: closed forms of its own, and orders that must hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "model/count.h"
#include "tests/price_fixture.h"
#include "tests/random_net.h"

static void without_other_costs_time_is_bytes_over_bandwidth(void **state)
{
    (void)state;
    struct rng rng;
    struct machine m;
    rng_init(&rng, 11);
    plain_machine(&m, 1);
    for (int i = 0; i < 300; i++) {
        struct transformer net;
        struct operator_list list;
        struct op_totals totals;
        int64_t context = rng_between(&rng, 0, 500);
        random_net(&rng, &net);
        assert_int_equal(ops_decode(&net, context, &list, NULL), STATUS_OK);
        ops_totals(&list, &totals);
        double bytes =
            (double)(totals.weight_read_bytes + totals.kv_read_bytes + totals.kv_write_bytes);
        assert_near(price(&net, &m, context).decode_ns / (bytes / 10), 1, 1e-3);
    }
}

/* Of two unshared networks with equal weight and KV bytes the deeper is never faster. */
static void deeper_is_never_faster_at_equal_bytes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 12);
    for (int i = 0; i < 500; i++) {
        struct transformer wide, deep;
        struct machine m;
        random_machine(&rng, &m);
        m.timed_d_in = 1e9; /* no shape is beyond the timings */
        int64_t kv = rng_between(&rng, 1, 4), groups = rng_between(&rng, 1, 4);
        int64_t d = 64 * rng_between(&rng, 2, 20), f = 64 * rng_between(&rng, 2, 20);
        int64_t heads = kv * groups, n = rng_between(&rng, 1, 20), factor = rng_between(&rng, 2, 4);
        /* The same width; `factor` times the layers of a `factor`-th of the heads and of the FFN.
         */
        transformer_init(&wide, d, n, heads * factor, kv * factor, 64, f * factor, 32000);
        transformer_init(&deep, d, n * factor, heads, kv, 64, f, 32000);
        wide.norm_weight = deep.norm_weight = false;
        enum dtype dtype = (enum dtype)rng_between(&rng, 0, DTYPE_Q8_0);
        transformer_set_dtype(&wide, dtype);
        transformer_set_dtype(&deep, dtype);
        struct weight_bytes a, b;
        transformer_weight_bytes(&wide, &a);
        transformer_weight_bytes(&deep, &b);
        assert_int_equal(a.total, b.total);
        int64_t context = rng_between(&rng, 0, 1000);
        assert_int_equal(transformer_kv_bytes(&wide, context),
                         transformer_kv_bytes(&deep, context));
        assert_true(price(&deep, &m, context).decode_ns > price(&wide, &m, context).decode_ns);
        assert_true(price(&deep, &m, context).prefill_ns > price(&wide, &m, context).prefill_ns);
    }
}

static void more_bandwidth_compute_or_capacity_is_never_slower(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 13);
    for (int i = 0; i < 2000; i++) {
        struct transformer net;
        struct machine m;
        random_net(&rng, &net);
        random_machine(&rng, &m);
        int64_t context = rng_between(&rng, 0, 1000);
        double before = price(&net, &m, context).decode_ns;
        int level = (int)rng_between(&rng, 0, 2);
        switch (rng_between(&rng, 0, 3)) {
        case 0:
            for (int t = 0; t < N_DTYPES; t++)
                for (int l = 0; l <= level; l++)
                    m.weight_gbps[t][l] *= 1.5;
            break;
        case 1:
            m.kv_gbps[level] *= 1.5;
            break;
        case 2:
            for (int t = 0; t < N_DTYPES; t++)
                m.peak_gflops[t] *= 1.5;
            break;
        default:
            m.levels[0].capacity_bytes *= 2;
        }
        assert_true(price(&net, &m, context).decode_ns <= before * (1 + 1e-12));
    }
}

static void a_longer_context_is_never_faster(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 14);
    for (int i = 0; i < 500; i++) {
        struct transformer net;
        struct machine m;
        random_net(&rng, &net);
        random_machine(&rng, &m);
        int64_t context = rng_between(&rng, 0, 1000);
        assert_true(price(&net, &m, context).decode_ns <= price(&net, &m, 2 * context).decode_ns);
    }
}

static void the_breakdown_adds_up(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 16);
    for (int i = 0; i < 500; i++) {
        struct transformer net;
        struct machine m;
        struct price out;
        struct price_detail detail;
        struct operator_list list;
        struct op_totals totals;
        struct workload workload = {1, rng_between(&rng, 0, 500)};
        random_net(&rng, &net);
        random_machine(&rng, &m);
        assert_int_equal(price_network(&net, &m, &workload, &out, &detail, NULL), STATUS_OK);
        double roles = 0, levels = detail.compute_ns;
        int64_t bytes = 0;
        for (int r = 0; r < N_OP_ROLES; r++)
            roles += detail.role_ns[r];
        for (int l = 0; l < m.n_levels; l++) {
            levels += detail.level_ns[l];
            bytes += detail.level_bytes[l];
        }
        assert_near(roles / levels, 1, 1e-9);
        assert_near((roles + detail.fixed_ns - detail.hidden_ns) / out.decode_ns, 1, 1e-9);
        assert_int_equal(ops_decode(&net, workload.context, &list, NULL), STATUS_OK);
        ops_totals(&list, &totals);
        assert_int_equal(bytes,
                         totals.weight_read_bytes + totals.kv_read_bytes + totals.kv_write_bytes);
    }
}

static void prompts_and_contexts_beyond_the_network_are_refused(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct price out;
    struct err err;
    transformer_init(&net, 64, 2, 1, 1, 64, 64, 100);
    plain_machine(&m, 1);
    static const struct workload bad[] = {{0, 0}, {2049, 0}, {1, 2048}, {1, -1}};
    for (int i = 0; i < 4; i++)
        assert_int_equal(price_network(&net, &m, &bad[i], &out, NULL, &err), STATUS_RANGE);
}

/* With every term 0 but one, the time is that term times a count that can be worked out. */
static void timings_add_up_term_by_term(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    transformer_init(&net, 512, 10, 8, 4, 64, 1024, 1000);
    const double rows = 10.0 * (512 + 2 * 256 + 512 + 2 * 1024 + 512) + 1000;
    const double columns = 10.0 * (512 + 512 + 512 + 1024) + 512;
    const double flop = 10.0 * 4 * 512 * 101;
    const struct {
        int term;
        double count;
    } expected[] = {
        {TIMING_ROW + DTYPE_F16, rows},
        {TIMING_COLUMN + DTYPE_F16, columns},
        {TIMING_QUERY, 80 * 64},
        {TIMING_POSITION, flop / 64},
        {TIMING_SCORE, flop},
        {TIMING_ELEMENT + OP_NORM, 21 * 512.0},
        {TIMING_ELEMENT + OP_ACTIVATION, 10 * 1024.0},
    };
    plain_machine(&m, 1);
    m.has_timings = true;
    for (int t = 0; t < N_DTYPES; t++) {
        m.is_timed[t] = true;
        for (int l = 0; l < 3; l++)
            m.weight_gbps[t][l] = INFINITY;
    }
    for (int l = 0; l < 3; l++)
        m.kv_gbps[l] = INFINITY;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        memset(m.timing_ns, 0, sizeof m.timing_ns);
        m.timing_ns[expected[i].term] = 2;
        assert_near(price(&net, &m, 100).decode_ns / (2 * expected[i].count), 1, 1e-12);
    }
    memset(m.timing_ns, 0, sizeof m.timing_ns);
    m.timing_ns[TIMING_START + DTYPE_F16] = 2; /* seven matrices a block and the head */
    assert_near(price(&net, &m, 100).decode_ns / (2 * 71.0), 1, 1e-12);
    m.levels[0].capacity_bytes = (int64_t)1 << 40; /* nothing comes from memory */
    assert_near(price(&net, &m, 100).decode_ns, 0, 1e-12);
}

/* Rows of 192 on a kernel that takes 128 weights at a time cost what rows of 256 do, at the cache's
 * rate wherever they come from. */
static void the_rest_of_a_row_costs_a_whole_step(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    transformer_init(&net, 192, 10, 3, 3, 64, 192, 1000);
    transformer_set_dtype(&net, DTYPE_Q8_0);
    const double rows = 10.0 * 7 * 192 + 1000, missing = rows * 64 * 34 / 32;
    plain_machine(&m, 1);
    m.has_timings = m.is_timed[DTYPE_Q8_0] = true;
    memset(m.timing_ns, 0, sizeof m.timing_ns);
    m.matvec_step[DTYPE_Q8_0] = 128;
    for (int l = 0; l < 3; l++) {
        m.kv_gbps[l] = INFINITY;
        m.weight_gbps[DTYPE_Q8_0][l] = l == m.dram - 1 ? 50 : INFINITY;
    }
    assert_near(price(&net, &m, 100).decode_ns / (missing / 50), 1, 1e-12);
    m.matvec_step[DTYPE_Q8_0] = 64;
    assert_near(price(&net, &m, 100).decode_ns, 0, 1e-12);
}

/* Threads take whole query heads, and those that share keys and values read them once each. */
static void threads_on_one_key_value_head_read_it_each(void **state)
{
    (void)state;
    static const struct {
        int64_t heads, kv_heads;
        double times; /* as long as equal parts would take, two threads */
    } expected[] = {
        {8, 8, 1}, {8, 4, 1}, {8, 1, 2}, {1, 1, 2}, {3, 3, 4.0 / 3}, {3, 1, 2}, {4, 2, 1},
    };
    struct machine m;
    plain_machine(&m, 1);
    m.has_timings = m.is_timed[DTYPE_F16] = true;
    m.threads = 2;
    memset(m.timing_ns, 0, sizeof m.timing_ns);
    for (int l = 0; l < 3; l++)
        m.weight_gbps[DTYPE_F16][l] = INFINITY;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct transformer net;
        transformer_init(&net, 512, 10, expected[i].heads, expected[i].kv_heads, 64, 1024, 1000);
        double row = (double)transformer_kv_bytes_per_token(&net);
        double equal = 100 * row / m.kv_gbps[m.dram];
        assert_near(price(&net, &m, 100).decode_ns / equal, expected[i].times, 1e-9);
    }
}

static void a_type_or_shape_far_beyond_the_timings_is_told(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    plain_machine(&m, 1);
    memset(m.is_timed, 0, sizeof m.is_timed);
    m.has_timings = m.is_timed[DTYPE_F16] = true;
    m.timed_d_in = 1024;
    m.timed_context = m.timed_tokens = 128;
    transformer_init(&net, 512, 10, 8, 4, 64, 1024, 1000);
    assert_false(price(&net, &m, 100).beyond_timings);
    assert_true(price(&net, &m, 1900).beyond_timings);
    net.stack.first.d_ff = 8192;
    assert_true(price(&net, &m, 100).beyond_timings);
    net.stack.first.d_ff = 1024;
    transformer_set_dtype(&net, DTYPE_Q8_0);
    assert_true(price(&net, &m, 100).beyond_timings);
    m.has_timings = false;
    assert_false(price(&net, &m, 100).beyond_timings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_other_costs_time_is_bytes_over_bandwidth),
        cmocka_unit_test(deeper_is_never_faster_at_equal_bytes),
        cmocka_unit_test(more_bandwidth_compute_or_capacity_is_never_slower),
        cmocka_unit_test(a_longer_context_is_never_faster),
        cmocka_unit_test(the_breakdown_adds_up),
        cmocka_unit_test(prompts_and_contexts_beyond_the_network_are_refused),
        cmocka_unit_test(timings_add_up_term_by_term),
        cmocka_unit_test(the_rest_of_a_row_costs_a_whole_step),
        cmocka_unit_test(threads_on_one_key_value_head_read_it_each),
        cmocka_unit_test(a_type_or_shape_far_beyond_the_timings_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
