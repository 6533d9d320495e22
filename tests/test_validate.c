/* Judging predictions, on trials that a made-up machine "ran". */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/count.h"
#include "model/draw.h"
#include "validate/score.h"

static void draw_and_run(struct validation *v, double per_byte, double per_layer)
{
    struct validation_options options = {
        .n_networks = 27, .n_threads = 1, .threads = {1}, .prompt = 16, .seed = 1};
    assert_int_equal(validation_draw(&options, v, NULL), STATUS_OK);
    assert_int_equal(v->n_trials, 27);
    for (int i = 0; i < v->n_trials; i++) {
        struct trial *trial = &v->trials[i];
        struct weight_bytes bytes;
        transformer_weight_bytes(trial->net, &bytes);
        double ns =
            per_byte * (double)(bytes.total + transformer_kv_bytes(trial->net, trial->context)) +
            per_layer * (double)schedule_executions(&trial->net->schedule);
        trial->n_rounds = 3;
        for (int r = 0; r < 3; r++)
            trial->decode_ns[r] = trial->prefill_ns[r] = ns * (1 + 0.01 * (r - 1));
    }
}

static void noise_is_unknown_where_no_trial_has_two_rounds(void **state)
{
    (void)state;
    struct validation v;
    struct validation_summary s;
    draw_and_run(&v, 0.05, 20000);
    for (int i = 0; i < v.n_trials; i++) {
        v.prefill_ns[i] = trial_prefill_ns(&v.trials[i]);
        v.trials[i].n_rounds = 1;
    }
    assert_int_equal(validation_summarise(&v, VALIDATE_PREFILL, v.prefill_ns, &s, NULL), STATUS_OK);
    assert_int_equal(s.n, v.n_trials);
    assert_true(isnan(s.single_floor) && isnan(s.mean_floor) && isnan(s.within_floor_10));
    v.trials[0].n_rounds = 3; /* the one that tells */
    assert_int_equal(validation_summarise(&v, VALIDATE_PREFILL, v.prefill_ns, &s, NULL), STATUS_OK);
    assert_true(s.single_floor > 0.005 && s.mean_floor < s.single_floor);
    validation_release(&v);
}

static void a_perfect_prediction_has_no_error_and_full_rank_correlation(void **state)
{
    (void)state;
    struct validation v;
    struct validation_summary s;
    draw_and_run(&v, 0.05, 20000);
    for (int i = 0; i < v.n_trials; i++)
        v.prefill_ns[i] = trial_prefill_ns(&v.trials[i]);
    assert_int_equal(validation_summarise(&v, VALIDATE_PREFILL, v.prefill_ns, &s, NULL), STATUS_OK);
    assert_true(s.median < 1e-12 && s.p95 < 1e-12 && fabs(s.bias) < 1e-12);
    assert_true(s.within_5 > 1 - 1e-9 && s.spearman > 1 - 1e-9 && s.group_worst > 1 - 1e-9);
    assert_true(s.single_floor > 0.005 && s.single_floor < 0.02);
    assert_true(s.mean_floor < s.single_floor);
    assert_true(s.n_pairs > 10 && s.pairs_in_order > 1 - 1e-9);
    int n_pairs = s.n_pairs;
    for (int i = 0; i < v.n_trials; i++)
        v.prefill_ns[i] = 1e18 / v.prefill_ns[i]; /* the other way round */
    assert_int_equal(validation_summarise(&v, VALIDATE_PREFILL, v.prefill_ns, &s, NULL), STATUS_OK);
    assert_true(s.n_pairs == n_pairs && s.pairs_in_order < 1e-9);
    for (int i = 0; i < v.n_trials; i++) /* so noisy that nothing can be told */
        v.trials[i].prefill_ns[0] *= 100;
    assert_int_equal(validation_summarise(&v, VALIDATE_PREFILL, v.prefill_ns, &s, NULL), STATUS_OK);
    assert_true(s.n_pairs < n_pairs);
    validation_release(&v);
}

static void
the_worst_prediction_comes_first_and_prompts_last_where_no_decode_was_timed(void **state)
{
    (void)state;
    struct validation v;
    struct validation_errors errors;
    int order[27];
    draw_and_run(&v, 0.05, 20000);
    for (int i = 0; i < v.n_trials; i++) {
        v.decode_ns[CLOCK_LATHE][i] = trial_decode_ns(&v.trials[i]) * (1 + 0.01 * (i % 26));
        v.prefill_ns[i] = trial_prefill_ns(&v.trials[i]);
    }
    for (int r = 0; r < 3; r++)
        v.trials[26].decode_ns[r] = NAN;
    assert_int_equal(validation_worst_first(&v, false, order), 26);
    for (int i = 0; i < 26; i++)
        assert_int_equal(order[i], 25 - i);
    v.prefill_ns[26] *= 2;
    assert_int_equal(validation_worst_first(&v, true, order), 27);
    assert_int_equal(order[0], 26);
    assert_int_equal(validation_errors(&v, &errors, NULL), STATUS_OK);
    assert_int_equal(errors.n, 26);
    assert_true(fabs(errors.median_frac - 0.125) < 1e-9 && fabs(errors.p90_frac - 0.225) < 1e-9);
    for (int i = 0; i < v.n_trials; i++)
        v.trials[i].n_rounds = 0;
    assert_int_equal(validation_errors(&v, &errors, NULL), STATUS_OK);
    assert_true(errors.n == 0 && isnan(errors.median_frac));
    validation_release(&v);
}

