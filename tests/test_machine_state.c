/* Timings in different states of the machine tell how much of it they feel. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/stats.h"
#include "kernels/cpu.h"
#include "timing/machine_state.h"

enum { N_ITEMS = 20, N_ROUNDS = 8, N = N_ITEMS * N_ROUNDS };

static const struct state_effect prior = {{0.5, 0.5, 0}};
#define WIDTH 0.3

struct timings {
    double ns[N], item_ns[N_ITEMS];
    struct machine_state states[N];
    int items[N];
};

static void take(struct rng *rng, struct state_effect truth, double spread, double noise,
                 struct timings *out)
{
    for (int i = 0; i < N; i++) {
        int item = i % N_ITEMS;
        if (i < N_ITEMS)
            out->item_ns[item] = 1e6 * (1 + 9 * rng_uniform(rng));
        out->items[i] = item;
        out->states[i] = (struct machine_state){1e5 * exp(spread * rng_uniform(rng)),
                                                20 * exp(spread * rng_uniform(rng)),
                                                80 * exp(3 * spread * rng_uniform(rng))};
        out->ns[i] = out->item_ns[item] *
                     pow(out->states[i].sum_ns / 1e5, truth.of[STATE_ARITHMETIC]) *
                     pow(20 / out->states[i].read_gbps, truth.of[STATE_MEMORY]) *
                     pow(out->states[i].meet_ns / 80, truth.of[STATE_MEETING]) *
                     exp(noise * rng_normal(rng));
    }
}

static void exponents_are_found_and_states_taken_out(void **state)
{
    (void)state;
    static const struct state_effect truths[] = {
        {{0.9, 0, 0}}, {{0.3, 0.6, 0}}, {{0, 1, 0.2}}, {{0.5, 0.5, 0.1}}};
    static struct timings t;
    struct rng rng;
    rng_init(&rng, 1);
    for (size_t k = 0; k < sizeof truths / sizeof *truths; k++) {
        struct state_effect found;
        const struct machine_state reference = {1e5, 20, 80};
        take(&rng, truths[k], 0.3, 0.01, &t);
        assert_int_equal(state_effect_fit(t.ns, t.states, t.items, N, &prior, WIDTH, &found, NULL),
                         STATUS_OK);
        for (int part = 0; part < N_STATE_PARTS; part++)
            assert_true(fabs(found.of[part] - truths[k].of[part]) < 0.05);
        for (int i = 0; i < N; i++) {
            double ns = state_corrected_ns(t.ns[i], &found, &t.states[i], &reference);
            assert_true(fabs(ns / t.item_ns[t.items[i]] - 1) < 0.06);
        }
    }
}

static void where_no_state_differs_the_prior_stands(void **state)
{
    (void)state;
    static struct timings t;
    struct rng rng;
    struct state_effect found;
    rng_init(&rng, 2);
    take(&rng, (struct state_effect){{0.9, 0.1, 0}}, 0, 0.02, &t);
    assert_int_equal(state_effect_fit(t.ns, t.states, t.items, N, &prior, WIDTH, &found, NULL),
                     STATUS_OK);
    for (int part = 0; part < N_STATE_PARTS; part++)
        assert_true(fabs(found.of[part] - prior.of[part]) < 1e-9);
    assert_int_equal(state_effect_fit(t.ns, t.states, t.items, 0, &prior, WIDTH, &found, NULL),
                     STATUS_OK);
    assert_true(fabs(found.of[STATE_ARITHMETIC] - 0.5) < 1e-9);
    /* nothing is corrected in the reference itself */
    assert_true(fabs(state_corrected_ns(5, &found, &t.states[0], &t.states[0]) - 5) < 1e-12);
}

static void one_lost_moment_does_not_bend_the_exponents(void **state)
{
    (void)state;
    static struct timings t;
    struct rng rng;
    struct state_effect found;
    rng_init(&rng, 3);
    take(&rng, (struct state_effect){{0.8, 0.2, 0}}, 0.3, 0.01, &t);
    t.ns[7] *= 40;
    assert_int_equal(state_effect_fit(t.ns, t.states, t.items, N, &prior, WIDTH, &found, NULL),
                     STATUS_OK);
    assert_true(fabs(found.of[STATE_ARITHMETIC] - 0.8) < 0.05);
    assert_true(fabs(found.of[STATE_MEMORY] - 0.2) < 0.05);
}

/* An item that feels more than the others do, found from what they have in common. */
static void an_item_is_told_from_its_kind(void **state)
{
    (void)state;
    static struct timings t;
    struct rng rng;
    struct state_effect common, own;
    double ns[N_ROUNDS];
    struct machine_state states[N_ROUNDS];
    int items[N_ROUNDS];
    rng_init(&rng, 4);
    take(&rng, (struct state_effect){{0.5, 0.3, 0}}, 0.4, 0.005, &t);
    for (int r = 0, i = 0; i < N; i++) {
        if (t.items[i] != 3)
            continue;
        t.ns[i] *= pow(t.states[i].sum_ns / 1e5, 0.3);
        ns[r] = t.ns[i];
        states[r] = t.states[i];
        items[r++] = 3;
    }
    assert_int_equal(state_effect_fit(t.ns, t.states, t.items, N, &prior, WIDTH, &common, NULL),
                     STATUS_OK);
    assert_int_equal(state_effect_fit(ns, states, items, N_ROUNDS, &common, WIDTH, &own, NULL),
                     STATUS_OK);
    assert_true(fabs(common.of[STATE_ARITHMETIC] - 0.5) < 0.06);
    assert_true(own.of[STATE_ARITHMETIC] > 0.65);
}

static void a_look_at_the_machine_gives_numbers(void **state)
{
    (void)state;
    struct state_probe *probe;
    unsigned isa;
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    assert_int_equal(state_probe_create(isa, &probe, NULL), STATUS_OK);
    for (int threads = 1; threads <= 2; threads++) {
        struct machine_state now = state_probe_look(probe, threads);
        assert_true(now.sum_ns > 0 && isfinite(now.sum_ns) && now.read_gbps > 0);
        assert_true(now.meet_ns > 0 && isfinite(now.meet_ns));
    }
    state_probe_free(probe);
    state_probe_free(NULL);
}

/* Half of the time a neighbour slows the cores: the calm state does not show it, nor do a few
 * impossibly fast looks. */
static void the_calm_state_is_that_of_undisturbed_rounds(void **state)
{
    (void)state;
    static struct machine_state states[N];
    static double scratch[N];
    struct rng rng;
    rng_init(&rng, 5);
    for (int i = 0; i < N; i++) {
        bool disturbed = i % 2;
        states[i] = (struct machine_state){
            1e5 * (disturbed ? 1.5 : 1) * exp(0.01 * rng_normal(&rng)),
            (disturbed ? 20 : 30) * exp(0.01 * rng_normal(&rng)), disturbed ? 70 : 230};
    }
    states[0].sum_ns = 5e4;
    struct machine_state calm = state_calm(states, N, scratch);
    assert_true(fabs(calm.sum_ns / 1e5 - 1) < 0.02);
    assert_true(fabs(calm.read_gbps / 30 - 1) < 0.02);
    assert_true(calm.meet_ns == 230);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calm_state_is_that_of_undisturbed_rounds),
        cmocka_unit_test(exponents_are_found_and_states_taken_out),
        cmocka_unit_test(where_no_state_differs_the_prior_stands),
        cmocka_unit_test(one_lost_moment_does_not_bend_the_exponents),
        cmocka_unit_test(an_item_is_told_from_its_kind),
        cmocka_unit_test(a_look_at_the_machine_gives_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
