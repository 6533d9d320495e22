/* Fitting timings to trials that a made-up machine "ran". */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "calibrate/timing_fit.h"
#include "costmodel/price.h"
#include "model/count.h"
#include "model/draw.h"

enum { N_NETWORKS = 45, N_TRIALS = 2 * N_NETWORKS };

/* The first three are those of a calibration. */
static const enum dtype world_types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_F16, DTYPE_BF16,
                                         DTYPE_Q6_K, DTYPE_Q4_K, DTYPE_F32};
enum { N_WORLD_TYPES = sizeof world_types / sizeof *world_types };

/* Two levels above flash, one thread, timings of every type. */
static void true_machine(struct machine *m)
{
    memset(m, 0, sizeof *m);
    m->threads = 1;
    m->n_levels = 3;
    m->dram = 1;
    m->flash = 2;
    m->levels[0].capacity_bytes = 16 << 20;
    machine_level_spill(&m->levels[0], 64 << 20);
    m->levels[1].capacity_bytes = (int64_t)16 << 30;
    m->levels[2].capacity_bytes = (int64_t)1 << 50;
    for (int l = 0; l < 3; l++) {
        m->levels[l].read_gbps = m->kv_gbps[l] = l == 0 ? 60 : l == 1 ? 20 : 1;
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][l] = m->levels[l].read_gbps * 0.8;
    }
    m->load_gbps = m->init_gbps = 1;
    m->has_timings = true;
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = 200;
    for (int i = 0; i < N_WORLD_TYPES; i++) {
        enum dtype type = world_types[i];
        m->is_timed[type] = true;
        m->timing_ns[TIMING_ROW + type] = 3;
        m->timing_ns[TIMING_COLUMN + type] = 0.3;
        m->timing_ns[TIMING_PROMPT_BYTE + type] = 0.05;
        m->timing_ns[TIMING_PROMPT_COLUMN + type] = 0.2;
    }
    m->timing_ns[TIMING_PROMPT_ROW] = 0.2;
    m->timing_ns[TIMING_QUERY] = 2;
    m->timing_ns[TIMING_POSITION] = m->timing_ns[TIMING_PROMPT_POSITION] = 0.1;
    m->timing_ns[TIMING_SCORE] = m->timing_ns[TIMING_PROMPT_SCORE] = 0.01;
    m->op_ns[OP_MATMUL] = 500;
    m->pass_ns = 5000;
    m->timed_d_in = 8192;
    m->timed_context = 2048;
    m->timed_tokens = 256;
}

struct world {
    struct machine machine;
    struct transformer networks[N_NETWORKS];
    struct trial trials[N_TRIALS];
    int fold[N_TRIALS];
};

static struct world *make_world_of(int n_types, double noise)
{
    struct world *w = memory_new(1, sizeof *w);
    struct rng rng;
    assert_non_null(w);
    rng_init(&rng, 5);
    true_machine(&w->machine);
    for (int i = 0; i < N_TRIALS; i++) {
        struct transformer *net = &w->networks[i / 2];
        struct draw_options draw = {.params = (int64_t)(1e7 * pow(10, rng_uniform(&rng))),
                                    .aspect = rng_uniform(&rng),
                                    .dtype = world_types[i / 2 % n_types],
                                    .share = true};
        if (i % 2 == 0)
            draw_network(&rng, &draw, net);
        struct trial *trial = &w->trials[i];
        *trial = (struct trial){.net = net,
                                .threads = 1,
                                .prompt = 16 * rng_between(&rng, 1, 8),
                                .context = 512 * (i % 2) * rng_between(&rng, 0, 4),
                                .n_rounds = 1};
        struct workload workload = {trial->prompt, trial->context};
        struct price price;
        assert_int_equal(price_network(net, &w->machine, &workload, &price, NULL, NULL), STATUS_OK);
        trial->decode_ns[0] = price.decode_ns * (1 + noise * rng_normal(&rng));
        trial->prefill_ns[0] = price.prefill_ns * (1 + noise * rng_normal(&rng));
        w->fold[i] = i / 2 / 3 % 5;
    }
    return w;
}

static struct world *make_world(double noise)
{
    return make_world_of(3, noise);
}