/* The caller's networks stand for themselves: one trial a thread count, in no group. */
static void networks_that_are_given_are_not_drawn(void **state)
{
    (void)state;
    struct transformer nets[2];
    struct validation v;
    struct validation_options options = {
        .n_networks = 2, .n_threads = 2, .threads = {1, 4}, .prompt = 16, .context = 77};
    transformer_init(&nets[0], 512, 10, 8, 4, 64, 1024, 1000);
    transformer_init(&nets[1], 512, 20, 8, 4, 64, 1024, 1000);
    assert_int_equal(validation_of_networks(nets, &options, &v, NULL), STATUS_OK);
    assert_int_equal(v.n_trials, 4);
    assert_int_equal(v.n_groups, 0);
    for (int i = 0; i < v.n_trials; i++) {
        assert_true(v.trials[i].net == &v.networks[i / 2] && v.trials[i].group < 0);
        assert_int_equal(v.trials[i].net->schedule.n_layers, 10 * (i / 2 + 1));
        assert_int_equal(v.trials[i].threads, options.threads[i % 2]);
        assert_int_equal(v.trials[i].context, 77);
    }
    validation_release(&v);
}

static void baselines_are_exact_where_their_form_is_true(void **state)
{
    (void)state;
    struct validation v;
    struct validation_summary bytes, layers;
    draw_and_run(&v, 0.05, 20000);
    assert_int_equal(validation_fit_baselines(&v, NULL), STATUS_OK);
    assert_int_equal(
        validation_summarise(&v, VALIDATE_DECODE, v.decode_ns[CLOCK_BYTES], &bytes, NULL),
        STATUS_OK);
    assert_int_equal(
        validation_summarise(&v, VALIDATE_DECODE, v.decode_ns[CLOCK_BYTES_LAYERS], &layers, NULL),
        STATUS_OK);
    assert_true(layers.median < 1e-6 && bytes.median > layers.median);
    validation_release(&v);
    draw_and_run(&v, 0.05, 0);
    assert_int_equal(validation_fit_baselines(&v, NULL), STATUS_OK);
    assert_int_equal(
        validation_summarise(&v, VALIDATE_DECODE, v.decode_ns[CLOCK_BYTES], &bytes, NULL),
        STATUS_OK);
    assert_true(bytes.median < 1e-6);
    for (int i = 3; i < 9; i++) /* three of the first type are left */
        v.trials[i].n_rounds = 0;
    assert_int_equal(validation_fit_baselines(&v, NULL), STATUS_OK);
    assert_true(isnan(v.decode_ns[CLOCK_BYTES][0]) && isnan(v.decode_ns[CLOCK_BYTES_LAYERS][0]));
    assert_int_equal(
        validation_summarise(&v, VALIDATE_DECODE, v.decode_ns[CLOCK_BYTES], &bytes, NULL),
        STATUS_OK);
    assert_int_equal(bytes.n, 18);
    validation_release(&v);
}

/* Somebody else's timings: three rounds of decodes of two series, one of them timed with a prompt.
 */
static void rows_alike_are_rounds_and_networks_of_a_size_a_group(void **state)
{
    (void)state;
    enum { N_NETS = 8, N_ROUNDS = 3 };
    struct fit_rows rows = {0};
    struct validation v;
    struct rng rng;
    rng_init(&rng, 11);
    struct transformer nets[N_NETS];
    for (int i = 0; i < N_NETS; i++) {
        struct draw_options draw = {.params = i < 4 ? 30000000 : 90000000,
                                    .aspect = (i % 4 + 0.5) / 4,
                                    .dtype = DTYPE_Q8_0};
        draw_network(&rng, &draw, &nets[i]);
    }
    for (int round = 0; round < N_ROUNDS; round++)
        for (int i = 0; i < N_NETS; i++) {
            struct fit_row row = {.net = nets[i],
                                  .threads = 2,
                                  .prompt = 64,
                                  .context = 8,
                                  .decode_ns = 1e6 * (i + 1) + 1e4 * round,
                                  .prefill_ns = i < 4 ? 1e7 * (i + 1) : NAN,
                                  .load_ns = NAN};
            assert_int_equal(fit_rows_add(&rows, &row, NULL), STATUS_OK);
        }
    assert_int_equal(validation_of_rows(&rows, &v, NULL), STATUS_OK);
    assert_int_equal(v.n_networks, N_NETS);
    assert_int_equal(v.n_trials, N_NETS + 4);
    assert_int_equal(v.n_groups, 3); /* two of decodes, one of prompts */
    int decodes = 0;
    for (int i = 0; i < v.n_trials; i++) {
        assert_int_equal(v.trials[i].n_rounds, N_ROUNDS);
        bool is_decode = !isnan(trial_decode_ns(&v.trials[i]));
        assert_int_not_equal(is_decode, !isnan(trial_prefill_ns(&v.trials[i])));
        decodes += is_decode;
        v.decode_ns[CLOCK_LATHE][i] = trial_decode_ns(&v.trials[i]);
        v.prefill_ns[i] = 1.1 * trial_prefill_ns(&v.trials[i]);
    }
    assert_int_equal(decodes, N_NETS);
    struct validation_summary s;
    assert_int_equal(validation_summarise(&v, VALIDATE_DECODE, v.decode_ns[CLOCK_LATHE], &s, NULL),
                     STATUS_OK);
    assert_int_equal(s.n, N_NETS);
    assert_true(s.median < 1e-12 && s.n_groups == 2 && s.group_worst > 1 - 1e-9);
    assert_int_equal(validation_summarise(&v, VALIDATE_PREFILL, v.prefill_ns, &s, NULL), STATUS_OK);
    assert_int_equal(s.n, 4);
    assert_true(fabs(s.median - 0.1) < 1e-9);
    validation_release(&v);
    fit_rows_release(&rows);
}

