/* The protocol of trials: what is run and reported, not how fast. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kernels/cpu.h"
#include "timing/trial.h"

/* Two networks: the first at one thread with and without a prompt, the second at two threads. */
enum { N_TRIALS = 3 };
static struct transformer nets[2];
static struct trial trials[N_TRIALS];

static struct trial_options set_up(int rounds)
{
    struct trial_options options = {
        .min_rounds = rounds, .max_rounds = rounds, .budget_ns = 1e18, .decode_ns = 1};
    assert_int_equal(cpu_isa(NULL, &options.isa, NULL), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        transformer_init(&nets[i], 64, 1 + i, 2, 1, 32, 96, 100);
        nets[i].max_context = 64;
    }
    trials[0] = (struct trial){.net = &nets[0], .threads = 1, .prompt = 12, .context = 3};
    trials[1] = (struct trial){.net = &nets[0], .threads = 1, .context = 40};
    trials[2] = (struct trial){.net = &nets[1], .threads = 2, .prompt = 5, .context = 9};
    return options;
}

static struct trial_report run(const struct trial_options *options)
{
    struct trial_report report;
    struct err err = {""};
    if (trials_run(trials, N_TRIALS, options, &report, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return report;
}

static void every_round_times_every_trial(void **state)
{
    (void)state;
    struct trial_options options = set_up(2);
    struct trial_report report = run(&options);
    assert_int_equal(report.n_rounds, 2);
    for (int i = 0; i < N_TRIALS; i++) {
        const struct trial *trial = &trials[i];
        assert_int_equal(trial->n_rounds, 2);
        for (int r = 0; r < 2; r++) {
            assert_true(trial->decode_ns[r] > 0);
            assert_true(trial->prompt > 0 ? trial->prefill_ns[r] > 0 : isnan(trial->prefill_ns[r]));
            assert_true(trial->state[r].sum_ns > 0 && trial->state[r].read_gbps > 0);
        }
        assert_true(isnan(trial_prefill_ns(trial)) == (trial->prompt == 0));
    }
    assert_int_equal(report.state.n, 2);
    assert_non_null(state_reference_at(&report.state, 1));
    assert_non_null(state_reference_at(&report.state, 2));
    assert_true(report.sentinel_gbps > 0 && report.processor_frac > 0);
}

static void too_few_rounds_are_reported_as_timed(void **state)
{
    (void)state;
    struct trial_options options = set_up(LEAST_STATE_ROUNDS - 1);
    run(&options);
    for (int i = 0; i < N_TRIALS; i++)
        for (int r = 0; r < trials[i].n_rounds; r++)
            assert_true(trials[i].decode_ns[r] == trials[i].raw_decode_ns[r]);
}

static void enough_rounds_are_brought_to_one_state_of_the_machine(void **state)
{
    (void)state;
    struct trial_options options = set_up(LEAST_STATE_ROUNDS);
    struct trial_report report = run(&options);
    for (int i = 0; i < N_TRIALS; i++)
        for (int r = 0; r < LEAST_STATE_ROUNDS; r++) {
            const struct trial *trial = &trials[i];
            const struct machine_state *calm = state_reference_at(&report.state, trial->threads);
            assert_true(isfinite(trial->decode_ns[r]) && trial->decode_ns[r] > 0);
            assert_true(isnan(trial->prefill_ns[r]) == (trial->prompt == 0));
            if (memcmp(&trial->state[r], calm, sizeof *calm) == 0)
                assert_true(trial->decode_ns[r] == trial->raw_decode_ns[r]);
        }
}

/* A reference of which nothing is known shows where it was used. */
static void the_callers_reference_stands_in_for_the_calm_state_at_its_thread_count(void **state)
{
    (void)state;
    struct trial_options options = set_up(LEAST_STATE_ROUNDS);
    const struct state_reference reference = {1, {2}, {{NAN, NAN, NAN}}};
    options.reference = &reference;
    run(&options);
    assert_true(isfinite(trial_decode_ns(&trials[0])));
    assert_true(isnan(trial_decode_ns(&trials[2])) && isnan(trial_prefill_ns(&trials[2])));
    assert_true(trials[2].raw_decode_ns[0] > 0);
}

static void a_spent_budget_ends_the_rounds_but_for_the_fewest(void **state)
{
    (void)state;
    struct trial_options options = set_up(3);
    options.min_rounds = 1;
    options.budget_ns = 0;
    struct trial_report report = run(&options);
    assert_int_equal(report.n_rounds, 1);
    assert_int_equal(trials[2].n_rounds, 1);
}

static volatile sig_atomic_t stop;
static int n_shown;
static void stop_at_once(void *context, double done_frac)
{
    (void)context;
    assert_true(done_frac > 0 && done_frac <= 1);
    n_shown++;
    stop = 1;
}

static void a_stop_is_heeded_before_the_next_network(void **state)
{
    (void)state;
    struct trial_report report;
    struct err err;
    struct trial_options options = set_up(2);
    options.stop = &stop;
    options.progress = stop_at_once;
    stop = n_shown = 0;
    assert_int_equal(trials_run(trials, N_TRIALS, &options, &report, &err), STATUS_INTERRUPTED);
    assert_int_equal(n_shown, 1);
    assert_int_equal(report.n_rounds, 0);
    assert_int_equal(trials[0].n_rounds, trials[1].n_rounds);
    assert_int_equal(trials[0].n_rounds + trials[2].n_rounds, 1);
}

static void a_network_that_cannot_run_ends_the_session(void **state)
{
    (void)state;
    struct trial_report report;
    struct err err;
    struct trial_options options = set_up(1);
    trials[1].context = 64; /* one beyond what it was made for */
    assert_int_equal(trials_run(trials, N_TRIALS, &options, &report, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "65"));
}

/* At every allocation of the first few, then at ever wider steps. */
static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n = n < 8 ? n + 1 : 2 * n) {
        struct trial_report report;
        struct err err;
        struct trial_options options = set_up(1);
        memory_fail_after(n);
        status = trials_run(trials, 1, &options, &report, &err);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
    }
}