/* Kernels that promise too much and too little. */
static void mislead(struct machine *m)
{
    for (int t = 0; t < N_DTYPES; t++) {
        m->weight_gbps[t][0] *= 1.3;
        m->weight_gbps[t][1] *= 1.2;
        m->peak_gflops[t] *= 1.3;
        m->timing_ns[TIMING_ROW + t] *= 0.5;
    }
    m->op_ns[OP_MATMUL] *= 0.3;
    m->pass_ns = 0;
}

static double median_error(const struct world *w, const struct machine *m, int fold,
                           bool of_prefill)
{
    double decode[N_TRIALS], prefill[N_TRIALS];
    int n = 0;
    struct timing_fit fit = {w->trials, N_TRIALS, w->fold, -1};
    assert_int_equal(timing_errors(&fit, m, fold, decode, prefill, &n, NULL), STATUS_OK);
    return stats_median(of_prefill ? prefill : decode, (size_t)n);
}

static void a_fit_recovers_times_from_misleading_kernels(void **state)
{
    (void)state;
    struct world *w = make_world(0);
    struct machine m = w->machine;
    struct timing_fit fit = {w->trials, N_TRIALS, NULL, -1};
    double loss;
    mislead(&m);
    assert_true(median_error(w, &m, -1, false) > 0.05);
    assert_int_equal(timing_fit(&fit, &m, &loss, NULL), STATUS_OK);
    assert_true(loss < 0.01);
    assert_true(median_error(w, &m, -1, false) < 0.01);
    assert_true(median_error(w, &m, -1, true) < 0.01);
    memory_free(w);
}

static void seven_types_are_fitted_with_every_term_of_attention(void **state)
{
    (void)state;
    struct world *w = make_world_of(N_WORLD_TYPES, 0);
    struct machine m = w->machine;
    struct timing_fit fit = {w->trials, N_TRIALS, NULL, -1};
    mislead(&m);
    m.timing_ns[TIMING_POSITION] *= 4;
    m.timing_ns[TIMING_SCORE] *= 4;
    assert_int_equal(timing_fit(&fit, &m, NULL, NULL), STATUS_OK);
    assert_true(median_error(w, &m, -1, false) < 0.01);
    assert_true(m.timing_ns[TIMING_SCORE] < 2 * w->machine.timing_ns[TIMING_SCORE]);
    memory_free(w);
}

static void networks_left_out_are_predicted_about_as_well_as_the_noise(void **state)
{
    (void)state;
    struct world *w = make_world(0.03);
    struct machine m = w->machine;
    struct timing_fit fit = {w->trials, N_TRIALS, w->fold, 2};
    mislead(&m);
    assert_int_equal(timing_fit(&fit, &m, NULL, NULL), STATUS_OK);
    assert_true(median_error(w, &m, 2, false) < 0.05);
    memory_free(w);
}

static void no_term_is_fitted_below_zero(void **state)
{
    (void)state;
    struct world *w = make_world(0.3);
    struct machine m = w->machine;
    struct timing_fit fit = {w->trials, N_TRIALS, NULL, -1};
    assert_int_equal(timing_fit(&fit, &m, NULL, NULL), STATUS_OK);
    for (int term = 0; term < N_TIMING_TERMS; term++)
        assert_true(m.timing_ns[term] >= 0);
    assert_true(m.op_ns[OP_MATMUL] >= 0 && m.pass_ns >= 0);
    for (int t = 0; t < N_DTYPES; t++)
        for (int l = 0; l < 3; l++)
            assert_true(m.weight_gbps[t][l] > 0);
    memory_free(w);
}

static void a_fit_without_trials_at_its_threads_is_refused(void **state)
{
    (void)state;
    struct world *w = make_world(0);
    struct machine m = w->machine;
    struct timing_fit fit = {w->trials, N_TRIALS, NULL, -1};
    m.threads = 2;
    assert_int_equal(timing_fit(&fit, &m, NULL, NULL), STATUS_INPUT);
    memory_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fit_recovers_times_from_misleading_kernels),
        cmocka_unit_test(seven_types_are_fitted_with_every_term_of_attention),
        cmocka_unit_test(networks_left_out_are_predicted_about_as_well_as_the_noise),
        cmocka_unit_test(no_term_is_fitted_below_zero),
        cmocka_unit_test(a_fit_without_trials_at_its_threads_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