static void no_row_is_nothing_to_validate(void **state)
{
    (void)state;
    struct fit_rows rows = {0};
    struct validation v;
    assert_int_equal(validation_of_rows(&rows, &v, NULL), STATUS_INPUT);
    validation_release(&v);
}

/* Networks that are a tenth apart in rounds of 1 % have an order, those in rounds of 50 % none. */
static void a_group_has_an_order_where_its_rounds_agree(void **state)
{
    (void)state;
    enum { N_TRIALS_HERE = 8, N_ROUNDS_HERE = 15 };
    static struct trial trials[N_TRIALS_HERE];
    struct transformer net;
    struct rng rng;
    transformer_init(&net, 64, 2, 2, 1, 32, 128, 256);
    rng_init(&rng, 3);
    for (int loud = 0; loud < 2; loud++) {
        for (int i = 0; i < N_TRIALS_HERE; i++) {
            trials[i] = (struct trial){.net = &net, .threads = 1, .n_rounds = N_ROUNDS_HERE};
            for (int r = 0; r < N_ROUNDS_HERE; r++)
                trials[i].decode_ns[r] =
                    1e6 * pow(1.1, i) * exp((loud ? 0.5 : 0.01) * rng_normal(&rng));
        }
        struct validation v = {.n_trials = N_TRIALS_HERE, .trials = trials, .n_groups = 1};
        double order = validation_group_order(&v, VALIDATE_DECODE, 0);
        assert_true(loud ? order < 0.9 : order == 1);
        for (int i = 0; i < N_TRIALS_HERE; i++)
            trials[i].n_rounds = 2;
        assert_true(isnan(validation_group_order(&v, VALIDATE_DECODE, 0)));
    }
}

static void trials_run_in_rounds_and_stop_when_told(void **state)
{
    (void)state;
    struct transformer net;
    volatile sig_atomic_t stop = 0;
    transformer_init(&net, 64, 2, 2, 1, 32, 128, 256);
    struct trial trials[] = {
        {.net = &net, .threads = 1, .prompt = 4, .context = 0},
        {.net = &net, .threads = 1, .context = 32},
    };
    struct trial_options options = {
        .min_rounds = 2, .max_rounds = 2, .decode_ns = 1e5, .seed = 1, .stop = &stop};
    struct trial_report report;
    assert_int_equal(trials_run(trials, 2, &options, &report, NULL), STATUS_OK);
    assert_int_equal(report.n_rounds, 2);
    assert_int_equal(trials[1].n_rounds, 2);
    assert_true(trial_decode_ns(&trials[1]) > 0 && trial_prefill_ns(&trials[0]) > 0);
    assert_true(isnan(trial_prefill_ns(&trials[1])));
    for (int r = 0; r < 2; r++) /* too few to be brought to one state */
        assert_true(trials[0].decode_ns[r] == trials[0].raw_decode_ns[r]);
    stop = 1;
    assert_int_equal(trials_run(trials, 2, &options, &report, NULL), STATUS_INTERRUPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_unknown_where_no_trial_has_two_rounds),
        cmocka_unit_test(a_perfect_prediction_has_no_error_and_full_rank_correlation),
        cmocka_unit_test(
            the_worst_prediction_comes_first_and_prompts_last_where_no_decode_was_timed),
        cmocka_unit_test(networks_that_are_given_are_not_drawn),
        cmocka_unit_test(baselines_are_exact_where_their_form_is_true),
        cmocka_unit_test(rows_alike_are_rounds_and_networks_of_a_size_a_group),
        cmocka_unit_test(no_row_is_nothing_to_validate),
        cmocka_unit_test(a_group_has_an_order_where_its_rounds_agree),
        cmocka_unit_test(trials_run_in_rounds_and_stop_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