static void the_mean_leaves_out_the_quickest_and_the_slowest_quarter(void **state)
{
    (void)state;
    struct trial trial = {.prompt = 1, .n_rounds = 4};
    memcpy(trial.decode_ns, (double[]){30, 1, 1e9, 10}, 4 * sizeof(double));
    memcpy(trial.prefill_ns, (double[]){4, 3, 2, 1}, 4 * sizeof(double));
    assert_true(trial_decode_ns(&trial) == 20);
    assert_true(trial_prefill_ns(&trial) == 2.5);
    trial.n_rounds = 0;
    assert_true(isnan(trial_decode_ns(&trial)) && isnan(trial_prefill_ns(&trial)));
    assert_true(isnan(trial_noise_frac(trial.decode_ns, 1)));
    struct trial_spread spread = trial_spread((double[]){5, 1, 3}, 3);
    assert_true(spread.min_ns == 1 && spread.median_ns == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_round_times_every_trial),
        cmocka_unit_test(too_few_rounds_are_reported_as_timed),
        cmocka_unit_test(enough_rounds_are_brought_to_one_state_of_the_machine),
        cmocka_unit_test(the_callers_reference_stands_in_for_the_calm_state_at_its_thread_count),
        cmocka_unit_test(a_spent_budget_ends_the_rounds_but_for_the_fewest),
        cmocka_unit_test(a_stop_is_heeded_before_the_next_network),
        cmocka_unit_test(a_network_that_cannot_run_ends_the_session),
        cmocka_unit_test(running_out_of_memory_is_reported),
        cmocka_unit_test(the_mean_leaves_out_the_quickest_and_the_slowest_quarter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
