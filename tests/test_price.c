/* The closed-form clock: closed forms of its own, orders that must hold, and its two ways of
 * running. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "costmodel/price.h"
#include "costmodel/reuse.h"
#include "costmodel/shape_price.h"
#include "model/count.h"
#include "tests/random_net.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static struct price price(const struct transformer *net, const struct machine *machine,
                          int64_t context)
{
    struct price out;
    struct err err;
    struct workload workload = {16, context};
    if (price_network(net, machine, &workload, &out, NULL, &err))
        fail_msg("%s", err.message);
    return out;
}

/* One bandwidth, endless compute, no fixed cost: the time is the bytes. */
static void plain_machine(struct machine *m, int64_t sram)
{
    struct rng rng;
    rng_init(&rng, 1);
    random_machine(&rng, m);
    m->has_timings = false;
    machine_level_spill(&m->levels[0], 0);
    for (int l = 0; l < 3; l++) {
        double gbps = l == 0 ? 1e9 : l == 1 ? 10 : 1;
        m->levels[l].read_gbps = 1e9;
        m->kv_gbps[l] = gbps;
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][l] = gbps;
    }
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = 1e12;
    memset(m->op_ns, 0, sizeof m->op_ns);
    m->layer_ns = m->pass_ns = 0;
    m->levels[0].capacity_bytes = sram;
}

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

static void two_steps_give_what_one_gives_to_the_bit(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 17);
    for (int i = 0; i < 200; i++) {
        struct transformer net;
        struct machine m;
        struct workload workload = {rng_between(&rng, 1, 200), rng_between(&rng, 0, 500)};
        static struct shape_price shape;
        random_net(&rng, &net);
        net.head_dtype = net.embedding_dtype;
        random_machine(&rng, &m);
        assert_int_equal(price_shape(&net, &m, &workload, &shape, NULL), STATUS_OK);
        for (int k = 0; k < 8; k++) {
            struct price two, one;
            memset(&one, 0, sizeof one);
            memset(&two, 0, sizeof two);
            net.schedule = random_schedule(&rng, 40);
            net.tie_embeddings = rng_between(&rng, 0, 1);
            price_schedule(&shape, &net.schedule, net.tie_embeddings, &two);
            assert_int_equal(price_network(&net, &m, &workload, &one, NULL, NULL), STATUS_OK);
            assert_memory_equal(&one, &two, sizeof one);
        }
    }
}

/* A table of classes that differ in what may differ from layer to layer. */
static void random_classes(struct rng *rng, const struct transformer *net, struct block *classes,
                           int n)
{
    for (int c = 0; c < n; c++) {
        classes[c] = net->stack.first;
        if (!net->schedule.share_ffn)
            classes[c].d_ff = 32 * rng_between(rng, 1, 60);
        if (rng_between(rng, 0, 1))
            classes[c].window = rng_between(rng, 1, 300);
        if (rng_between(rng, 0, 2) == 0)
            classes[c].n_kv_heads = classes[c].n_heads;
        if (rng_between(rng, 0, 3) == 0)
            classes[c] = (struct block){.mixer = MIXER_NONE, .d_ff = classes[c].d_ff};
    }
}

/* Short runs, so that some sequences are of one class only. */
static void random_sequence(struct rng *rng, int n_classes, int64_t n, int *ids)
{
    int64_t same = rng_between(rng, 1, n);
    for (int64_t i = 0; i < n; i++)
        ids[i] = i % same == 0 ? (int)rng_between(rng, 0, n_classes - 1) : ids[i - 1];
}

static void stacks_of_classes_cost_what_their_network_does_to_the_bit(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 19);
    int n_uniform = 0;
    for (int i = 0; i < 150; i++) {
        struct transformer net;
        struct machine m;
        struct block classes[6];
        struct workload workload = {rng_between(&rng, 1, 200), rng_between(&rng, 0, 500)};
        int ids[40], in_order[6] = {0, 1, 2, 3, 4, 5};
        static struct shape_price shape;
        random_net(&rng, &net);
        net.head_dtype = net.embedding_dtype;
        random_machine(&rng, &m);
        int n_classes = (int)rng_between(&rng, 1, 6);
        random_classes(&rng, &net, classes, n_classes);
        struct transformer table = net;
        assert_int_equal(stack_set_classes(&table.stack, classes, in_order, n_classes, NULL),
                         STATUS_OK);
        n_classes = stack_n_classes(&table.stack);
        assert_int_equal(price_shape(&table, &m, &workload, &shape, NULL), STATUS_OK);
        for (int k = 0; k < 12; k++) {
            struct price two, one;
            struct param_count params;
            memset(&one, 0, sizeof one);
            memset(&two, 0, sizeof two);
            bool share_ffn = net.schedule.share_ffn;
            net.schedule = random_schedule(&rng, 40);
            net.schedule.share_ffn = share_ffn;
            net.tie_embeddings = rng_between(&rng, 0, 1);
            random_sequence(&rng, n_classes, net.schedule.n_layers, ids);
            struct block blocks[40];
            for (int64_t b = 0; b < net.schedule.n_layers; b++)
                blocks[b] = *stack_class(&table.stack, ids[b]);
            assert_int_equal(stack_set(&net.stack, blocks, net.schedule.n_layers, NULL), STATUS_OK);
            n_uniform += stack_is_uniform(&net.stack);
            assert_int_equal(
                price_sequence(&shape, ids, &net.schedule, net.tie_embeddings, &two, NULL),
                STATUS_OK);
            assert_int_equal(price_network(&net, &m, &workload, &one, NULL, NULL), STATUS_OK);
            assert_memory_equal(&one, &two, sizeof one);
            transformer_count(&net, &params);
            assert_memory_equal(&params, &shape.counted.params, sizeof params);
            stack_release(&net.stack);
        }
        price_shape_release(&shape);
        transformer_release(&table);
    }
    assert_true(n_uniform > 50 && n_uniform < 1500);
}

static void pricing_classes_without_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct rng rng;
    struct transformer net;
    struct machine m;
    struct price out;
    struct block classes[2];
    const struct workload workload = {16, 16};
    const int ids[2] = {0, 1};
    static struct shape_price shape;
    rng_init(&rng, 20);
    plain_machine(&m, 1 << 20);
    transformer_init(&net, 64, 2, 2, 1, 32, 64, 100);
    classes[0] = classes[1] = net.stack.first;
    classes[1].window = 8;
    assert_int_equal(stack_set(&net.stack, classes, 2, NULL), STATUS_OK);
    for (int64_t n = 1;; n++) {
        memory_fail_after(n);
        enum status status = price_shape(&net, &m, &workload, &shape, NULL);
        if (status == STATUS_OK) {
            status = price_sequence(&shape, ids, &net.schedule, true, &out, NULL);
            price_shape_release(&shape);
        }
        memory_fail_after(-1);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_true(n < 20);
    }
    transformer_release(&net);
}

static void different_blocks_cost_their_own(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 18);
    for (int i = 0; i < 200; i++) {
        struct transformer net;
        struct machine m;
        int class_of_block[40] = {0};
        random_net(&rng, &net);
        random_machine(&rng, &m);
        double uniform = price(&net, &m, 100).decode_ns;
        struct block wider = net.stack.first;
        wider.d_ff += 64;
        net.stack.class_of_block = class_of_block;
        assert_near(price(&net, &m, 100).decode_ns / uniform, 1, 1e-9);
        if (!net.schedule.share_ffn) {
            net.stack.n_others = 1;
            net.stack.others = &wider;
            class_of_block[0] = 1;
            assert_true(price(&net, &m, 100).decode_ns >= uniform);
        }
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
        cmocka_unit_test(timings_add_up_term_by_term),
        cmocka_unit_test(the_rest_of_a_row_costs_a_whole_step),
        cmocka_unit_test(threads_on_one_key_value_head_read_it_each),
        cmocka_unit_test(a_type_or_shape_far_beyond_the_timings_is_told),
        cmocka_unit_test(a_walk_too_long_is_found_in_part_where_a_level_spills),
        cmocka_unit_test(a_lost_share_of_immediate_rereads_comes_from_memory),
        cmocka_unit_test(a_way_back_loses_as_an_immediate_reread_does),
        cmocka_unit_test(without_other_costs_time_is_bytes_over_bandwidth),
        cmocka_unit_test(immediate_sharing_is_free_when_a_block_fits_and_not_otherwise),
        cmocka_unit_test(other_sharing_modes_hit_as_their_reuse_distance_says),
        cmocka_unit_test(deeper_is_never_faster_at_equal_bytes),
        cmocka_unit_test(more_bandwidth_compute_or_capacity_is_never_slower),
        cmocka_unit_test(a_longer_context_is_never_faster),
        cmocka_unit_test(overlap_never_beats_the_stream_or_the_compute),
        cmocka_unit_test(the_breakdown_adds_up),
        cmocka_unit_test(two_steps_give_what_one_gives_to_the_bit),
        cmocka_unit_test(stacks_of_classes_cost_what_their_network_does_to_the_bit),
        cmocka_unit_test(pricing_classes_without_memory_is_reported_and_leaks_nothing),
        cmocka_unit_test(different_blocks_cost_their_own),
        cmocka_unit_test(prompts_and_contexts_beyond_the_network_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
